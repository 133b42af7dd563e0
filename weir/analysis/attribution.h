#pragma once
// Which test started a goroutine, directly or through other goroutines.
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

/// What the runner learnt while the tests ran.
struct TestFacts {
  std::unordered_map<Goid, std::string> test_of;  ///< a test's own goroutine → "TestA/sub"
  std::unordered_set<Goid> before_first_test;     ///< existed when the first test started
  Goid ending;  ///< the goroutine that ends the program, by os.Exit or from main; 0 if unknown
  /// Creators of goroutines that may have ended since, as far as seen: child → parent. Completes
  /// Goroutine::created.by and Goroutine::ancestors.
  std::unordered_map<Goid, Goid> parent_of;
  bool has_tests = true;  ///< false: not a test binary; everything is then "unattributed"
};

/// The test of one goroutine. Exactly one of `test` and `why` is not empty. "package init" is a
/// test name here.
struct Owner {
  std::string test;
  std::string why;
  bool operator==(const Owner&) const = default;
};

/// Parallel to Snapshot::goroutines.
using Attribution = std::vector<Owner>;

/// Follows creators upward (Go's record, ancestors, what the runner saw) to the nearest goroutine
/// that is a test's own, or existed before the first test. Where the chain breaks, the owner says
/// at which goroutine and why. Falls back to the creator's function when it is a test function of
/// the program ("TestA" of "app.TestA" or "app.TestA.func1").
Attribution attribute(const model::Snapshot& snapshot, const TestFacts& facts);

/// The test function in a Go name: "TestA" of "app.TestA.func1", "FuzzB" of "app_test.FuzzB"; empty
/// if it is none ("app.Testify").
std::string test_function(std::string_view function);

}  // namespace weir::analysis
