#pragma once
// Go's goroutine text: what debug/pprof/goroutine?debug=2, SIGQUIT, panics, fatal errors and
// runtime.Stack print, from Go 1.11 to 1.27.
//
// Source of truth: goroutineheader, traceback2, printcreatedby1, printAncestorTraceback and
// printCgoTraceback in src/runtime/traceback.go, go1.19–1.27.
//
// Two steps, so that a dump of millions of goroutines costs little: Scanner finds each goroutine,
// reads its header and fingerprints its stack; parse_stack takes the stack apart where it matters.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/notes.h"
#include "weir/dump/frame_memo.h"

namespace weir::dump {

/// runtime.Stack(all=true) behind debug=2 gives up at this many bytes, in the middle of a line.
inline constexpr std::uint64_t runtime_stack_limit = 64u << 20;

/// The line "goroutine 7 gp=0x… m=nil [chan receive, 3 minutes, locked to thread] {k: v}:".
/// Views point into the scanner's input and live as long as the sink's call.
struct Header {
  Goid id;     ///< 0 for a thread's scheduler stack ("goroutine 0 [idle]")
  Address gp;  ///< 0 unless printed (GOTRACEBACK ≥ system, Go ≥ 1.22)
  Address mp;  ///< 0 unless printed
  std::optional<std::int64_t> m;
  std::string_view state;       ///< "chan receive", without the flags below
  std::string_view state_text;  ///< the same with them: "chan receive (durable)"
  bool leaked = false;          ///< "(leaked)": proved by a goroutine leak profile
  bool scanning = false;        ///< "(scan)": the collector holds its stack
  bool durable = false;         ///< "(durable)", "(synctest)": blocked inside its synctest bubble
  bool locked_to_thread = false;
  std::optional<std::uint64_t> minutes;  ///< waiting at least this long
  std::optional<std::uint64_t> bubble;   ///< synctest bubble (or group, Go 1.24)
  std::string_view labels;               ///< raw text between the braces; see parse_labels
};

/// One goroutine of the text. Views live as long as the sink's call.
struct GoroutineText {
  Header header;
  /// The lines below the header, log prefixes removed; what parse_stack takes.
  std::string_view stack;
  /// Equal for equal stacks: functions, files, lines, offsets and the creator, not arguments,
  /// addresses, goroutine numbers or ancestors. 64 bits of an unkeyed hash: a hostile text can make
  /// two stacks collide.
  std::uint64_t stack_key = 0;
  std::uint64_t offset = 0;  ///< of the header line, from the beginning of the input
  std::uint32_t dump = 0;    ///< which dump of the input, from 0
  std::uint32_t frames = 0;  ///< frame lines seen, ancestors not counted
  bool unavailable = false;  ///< "goroutine running on other thread; stack unavailable"
  bool cut = false;          ///< the text ends within this goroutine
};

/// Where one dump of the input begins.
struct DumpStart {
  std::uint32_t number = 0;
  std::uint64_t offset = 0;  ///< of its first goroutine
  std::string_view reason;  ///< "panic: boom", "SIGQUIT: quit", "fatal error: …"; empty for debug=2
};

/// What finish() knows of the whole input.
struct Summary {
  std::uint64_t bytes = 0;
  std::uint64_t goroutines = 0;
  std::uint32_t dumps = 0;
  bool cut = false;  ///< a dump ends too early: at runtime_stack_limit, or within a goroutine
  Notes notes;       ///< what was cut, dropped or out of place, with offsets
};

/// Finds goroutines in text that comes in pieces. Memory is bounded whatever the input: at most one
/// goroutine's text is kept, and one longer than 4 MiB is handed on cut. Any bytes are accepted;
/// what is not goroutine text is passed over. Understands CRLF, surrounding text, several dumps in
/// a row, lines of other writers between frames, and log prefixes (the header line's prefix counts;
/// the lines below must have the same number of blanks in theirs).
class Scanner {
 public:
  using Sink = std::function<void(const GoroutineText&)>;
  using DumpSink = std::function<void(const DumpStart&)>;

  explicit Scanner(Sink sink, DumpSink dump_sink = {});

  void feed(std::string_view piece);
  /// Call once, after the last piece.
  Summary finish();

 private:
  struct Goroutine;
  std::size_t consume(std::string_view text, bool last);
  bool consume_line(std::string_view text, std::size_t& position, bool last);
  bool take_goroutine(Goroutine goroutine, std::string_view text, std::size_t& position, bool last);
  bool drop_line(std::string_view text, std::size_t& position);
  void begin_goroutine(const Header& header, std::uint64_t offset);
  void pass_over(std::string_view line);
  void end_dump(std::uint64_t offset);

  Sink sink_;
  DumpSink dump_sink_;
  Summary summary_;
  std::string kept_;            ///< input not yet consumed
  std::size_t retry_size_ = 0;  ///< no new attempt on kept_ before it is this long
  std::uint64_t kept_offset_ = 0;
  FrameMemo memo_;
  std::string unprefixed_;  ///< a goroutine's lines without their log prefixes
  std::string reason_;      ///< why the next dump was printed
  std::uint64_t dump_offset_ = 0;
  Goid first_of_dump_;
  bool dump_open_ = false;
  bool dump_cut_ = false;
  bool main_seen_ = false;
  bool reason_seen_ = false;     ///< a line that begins a dump came since the last goroutine
  bool another_thread_ = false;  ///< "-----" of GOTRACEBACK=crash: the same dump goes on
  bool dropping_line_ = false;   ///< within a line too long to be kept
};

/// One call. Views point into the stack text.
struct Frame {
  std::string_view function;  ///< as printed; "panic" for runtime.gopanic
  std::string_view args;      ///< between the parentheses; "..." for inlined and ancestors' frames
  std::string_view file;      ///< empty if not printed (C code without symbols)
  std::int32_t line = 0;
  std::optional<std::uint64_t> offset;  ///< "+0x1d": from the function's entry
  Address fp, sp, pc;                   ///< 0 unless printed
  bool inlined = false;                 ///< no offset was printed: inlined into the next frame
  bool foreign = false;                 ///< C code, of a cgo traceback

  bool operator==(const Frame&) const = default;
};

/// "created by main.start in goroutine 1". An empty function: none was printed.
struct Creator {
  std::string_view function;
  std::string_view file;
  std::int32_t line = 0;
  std::optional<std::uint64_t> offset;
  Goid by;  ///< 0 when not printed (before Go 1.21)

  bool operator==(const Creator&) const = default;
};

/// "...additional frames elided..." (before Go 1.21, and ancestors) or "...23 frames elided...".
struct Elision {
  std::size_t position = 0;  ///< frames before it
  std::optional<std::uint64_t> count;

  bool operator==(const Elision&) const = default;
};

/// "[originating from goroutine 7]:" and its calls (GODEBUG=tracebackancestors=N).
struct Ancestor {
  Goid id;
  std::vector<Frame> frames;
  Creator created;
  bool elided = false;
};

struct Stack {
  std::vector<Frame> frames;  ///< innermost first
  std::optional<Elision> elided;
  Creator created;
  std::vector<Ancestor> ancestors;  ///< nearest first
  bool unavailable = false;
};

/// Takes apart GoroutineText::stack. Never fails: lines that are no frames are passed over.
Stack parse_stack(std::string_view text);

/// Parses one header line (no line end). Nothing if it is not one.
std::optional<Header> parse_header(std::string_view line);

/// Takes apart Header::labels, in the order printed. A label whose quoting is broken ends the list.
std::vector<std::pair<std::string, std::string>> parse_labels(std::string_view text);

}  // namespace weir::dump
