#include <cstddef>
#include <cstdint>

#include "weir/dump/race_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto race = weir::dump::parse_race_report(text);
  if (race && race->accesses.size() != 2) __builtin_trap();
  return 0;
}
