#pragma once
// The race detector's report → the end of a schedule.
#include <string_view>
#include <vector>

#include "weir/model/schedule.h"

namespace weir::ingest {

/// The accesses of the first report in what a program wrote; empty if there is none that is whole.
std::vector<model::RaceAccess> read_race(std::string_view output);

}  // namespace weir::ingest
