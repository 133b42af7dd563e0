// parse_baseline: any bytes give a value or an error; writing is stable.
#include <cstdint>
#include <string_view>

#include "weir/base/assert.h"
#include "weir/report/baseline.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto result = weir::report::parse_baseline(text, "b");
  if (!result) {
    WEIR_ASSERT(!result.error().what.empty());
    return 0;
  }
  const std::string again = weir::report::render_baseline(*result);
  const auto second = weir::report::parse_baseline(again, "b");
  WEIR_ASSERT(second.has_value());
  WEIR_ASSERT(weir::report::render_baseline(*second) == again);
  return 0;
}
