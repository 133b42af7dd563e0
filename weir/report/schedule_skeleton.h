#pragma once
// From a schedule to the beginning of a Go test that forces the same order by itself.
#include <functional>
#include <string>

#include "weir/model/schedule.h"

namespace weir::report {

struct TestSkeleton {
  std::string text;        ///< a Go file of the test's own package; compiles as it is
  std::size_t orders = 0;  ///< pairs of places that it tells to put in order
};

/// For each point at which the schedule leaves Go's own order: a channel, on which the goroutine
/// that stands back waits (not for ever) until the one that goes first is through. Where the calls
/// belong is told in comments: weir does not change the program's sources. `source` as in
/// DiagramOptions.
TestSkeleton render_test_skeleton(
    const model::Schedule& schedule,
    const std::function<std::string(const model::CodePlace&)>& source = {});

}  // namespace weir::report
