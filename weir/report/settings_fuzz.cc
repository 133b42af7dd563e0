// parse_settings and parse_duration: any bytes give a value or an error with words.
#include <cstdint>
#include <string_view>

#include "weir/base/assert.h"
#include "weir/report/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = weir::report::parse_settings(text, ".weir.yaml");
  WEIR_ASSERT(settings || !settings.error().what.empty());
  const auto duration = weir::report::parse_duration(text.substr(0, 64));
  WEIR_ASSERT(!duration || duration->value >= 0);
  return 0;
}
