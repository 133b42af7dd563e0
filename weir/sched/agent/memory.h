#pragma once
// What weir and the agent in the process tell each other: structures in the process's memory, laid
// out alike on both sides. Plain data only; the agent is built without any library.
#include <cstdint>

namespace weir::sched::agent {

/// Offsets from where the agent is put. The process keeps its own copy of everything below, except
/// for Shared.
inline constexpr std::uint64_t state_at = 0x10000;   ///< State
inline constexpr std::uint64_t stack_end = 0x7f800;  ///< of the agent's own stack, which grows down
/// Of a second, small one: Go's scheduler polls without the P, one thread at a time
/// (sched.lastpoll, findRunnable, src/runtime/proc.go, go1.19–1.27), while another may have the P.
/// In the page of the first, since each page that a copy writes to costs time.
inline constexpr std::uint64_t poll_stack_end = 0x80000;
inline constexpr std::uint64_t config_at = 0x80000;  ///< Config; what it points to follows

/// stackPreempt, src/runtime/stack.go: as a goroutine's stackguard0 it makes the next stack check
/// call the scheduler.
inline constexpr std::uint64_t stack_preempt = 0xfffffffffffffade;

/// The registers of a thread in the order of Linux' sigcontext.
struct Frame {
  std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
      flags;
};
inline constexpr std::uint8_t no_register = 0xff;  ///< else a position in Frame

enum class SiteKind : std::uint8_t {
  start_thread,
  processors,
  execute,
  poll,
  operation,
  atomic,
  fatal,
  crash,
  panic,
  exit,
  observation,
};

enum class Operand : std::uint8_t { none, first, second, memory };

inline constexpr std::int32_t no_caller = -1;

/// One place in the program where the agent is asked.
struct Site {
  std::uint64_t at;    ///< its address
  std::uint64_t copy;  ///< the instructions that were there, and the way back
  std::uint64_t displacement;
  std::uint64_t fixed;  ///< address of the operand; 0: base + index * scale + displacement
  std::int32_t caller;  ///< the return address is at RSP + this; no_caller: nobody asks
  std::uint8_t base, index, scale;
  SiteKind kind;
  Operand operand;
  bool asks;                 ///< another goroutine may go on here
  bool checks_stack;         ///< a preempted goroutine begins the function anew
  bool selects;              ///< runtime.selectgo
  bool calls_c;              ///< runtime.cgocall
  std::uint8_t observation;  ///< bit of Shared::observations
  std::uint8_t patched;      ///< bytes of `original` that were overwritten
  std::uint8_t original[8];
};

/// Offsets of the runtime's fields in bytes (gortime::Layout).
struct Offsets {
  std::uint32_t g_goid, g_m, g_stack_lo, g_stackguard0, g_preempt, g_schedlink, g_startpc,
      g_lockedm, g_status;
  std::uint32_t m_p, m_curg, m_locks, m_mallocing, m_preemptoff, m_procid;
  std::uint32_t m_random, m_random_width;
  std::uint32_t p_runqhead, p_runqtail, p_runq, p_runnext;
  std::uint32_t p_when, p_when_modified;  ///< of the next timer; 0: not known
  std::uint32_t sched_runq_head, sched_runq_tail;
  std::uint32_t sched_midle, sched_nmidle, sched_nmidlelocked, sched_mnext, sched_nmsys,
      sched_nmfreed;
  std::uint32_t chan_qcount, chan_dataqsiz, chan_closed, chan_recvq, chan_sendq;
};

/// Written once, before the test begins.
struct Config {
  Offsets offsets;
  std::uint64_t sched;  ///< runtime.sched
  std::uint64_t all;    ///< runtime.allgptr, and how many there are: runtime.allglen
  std::uint64_t all_count;
  std::uint64_t test;             ///< the goid of the test's own goroutine
  std::uint64_t p;                ///< the one P
  std::uint64_t sleep;            ///< time.Sleep; 0: none
  std::uint64_t async_preempt;    ///< runtime.asyncPreempt
  std::uint64_t template_thread;  ///< runtime.newmHandoff.haveTemplateThread; 0: not known
  std::uint64_t clock;            ///< the virtual clock's counter, in ns
  std::uint64_t text_start, text_end;
  std::uint64_t explored;  ///< bitmap of the text, a bit for 16 bytes: is_explored()
  std::uint64_t sync;      ///< likewise: package sync and what it is made of
  std::uint64_t system;    ///< likewise: where goroutines of the runtime itself begin
  std::uint64_t sites;     ///< Site[site_count], by address
  std::uint64_t site_count;
  std::uint64_t shared;       ///< Shared
  std::uint64_t old_handler;  ///< of SIGTRAP
  /// Threads that count as running and are not: what cgo keeps for calls from C (an extra M,
  /// src/runtime/proc.go), for which checkdead() would never find a deadlock. Counted again once C
  /// code is called.
  std::uint64_t extra_threads;
  std::uint64_t jitter;  ///< ns: a timer that is due so soon may fire at once; 0: never
  Frame start;           ///< the registers with which the test goes on
};

enum class Strategy : std::uint32_t {
  fixed,   ///< Request's choices, then Go's own
  random,  ///< a random walk
  pct,     ///< probabilistic concurrency testing
};

/// What weir wants to see of a process at its end, still whole.
enum class Look : std::uint32_t {
  left,     ///< goroutines that were left over
  finding,  ///< every end that is a finding
  passed,   ///< also one with nothing left over
};

/// How a run is to be.
struct Request {
  Strategy strategy;
  std::uint32_t depth;    ///< pct
  std::uint64_t seed;     ///< random, pct
  std::uint64_t length;   ///< pct: of the run, in choice points
  std::uint32_t choices;  ///< so many are given
  Look look;
  std::uint32_t stop_at;  ///< stop before this point, counted from 1; 0: nowhere
  std::uint32_t unused;
};

enum class PointKind : std::uint32_t {
  resume,     ///< somebody has to be picked
  operation,  ///< before an operation
  select,     ///< several cases of a select are ready
};

/// One point of the schedule.
struct Point {
  std::uint64_t goroutine;  ///< goid: who acts; of a resumption whom Go would take
  std::uint64_t runs;       ///< goid: who goes on
  std::uint64_t pc;
  std::uint64_t object;  ///< address of what is operated on; 0: none
  std::uint32_t site;    ///< index; without meaning for a resumption
  PointKind kind;
  std::uint32_t alternatives;
  std::uint32_t choice;
  std::uint32_t timer;  ///< 1: the last alternative is that a timer fires
  std::uint32_t unused;
};

/// Words that the agent notes beside the points: of each moment at which it is decided who goes on
/// (a point or not), and of each select. Two words (LogHead), and `count` more: the goids that can
/// run in the order of the choices, or the addresses of the select's channels.
struct LogHead {
  std::uint32_t count;
  std::uint32_t flags;
  std::uint64_t point;  ///< number of the next point, from 0
};
inline constexpr std::uint32_t log_asked = 1;   ///< that point is the question who goes on
inline constexpr std::uint32_t log_hidden = 2;  ///< Shared::hidden, of the time before
inline constexpr std::uint32_t log_select = 4;  ///< no moment: the channels of a select
inline constexpr std::uint64_t log_words_per_point = 4;

enum class End : std::uint32_t {
  none,     ///< nothing that the agent has seen
  message,  ///< fatal, crash or panic: `site`; message
  exit,     ///< os.Exit(code)
  settled,  ///< the test has ended well, and its goroutines had their time
  endless,  ///< more than `most_points`
  crowded,  ///< more goroutines than the agent can hold
};

inline constexpr std::uint32_t message_size = 4096;

/// Pages that a run of the test writes to.
struct Pages {
  std::uint64_t at, size;
};
inline constexpr std::uint32_t most_pages = 256;  ///< Shared::pages

/// Both sides see one memory.
struct Shared {
  Request request;
  std::uint64_t reached;  ///< hooks, of every run: grows
  std::uint64_t choices_at, points_at,
      log_at;  ///< offsets from Shared: std::uint32_t[most_points], Point[], std::uint64_t[]
  std::uint64_t most_log_words;
  std::uint32_t most_points;
  /// A copy fetches them at its beginning: one call is cheaper than many page faults.
  std::uint32_t pages_count;
  Pages pages[most_pages];
  // The answer:
  std::uint32_t points;
  bool log_full;  ///< it had no room for everything
  bool hidden;    ///< since the last moment somebody did what may be an operation, and is no point
  std::uint64_t log_words;
  End end;
  std::uint32_t end_site;
  std::int32_t code;
  std::uint32_t thread;  ///< that stands at the end
  std::uint32_t refused, clamped;
  std::uint64_t observations;
  std::uint64_t exiting;  ///< goid
  std::uint32_t stands;   ///< not 0: stopped before Request::stop_at, with `registers` there
  bool in_signal;         ///< the agent was last entered by a signal, …
  std::uint64_t blocked;  ///< … before which these were blocked
  Frame registers;        ///< at the end
  std::uint32_t message_length;
  char message[message_size];
};

}  // namespace weir::sched::agent
