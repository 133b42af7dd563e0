#include "weir/analysis/filter.h"

#include <algorithm>
#include <string>

#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::Frame;
using model::Goroutine;
using model::Status;

namespace {

/// The functions of a stack as a traceback shows them: what goleak and its users see.
std::vector<std::string> shown_functions(const Goroutine& goroutine) {
  std::vector<std::string> shown;
  if (!goroutine.stack) return shown;
  for (const Frame& frame : *goroutine.stack) {
    if (!frame.wrapper && model::is_shown(frame.function, shown.empty()))
      shown.push_back(model::name_in_traceback(frame.function));
  }
  if (shown.empty()) {  // then a traceback shows everything
    for (const Frame& frame : *goroutine.stack)
      shown.push_back(model::name_in_traceback(frame.function));
  }
  return shown;
}

bool has_function(const Goroutine& goroutine, std::string_view function) {
  if (!goroutine.stack) return false;
  return std::any_of(goroutine.stack->begin(), goroutine.stack->end(),
                     [&](const Frame& frame) { return frame.function == function; });
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, text); });
}

/// testing's own goroutines that wait for a channel: runners, parents of subtests, parallel tests.
bool is_test_runner(const Goroutine& goroutine, const std::vector<std::string>& shown) {
  if (shown.empty()) return false;
  static constexpr std::string_view tops[] = {"testing.RunTests", "testing.(*T).Run",
                                              "testing.runFuzzing", "testing.runFuzzTests"};
  const bool runner =
      std::find(std::begin(tops), std::end(tops), shown.front()) != std::end(tops) ||
      shown.front() == "testing.(*T).Parallel" ||
      (shown.front() == "testing.(*testState).waitParallel") ||
      (shown.front() == "testing.(*testContext).waitParallel") ||
      // The parent that waits in its clean-up for parallel subtests: everything it shows is
      // testing's.
      std::all_of(shown.begin(), shown.end(),
                  [](const std::string& f) { return f.starts_with("testing.tRunner"); });
  return runner && model::state_of(goroutine).starts_with("chan receive");
}

/// A test, fuzz test or benchmark itself: somebody ended the program while it ran. What it started
/// is judged, not the test.
bool is_test_itself(const Goroutine& goroutine) {
  return has_function(goroutine, "testing.tRunner") || has_function(goroutine, "testing.fRunner") ||
         has_function(goroutine, "testing.(*B).runN");
}

bool is_signal_receiver(const Goroutine& goroutine, const std::vector<std::string>& shown) {
  if (!shown.empty() &&
      (shown.front() == "os/signal.signal_recv" || shown.front() == "os/signal.loop"))
    return true;
  // signal.Notify starts one more, which the runtime counts as its own from some version on.
  return goroutine.start_function.starts_with("runtime.ensureSigM") ||
         has_function(goroutine, "runtime.ensureSigM.func1");
}

/// A thread that C code created or left in a system call, with no Go code on it.
bool is_bare_syscall(const Goroutine& goroutine) {
  return goroutine.status == Status::syscall && goroutine.stack &&
         std::all_of(goroutine.stack->begin(), goroutine.stack->end(), [](const Frame& frame) {
           return frame.function.starts_with("runtime.") ||
                  model::package_of(frame.function).empty();
         });
}

bool is_fuzz_worker(const std::vector<std::string>& shown) {
  return std::any_of(shown.begin(), shown.end(), [](const std::string& f) {
    return f.starts_with("internal/fuzz.") || f.starts_with("testing/internal/testdeps.");
  });
}

Ignored built_in(const Goroutine& goroutine, const std::vector<std::string>& shown) {
  if (goroutine.id == Goid{1}) return Ignored::main;
  if (goroutine.system || goroutine.status == Status::dead || goroutine.status == Status::idle ||
      is_bare_syscall(goroutine))
    return Ignored::system;
  if (is_test_runner(goroutine, shown) || is_test_itself(goroutine)) return Ignored::testing;
  if (is_signal_receiver(goroutine, shown)) return Ignored::signals;
  if (has_function(goroutine, "runtime.ReadTrace")) return Ignored::tracer;
  if (is_fuzz_worker(shown)) return Ignored::coverage;
  return Ignored::no;
}

}  // namespace

bool waits_for_test(const Goroutine& goroutine) {
  return is_test_runner(goroutine, shown_functions(goroutine));
}

std::string_view to_string(Ignored ignored) {
  switch (ignored) {
    case Ignored::no:
      return "no";
    case Ignored::main:
      return "main";
    case Ignored::system:
      return "system";
    case Ignored::testing:
      return "testing";
    case Ignored::signals:
      return "signals";
    case Ignored::tracer:
      return "tracer";
    case Ignored::coverage:
      return "coverage";
    case Ignored::top:
      return "top";
    case Ignored::any:
      return "any";
    case Ignored::created_by:
      return "created_by";
    case Ignored::current:
      break;
  }
  return "current";
}

bool matches(std::string_view pattern, std::string_view text) {
  // On a mismatch, the last star takes one character more: no recursion, at most |p|·|t| steps.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Ignored ignored(const Goroutine& goroutine, const model::IgnoreRules& rules,
                const std::unordered_set<Goid>& existed_before) {
  const std::vector<std::string> shown = shown_functions(goroutine);
  const Ignored own = built_in(goroutine, shown);
  if (own != Ignored::no) return own;
  if (rules.current && existed_before.contains(goroutine.id)) return Ignored::current;
  if (!shown.empty() && any_matches(rules.top, shown.front())) return Ignored::top;
  const std::string creator = model::name_in_traceback(goroutine.created.function);
  if (!creator.empty()) {
    if (any_matches(rules.created_by, creator)) return Ignored::created_by;
    if (any_matches(rules.any, creator)) return Ignored::any;
  }
  const bool any = std::any_of(shown.begin(), shown.end(),
                               [&](const std::string& f) { return any_matches(rules.any, f); });
  return any ? Ignored::any : Ignored::no;
}

std::vector<std::size_t> lingering(const model::Snapshot& snapshot, const model::IgnoreRules& rules,
                                   const std::unordered_set<Goid>& existed_before, Goid ending) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < snapshot.goroutines.size(); ++i) {
    const Goroutine& goroutine = snapshot.goroutines[i];
    if (goroutine.id != ending && ignored(goroutine, rules, existed_before) == Ignored::no)
      chosen.push_back(i);
  }
  return chosen;
}

}  // namespace weir::analysis
