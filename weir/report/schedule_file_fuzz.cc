// parse_schedule_file: any bytes give a value or an error; what it read can be written and read
// again.
#include <cstdint>
#include <string_view>

#include "weir/base/assert.h"
#include "weir/report/schedule_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto schedule = weir::report::parse_schedule_file(text);
  if (!schedule) {
    WEIR_ASSERT(!schedule.error().what.empty());
    return 0;
  }
  const std::string again = weir::report::render_schedule_file(*schedule);
  const auto second = weir::report::parse_schedule_file(again);
  WEIR_ASSERT(second.has_value());
  WEIR_ASSERT(weir::report::render_schedule_file(*second) == again);
  return 0;
}
