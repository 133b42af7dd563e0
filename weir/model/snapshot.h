#pragma once
// Snapshot: every goroutine of one program at one moment, as a plain value. All analysis is a
// function of Snapshots. Whatever the evidence was (live process, core, recording, goroutine dump,
// profile), it ends up as this.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/notes.h"
#include "weir/model/proof.h"

namespace weir::model {

/// One (possibly inlined) call. Function names are Go's own link names: "main.(*T).run.func1",
/// generics as "main.f[...]".
struct Frame {
  std::string function;
  std::string file;  ///< as recorded by the compiler; "?" when unknown
  std::int32_t line = 0;
  Address pc;                ///< return address, or exact pc for the innermost frame; 0 if unknown
  std::uint64_t offset = 0;  ///< pc minus the entry of the (outermost, physical) function
  bool inlined = false;      ///< inlined into the next frame
  bool wrapper = false;      ///< made by the compiler; a default traceback hides it
  std::string args;          ///< as Go prints them between the parentheses; "..." when not known

  bool operator==(const Frame&) const = default;
};

/// Innermost call first. Shared between goroutines that have the same one.
using Stack = std::vector<Frame>;
using SharedStack = std::shared_ptr<const Stack>;

/// runtime2.go's _G* states, without the scan bit.
enum class Status : std::uint8_t {
  idle,
  runnable,
  running,
  syscall,
  waiting,
  dead,
  copystack,
  preempted,
  leaked,
  unknown,
};
/// Go's word for it in a traceback ("runnable", "running", "syscall", "waiting", "copystack",
/// "preempted" …).
std::string_view to_string(Status status);

enum class Direction : std::uint8_t { send, receive };

struct Channel {
  Address address;           ///< runtime.hchan; 0 only for a nil channel
  std::string element_type;  ///< "int", "*main.T"; empty if unknown
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  bool closed = false;
  bool timer = false;  ///< a time.Timer/Ticker channel (Go ≥ 1.23 says so itself)
};

struct ChannelCase {
  Direction direction = Direction::receive;
  Channel channel;
};

enum class WaitKind : std::uint8_t {
  channel_send,
  channel_receive,
  select,
  nil_channel_send,
  nil_channel_receive,
  select_no_cases,
  mutex,
  rwmutex_lock,
  rwmutex_rlock,
  wait_group,
  cond,
  semaphore,
  io,
  sleep,
  other,
};
/// The kind's name in JSON: "channel_send", "rwmutex_rlock" …
std::string_view to_string(WaitKind kind);

/// What a goroutine waits on.
struct Blocking {
  WaitKind kind = WaitKind::other;
  std::vector<ChannelCase>
      cases;       ///< one for send/receive; a select's in lock order, nil-channel cases absent
  Address object;  ///< the Mutex, RWMutex, WaitGroup or Cond; 0 if unknown
  std::optional<int> fd;  ///< io
  std::string fd_target;  ///< "socket:[1234]", "tcp 127.0.0.1:80 -> 127.0.0.1:5000", "/dev/tty";
                          ///< may be empty
  std::optional<Direction> io_direction;
  std::optional<Nanos> wakes_in;  ///< sleep: from the moment of the snapshot; negative = due
  std::string unknown_why;        ///< not empty: the object could not be told, and this is why
};

struct Creation {
  std::string function;  ///< whose `go` statement it was; empty for main and unknown
  std::string file;
  std::int32_t line = 0;
  Address pc;
  std::uint64_t offset = 0;
  Goid by;  ///< creator; 0 when Go does not record it (before 1.21)
};

struct Ancestor {
  Goid id;
  Stack stack;  ///< the ancestor's stack at the `go` statement
};

/// A lock that a goroutine took in a function that it is still in, and has not given back there, as
/// far as the function's code tells.
struct HeldLock {
  WaitKind kind = WaitKind::mutex;  ///< or rwmutex_lock, rwmutex_rlock
  Address object;  ///< the lock, if it is a variable or the frame keeps its address; 0: not known
  std::string function;  ///< that took it
  std::string file;
  std::int32_t line = 0;  ///< of the call of Lock
};

struct Goroutine {
  Goid id;
  Status status = Status::unknown;
  std::string
      wait_reason;  ///< Go's words ("chan receive", "sync.Mutex.Lock"); empty unless waiting
  std::optional<Nanos>
      waiting_at_least;  ///< a lower bound: the runtime notes it at the first GC after parking
  SharedStack stack;     ///< never null once built
  bool stack_truncated = false;
  Creation created;
  std::string start_function;  ///< the function of the `go` statement
  std::vector<Ancestor>
      ancestors;  ///< nearest first; only where GODEBUG=tracebackancestors kept them
  std::vector<std::pair<std::string, std::string>> labels;  ///< pprof labels, sorted by key
  bool locked_to_thread = false;
  bool system =
      false;  ///< the runtime's own (GC workers, finalizer …); a traceback hides it by default
  std::optional<int> thread;  ///< kernel thread id running it, in the reader's pid namespace
  std::optional<std::uint64_t> synctest_bubble;
  Address g;  ///< runtime.g; 0 if the evidence has no addresses
  std::optional<Blocking> blocked_on;
  /// Objects that some goroutine is blocked on and that a word of this one's stack points at, or
  /// into the heap object around. Conservative. Empty unless it was asked for.
  std::vector<Address> refers_to;
  /// Outermost call first. Looked for only where somebody waits for a lock.
  std::vector<HeldLock> holds;
  /// Changes when it runs; 0: not known. For one that waits, of a later look at the same process.
  std::uint64_t parked_as = 0;
  bool ran_since = false;  ///< by a later look: it has run, or ended
};

enum class HolderKind : std::uint8_t { variable, timer };

/// Something beside the goroutines' stacks that leads to an object which a goroutine is blocked on.
struct Holder {
  HolderKind kind = HolderKind::variable;
  Address object;
  std::string text;               ///< "variable main.queue", "timer that calls main.expire"
  std::optional<Nanos> fires_in;  ///< a timer's, from the moment of the snapshot; negative = due
};

/// What there is beside goroutines, as far as it bears on who could wake one.
struct Surroundings {
  bool variables_known = false;  ///< false: they could not be read, and may lead to anything
  bool timers_known = false;
  bool cgo = false;
  std::uint64_t pending_timers = 0;
  std::vector<Holder> holders;  ///< by object; of one kind a few for each
};

enum class SourceKind : std::uint8_t { process, core, recording, dump_text, profile };
std::string_view to_string(SourceKind kind);

struct Source {
  SourceKind kind = SourceKind::process;
  std::string name;  ///< what the user named: "pid 123", "a.weir"
  int pid = 0;       ///< 0 if not known
  std::string executable;
  std::string build_id;    ///< the linker's GNU or Go build id, hex or text; may be empty
  std::string go_version;  ///< "go1.26.8"; empty if unknown
  std::string arch = "amd64";
  std::string command_line;
  std::optional<Nanos> taken_at;  ///< wall clock, ns since 1970
};

struct Snapshot {
  Source source;
  bool consistent =
      false;  ///< all goroutines at one instant; false: each by itself (-light), or partial
  bool partial = false;               ///< something is missing; the notes say what
  std::optional<Nanos> stopped;       ///< how long the target stood still
  std::vector<Goroutine> goroutines;  ///< ascending id
  std::optional<Proof> proof;         ///< which of them are leaked, if somebody tried to prove it
  std::optional<Surroundings> surroundings;  ///< with Goroutine::refers_to
  std::optional<Nanos> looked_again;         ///< so long after it was seen who had run (ran_since)
  Notes notes;
};

}  // namespace weir::model
