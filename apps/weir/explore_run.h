#pragma once
// Exploring the tests of packages, one after the other: shared by `weir explore` and `weir test`.
#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "apps/weir/test_binaries.h"
#include "weir/model/explore.h"
#include "weir/sched/search.h"

namespace weir::app {

struct ExploreRequest {
  ExploreRequest() { search.jobs = std::max(1U, std::thread::hardware_concurrency()); }
  sched::SearchOptions search;
  std::string run = ".";  ///< tests whose name matches …
  std::string skip;       ///< … this and not that; empty: none is left out
  BuildRequest build;
  std::string folder = ".";  ///< for schedule files; made when there is one to write
};

/// Explores the tests of what `words` name (as in find_test_targets), writes a schedule file for
/// each finding, and hands each result on as it comes. Ctrl-C ends it early. Errors: those of
/// building; what keeps a test from being started or controlled at all.
Result<void> explore_targets(const ExploreRequest& request, const std::vector<std::string>& words,
                             const std::function<void(const model::Exploration&)>& on_result);

/// Ctrl-C came while something was explored.
bool was_interrupted();

}  // namespace weir::app
