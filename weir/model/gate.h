#pragma once
// The leak gate's values: what weir found at the end of a program, how sure it is, and what the
// user asked for. analysis fills them from Snapshots, report writes and reads them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/notes.h"
#include "weir/model/profile_health.h"
#include "weir/model/schedtrace.h"

namespace weir::model {

/// How sure a statement is. docs/gate.md has the words.
enum class Certainty : std::uint8_t {
  possible,  ///< a rule alone
  likely,    ///< a rule with evidence
  proved,    ///< nothing alive can reach what it waits for
};
/// "possible", "likely", "proved".
std::string_view to_string(Certainty certainty);

/// The word of the verdict, as docs/gate.md defines them.
enum class Verdict : std::uint8_t {
  lingering,  ///< still there when it should be gone; not proved
  leaked,     ///< will never run again
  stuck,      ///< nothing in the process can make progress
};
/// "lingering", "leaked", "stuck".
std::string_view to_string(Verdict verdict);

/// What identifies "the same leak" over runs, machines and Go versions. Rules: docs/gate.md.
struct Fingerprint {
  std::string id;   ///< 16 lower-case hex digits: a 64-bit hash of `key`
  std::string key;  ///< for people: "chan receive: app.worker < app.Start; created by app.New"
  bool operator==(const Fingerprint&) const = default;
};

/// Why, in plain words.
struct Cause {
  std::string code;      ///< "send-no-receiver": stable, see docs/causes.md
  std::string sentence;  ///< one sentence with its final stop
  Certainty certainty = Certainty::possible;
  std::vector<std::string> evidence;  ///< what was seen; clauses
  std::string weakened_by;            ///< what would make it wrong; may be empty
  std::string advice;                 ///< what to do; may be empty
};

struct CodePlace {
  std::string function;
  std::string file;
  std::int32_t line = 0;
  bool operator==(const CodePlace&) const = default;
};

/// Goroutines of one finding that one test started. `test` is "TestA/sub", "package init", or empty
/// when it could not be told, and then `why` says why.
struct TestShare {
  std::string test;
  std::string why;
  std::uint64_t count = 0;
  bool operator==(const TestShare&) const = default;
};

/// Goroutines of a finding that are in another place of the same functions: another line, or
/// another closure.
struct OtherStack {
  std::uint64_t count = 0;
  std::vector<CodePlace> stack;  ///< as Finding::stack
  bool operator==(const OtherStack&) const = default;
};

/// One fingerprint's goroutines in one program: a line of the verdict.
struct Finding {
  Fingerprint fingerprint;
  Verdict verdict = Verdict::lingering;
  std::uint64_t count = 0;       ///< goroutines
  std::vector<TestShare> tests;  ///< largest first
  Goid exemplar;                 ///< the one that the rest describes: the longest waiting
  std::string state;             ///< Go's words: "chan receive", "running"
  std::optional<Nanos> oldest;   ///< the longest known wait; a lower bound
  std::string blocked_on;  ///< "receive on chan int 0xc000012345 (0 of 4 buffered)"; may be empty
  std::vector<CodePlace> stack;    ///< innermost first, as a Go traceback shows it
  std::vector<OtherStack> others;  ///< most goroutines first, at most four
  CodePlace created;               ///< empty function: main, or unknown
  Cause cause;
  bool known = false;  ///< in the baseline
};

/// One goroutine of a stuck program, or several in the same place.
struct StuckLine {
  std::vector<Goid> goroutines;
  std::string what;  ///< "waits to send on chan int 0xc…"
  CodePlace where;
  std::string could_wake;  ///< who, if known: "goroutine 7, which itself waits …"; may be empty
};

/// Whether anything in the process can still make progress.
struct StuckDiagnosis {
  bool stuck = false;
  Certainty certainty = Certainty::possible;
  std::string headline;               ///< one sentence
  std::vector<StuckLine> lines;       ///< every parked user goroutine, grouped
  std::vector<std::string> cycles;    ///< "goroutine 5 waits on mutex 0x…, …"
  std::vector<std::string> can_wake;  ///< when not stuck: what can still move, at most ten
  std::string weakened_by;            ///< may be empty
};

/// Goroutine numbers around one test (`-v`).
struct TestCount {
  std::string test;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  std::uint64_t peak = 0;  ///< the highest number seen at a stop, not a true maximum
};

/// A profile that was taken of a test binary.
struct ProfileFile {
  std::string kind;  ///< "block", "mutex", "cpu", "heap", "goroutine"
  std::string path;
  bool operator==(const ProfileFile&) const = default;
};

/// What a build with -d=checkptr ended with: a use of unsafe.Pointer that Go does not allow.
struct PointerFault {
  std::string message;           ///< Go's words: "checkptr: misaligned pointer conversion"
  std::vector<CodePlace> stack;  ///< innermost first, without the runtime's; may be empty
};

/// What `weir exec` found in one program. `weir test` merges one per test binary.
struct ExecResult {
  std::string package;     ///< import path; the program's file name when not known
  std::string executable;  ///< path
  std::string build_id;
  std::string go_version;
  std::vector<std::string> arguments;  ///< without argv[0]
  int child_code = 0;                  ///< as a shell sees it: 128 + n for signal n
  std::uint64_t goroutines_at_end = 0;
  std::uint64_t ignored = 0;     ///< filtered by built-in exceptions and rules
  std::optional<Nanos> settled;  ///< how long weir waited for goroutines to end
  std::optional<Nanos> stopped;  ///< how long the program stood still for weir, in all
  std::vector<Finding> findings;
  std::optional<StuckDiagnosis> stuck;
  std::vector<TestCount> counts;
  std::vector<ProfileFile> profiles;          ///< with -profile
  std::optional<SchedReport> scheduler;       ///< with -schedtrace; without its samples
  std::optional<PointerFault> pointer_fault;  ///< with -checkptr
  std::string not_checked;                    ///< not empty: weir could not look, and this is why
  Notes notes;
};

/// A known fingerprint of the committed baseline.
struct BaselineEntry {
  Fingerprint fingerprint;
  std::vector<std::string> packages;  ///< where it was seen, sorted
  std::uint64_t count = 0;            ///< the most goroutines seen at once; for the reader only
  std::string note;                   ///< a person's words; kept over updates
  bool operator==(const BaselineEntry&) const = default;
};

struct Baseline {
  std::vector<BaselineEntry> entries;  ///< ascending by key, then id
};

/// What came of exploring the schedules of one test (`weir test -explore`).
struct Explored {
  std::string package;
  std::string test;
  std::string control;  ///< "controlled", "observed", "not controlled"
  std::string why;      ///< of "not controlled": the reason
  std::uint64_t schedules = 0;
  std::string outcome;  ///< of the fault that was found: "deadlock", "leak" …; empty: none was
  std::string message;  ///< Go's words
  CodePlace place;      ///< where a goroutine waits at the end, or acted last; may be empty
  std::string file;     ///< the schedule file
  std::uint64_t confirmed = 0, replayed = 0;
};

/// The whole verdict of a `weir test` or `weir exec`.
struct GateReport {
  std::vector<ExecResult> programs;     ///< ascending by package
  std::vector<BaselineEntry> not_seen;  ///< in the baseline, but not in this run
  std::vector<HealthReport> health;     ///< of the programs' profiles; the source is the package
  std::vector<Explored> explored;       ///< in the order in which they were; empty: nobody asked
  bool has_baseline = false;
  bool strict = false;
};

/// Which goroutines are no finding. `top` etc. are full function names as goleak takes them
/// ("internal/poll.runtime_pollWait"), or patterns with `*` (any run of characters).
struct IgnoreRules {
  std::vector<std::string> top{};         ///< the innermost function a traceback shows
  std::vector<std::string> any{};         ///< any function of the stack, or the creator
  std::vector<std::string> created_by{};  ///< the creator
  bool current = false;                   ///< what existed before the first test
};

/// What the user asked of the gate, after flags, environment and .weir.yaml were merged.
struct GateOptions {
  bool off = false;                   ///< run the program, look at nothing
  Nanos settle{1'000'000'000};        ///< how long goroutines may take to end; 0 = look once
  Nanos stuck_after{10'000'000'000};  ///< 0 = never
  Nanos max_stop{100'000'000};
  IgnoreRules ignore;
  std::string baseline;  ///< path; empty: none
  bool update_baseline = false;
  bool strict = false;
  int top = 5;        ///< findings described in full in the text report; 0 = all
  std::string junit;  ///< path; empty: none
  std::string sarif;
  bool json = false;
  bool verbose = false;
};

/// True if this finding makes the run fail.
inline bool fails(const Finding& finding, bool strict) {
  return strict || !finding.known;
}

/// 0 clean, 1 findings that fail, a stuck program, a finding about the scheduler, a pointer fault,
/// a profile beyond its limit or a fault found by exploring, 2 weir could not look at some program;
/// a failing child's own code comes first.
int exit_code(const GateReport& report);

}  // namespace weir::model
