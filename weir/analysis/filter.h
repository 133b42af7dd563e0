#pragma once
// Which goroutines at the end of a program are nobody's leak: goleak's built-in exceptions and its
// options.
#include <cstddef>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// Why a goroutine is ignored.
enum class Ignored : std::uint8_t {
  no,
  main,        ///< goroutine 1, and the one that calls os.Exit: it ends the program
  system,      ///< the runtime's own
  testing,     ///< package testing's runners, and a test that runs while the program ends
  signals,     ///< os/signal's receiver
  tracer,      ///< runtime.ReadTrace
  coverage,    ///< fuzzing and coverage workers of package testing
  top,         ///< IgnoreRules::top
  any,         ///< IgnoreRules::any
  created_by,  ///< IgnoreRules::created_by
  current,     ///< existed before the first test, and IgnoreRules::current
};
std::string_view to_string(Ignored ignored);

/// True if `text` matches `pattern`, where `*` stands for any run of characters and everything else
/// for itself.
bool matches(std::string_view pattern, std::string_view text);

/// True for package testing's own goroutines that wait for a test: runners, a parent in t.Run, a
/// parallel test that waits for its turn.
bool waits_for_test(const model::Goroutine& goroutine);

/// Why this goroutine is ignored, or Ignored::no.
Ignored ignored(const model::Goroutine& goroutine, const model::IgnoreRules& rules,
                const std::unordered_set<Goid>& existed_before);

/// Indices of the goroutines that are not ignored. `ending` is the goroutine that ends the program.
std::vector<std::size_t> lingering(const model::Snapshot& snapshot, const model::IgnoreRules& rules,
                                   const std::unordered_set<Goid>& existed_before,
                                   Goid ending = {});

}  // namespace weir::analysis
