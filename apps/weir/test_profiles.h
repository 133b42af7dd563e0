#pragma once
// `-profile`: profiles that a Go test binary writes of itself, where they are kept, and the verdict
// on them.
#include <string>
#include <vector>

#include "apps/weir/exec_session.h"
#include "apps/weir/temporary_folder.h"
#include "weir/base/error.h"
#include "weir/model/gate.h"

namespace weir::app {

/// "block,mutex" as words. Errors: usage, for what is none of block, mutex, goroutine, cpu, heap.
Result<std::vector<std::string>> parse_profile_kinds(const std::string& words);

/// Errors: usage, when go test's own flags ask for one of those profiles too.
Result<void> check_profiles(const std::vector<std::string>& kinds,
                            const std::vector<std::string>& go_flags);

/// The profiles of one test binary, from its start to its end.
class TestProfiles {
 public:
  /// Makes `folder` if need be. Errors: io; usage if `argv` is no run of a test binary.
  static Result<TestProfiles> prepare(const std::vector<std::string>& argv,
                                      std::vector<std::string> kinds, const std::string& folder);
  /// `argv` with the flags by which package testing writes profiles (testing/testing.go,
  /// go1.19–1.27). The rates are Go's defaults: every event of block and mutex.
  std::vector<std::string> command(const std::vector<std::string>& argv) const;
  /// Keeps what the binary wrote in a folder named after its package, with the tests' names as
  /// labels, and names it in `gated.result`; the goroutine profile is weir's last look at the
  /// goroutines. What is not there becomes a note. Errors: io.
  Result<void> take(Gated& gated) const;

 private:
  Result<void> take_one(const std::string& kind, const std::string& to, Gated& gated) const;

  std::vector<std::string> kinds_;
  std::string folder_;   ///< of all packages
  std::string written_;  ///< where the binary writes to
};

/// The verdict on each block, mutex and goroutine profile of the programs, by the limits of
/// .weir.yaml. Errors: io, usage, and those of the reader.
Result<std::vector<model::HealthReport>> judge_profiles(
    const std::vector<model::ExecResult>& programs);

}  // namespace weir::app
