#pragma once
// Whether what a profile shows is within limits; and what its labels divide it into.
#include <string>

#include "weir/base/error.h"
#include "weir/model/profile.h"
#include "weir/model/profile_health.h"

namespace weir::analysis {

/// A profile that counts goroutines, "goroutine" or "goroutineleak".
bool counts_goroutines(const model::Profile& profile);

/// What the goroutines of a sample do, from the functions on top of its stack: "chan receive",
/// "select", "sync.Mutex.Lock", "IO wait" …; "not parked" if the stack does not end in the
/// scheduler. A stack without the runtime's frames (debug=1) says "unknown".
std::string goroutine_state(const model::Profile& profile, const Sample& sample);

/// The Go test ("TestPut", of a subtest the one around it) on whose own goroutine the sample is:
/// the function that testing.tRunner calls (testing/testing.go, go1.19–1.27). Empty for all others,
/// also for goroutines that a test started.
std::string test_of(const model::Profile& profile, const Sample& sample);

/// Labels the samples of tests' own goroutines with test=NAME, and says how many it labelled.
std::size_t label_tests(model::Profile& profile);

/// Judges a goroutine, block or mutex profile. A mutex profile is told from a block profile by the
/// functions on top: those that unlock. Waits of the runtime and of package testing for
/// themselves are left out and counted in a note. Errors: unsupported for other profiles.
Result<model::HealthReport> judge_health(const model::Profile& profile,
                                         const model::HealthLimits& limits);

/// The profile by values of a label. Numbers count as text.
model::ClusterReport cluster(const model::Profile& profile, model::ValueChoice choice,
                             const std::string& label);

}  // namespace weir::analysis
