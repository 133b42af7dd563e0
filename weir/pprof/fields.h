#pragma once
// Field numbers of google/pprof proto/profile.proto, for read.cc and write.cc.
#include <cstdint>

namespace weir::pprof::field {

namespace profile {
constexpr std::uint32_t sample_type = 1, sample = 2, mapping = 3, location = 4, function = 5,
                        string = 6, drop_frames = 7, keep_frames = 8, time_nanos = 9,
                        duration_nanos = 10, period_type = 11, period = 12, comment = 13,
                        default_sample_type = 14, doc_url = 15;
}
namespace value_type {
constexpr std::uint32_t type = 1, unit = 2;
}
namespace sample {
constexpr std::uint32_t location_id = 1, value = 2, label = 3;
}
namespace label {
constexpr std::uint32_t key = 1, text = 2, number = 3, unit = 4;
}
namespace mapping {
constexpr std::uint32_t id = 1, start = 2, limit = 3, file_offset = 4, file = 5, build_id = 6,
                        has_functions = 7, has_filenames = 8, has_line_numbers = 9,
                        has_inline_frames = 10;
}
namespace location {
constexpr std::uint32_t id = 1, mapping_id = 2, address = 3, line = 4, is_folded = 5;
}
namespace line {
constexpr std::uint32_t function_id = 1, line = 2, column = 3;
}
namespace function {
constexpr std::uint32_t id = 1, name = 2, system_name = 3, file = 4, start_line = 5;
}

}  // namespace weir::pprof::field
