#include "weir/ingest/profile.h"

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "weir/pprof/builder.h"

namespace weir::ingest {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using LocationIds = std::vector<std::uint32_t>;

class ProfileMaker {
 public:
  explicit ProfileMaker(const model::Snapshot& snapshot)
      : builder_(std::array{pprof::ValueName{"goroutine", "count"}}) {
    pprof::Mapping mapping;
    mapping.file = builder_.intern(snapshot.source.executable);
    mapping.build_id = builder_.intern(snapshot.source.build_id);
    mapping.has_functions = mapping.has_filenames = true;
    mapping.has_line_numbers = mapping.has_inline_frames = true;
    mapping_ = builder_.add_mapping(mapping);
    pprof::Profile& profile = builder_.profile();
    profile.period_type = {builder_.intern("goroutine"), builder_.intern("count")};
    profile.period = 1;
    if (snapshot.source.taken_at) profile.time_nanos = snapshot.source.taken_at->value;
  }

  void count(const model::Goroutine& goroutine) {
    ++counts_[{locations_of(*goroutine.stack), goroutine.labels}];
  }

  pprof::Profile finish() {
    for (const auto& [sample, number] : counts_) {
      std::vector<pprof::Label> labels;
      for (const auto& [key, text] : sample.second)
        labels.push_back({builder_.intern(key), builder_.intern(text), 0, 0});
      const std::array values{number};
      builder_.add_sample({sample.first, values, labels});
    }
    return builder_.finish();
  }

 private:
  /// Frames that are inlined belong to the location of the first one behind them that is not.
  LocationIds locations_of(const model::Stack& stack) {
    LocationIds ids;
    std::vector<pprof::Line> lines;
    bool innermost = true;
    for (const model::Frame& frame : stack) {
      if (!frame.wrapper && frame.function != "runtime.goexit") lines.push_back(line_of(frame));
      if (frame.inlined) continue;
      const std::uint64_t back = innermost || frame.pc.value == 0 ? 0 : 1;
      if (!lines.empty())
        ids.push_back(builder_.intern_location(frame.pc.value - back, mapping_, lines));
      lines.clear();
      innermost = false;
    }
    return ids;
  }

  pprof::Line line_of(const model::Frame& frame) {
    pprof::Function function;
    function.name = builder_.intern(frame.function);
    function.system_name = function.name;
    function.file = builder_.intern(frame.file);
    return {builder_.intern_function(function), frame.line, 0};
  }

  pprof::Builder builder_;
  std::uint32_t mapping_ = pprof::none;
  std::map<std::pair<LocationIds, Labels>, std::int64_t> counts_;
};

}  // namespace

pprof::Profile goroutine_profile(const model::Snapshot& snapshot) {
  ProfileMaker maker(snapshot);
  for (const model::Goroutine& goroutine : snapshot.goroutines)
    if (!goroutine.system) maker.count(goroutine);
  return maker.finish();
}

}  // namespace weir::ingest
