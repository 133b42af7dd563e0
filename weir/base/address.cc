#include "weir/base/address.h"

#include <fmt/format.h>

namespace weir {

std::string to_hex(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

std::string to_text(Nanos duration) {
  const double ns = static_cast<double>(duration.value);
  if (ns < 0) return "-" + to_text(Nanos{-duration.value});
  if (ns < 1e3) return fmt::format("{} ns", duration.value);
  if (ns < 1e6) return fmt::format("{:.3g} µs", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.3g} ms", ns / 1e6);
  if (ns < 100e9) return fmt::format("{:.3g} s", ns / 1e9);
  const std::int64_t seconds = duration.value / 1'000'000'000;
  if (seconds < 3600) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{}m", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace weir
