// parse_exec_result: any bytes give a value or an error; what it read can be written and read
// again.
#include <cstdint>
#include <string_view>

#include "weir/base/assert.h"
#include "weir/report/exec_result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto result = weir::report::parse_exec_result(text);
  if (!result) {
    WEIR_ASSERT(!result.error().what.empty());
    return 0;
  }
  const std::string again = weir::report::render_exec_result(*result);
  const auto second = weir::report::parse_exec_result(again);
  WEIR_ASSERT(second.has_value());
  WEIR_ASSERT(weir::report::render_exec_result(*second) == again);
  return 0;
}
