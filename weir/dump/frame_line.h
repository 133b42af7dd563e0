#pragma once
// The commented frames below each record of a profile's text.
#include <optional>
#include <string_view>

#include "weir/dump/count_text.h"

namespace weir::dump {

/// A stack deeper than this is cut (runtime: 128, or GODEBUG=profstackdepth).
constexpr std::size_t max_profile_depth = 4096;

/// "#\t0x43ab12\tmain.f+0x1d\t\t/a.go:7"; the tabs before the file line up columns. Nothing if the
/// line is something else.
std::optional<CountFrame> parse_frame_line(std::string_view line);

}  // namespace weir::dump
