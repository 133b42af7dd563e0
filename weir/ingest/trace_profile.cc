#include "weir/ingest/trace_profile.h"

#include <array>

#include "weir/pprof/builder.h"
#include "weir/pprof/write.h"

namespace weir::ingest {

std::string render_trace_profile(const model::TraceNames& names,
                                 std::span<const model::TraceStackTotal> totals) {
  constexpr std::array<pprof::ValueName, 2> types{
      {{"contentions", "count"}, {"delay", "nanoseconds"}}};
  pprof::Builder builder(types);
  builder.profile().period_type = {builder.intern("trace"), builder.intern("count")};
  builder.profile().period = 1;
  std::vector<std::uint32_t> locations;
  for (const model::TraceStackTotal& total : totals) {
    locations.clear();
    for (const std::uint32_t id : names.stack(total.stack)) {
      const auto function = builder.intern(names.function(id));
      const pprof::Line line{
          .function = builder.intern_function({.name = function,
                                               .system_name = function,
                                               .file = builder.intern(names.file(id)),
                                               .start_line = 0}),
          .line = names.frames[id].line,
          .column = 0};
      locations.push_back(
          builder.intern_location(names.frames[id].pc, pprof::none, std::span(&line, 1)));
    }
    const std::array<std::int64_t, 2> values{static_cast<std::int64_t>(total.count),
                                             static_cast<std::int64_t>(total.nanos)};
    builder.add_sample({locations, values, {}});
  }
  return pprof::render_profile(builder.finish());
}

}  // namespace weir::ingest
