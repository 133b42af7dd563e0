#include "weir/ingest/race_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "weir/dump/race_report.h"

namespace weir::ingest {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::vector<model::CodePlace> places_of(const std::vector<dump::Frame>& frames) {
  std::vector<model::CodePlace> places;
  for (const dump::Frame& frame : frames)
    places.push_back({std::string(frame.function), std::string(frame.file), frame.line});
  return places;
}

}  // namespace

std::vector<model::RaceAccess> read_race(std::string_view output) {
  std::vector<model::RaceAccess> accesses;
  const auto report = dump::parse_race_report(output);
  if (!report) return accesses;
  for (const dump::RaceAccess& one : report->accesses)
    accesses.push_back({lower(one.what),
                        one.thread ? fmt::format("goroutine {}", *one.thread) : "main goroutine",
                        places_of(one.frames), places_of(one.created)});
  return accesses;
}

}  // namespace weir::ingest
