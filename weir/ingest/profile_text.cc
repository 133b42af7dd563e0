#include "weir/ingest/profile_text.h"

#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

#include "weir/dump/count_text.h"
#include "weir/dump/value_text.h"

namespace weir::ingest {
namespace {

using dump::CountFrame;
using model::Profile;

/// Fills a profile's tables.
class Tables {
 public:
  explicit Tables(Profile& profile) : profile_(profile) {}

  StringId text(std::string_view text) {
    if (text.empty()) return 0;
    const auto [at, added] = strings_.try_emplace(std::string(text), 0);
    if (added) at->second = profile_.strings.add(text);
    return at->second;
  }
  /// Frames where the text has them, else the call's addresses.
  void add(const std::vector<CountFrame>& frames, const std::vector<Address>& pcs,
           std::span<const std::int64_t> values, std::uint32_t labels) {
    stack_.clear();
    for (std::size_t i = 0; i < frames.size();) {
      // Inlined calls have the pc of the function that they are in.
      std::size_t end = i + 1;
      while (end < frames.size() && frames[end].pc == frames[i].pc) ++end;
      stack_.push_back(location(frames[i].pc.value, std::span(frames).subspan(i, end - i)));
      i = end;
    }
    if (frames.empty())
      for (const Address pc : pcs) stack_.push_back(location(pc.value - 1, {}));
    profile_.samples.add(stack_, values, labels);
  }
  std::uint32_t label_set(std::vector<model::ProfileLabel> labels) {
    if (labels.empty()) return 0;
    profile_.labels.insert(profile_.labels.end(), labels.begin(), labels.end());
    profile_.label_ends.push_back(profile_.labels.size());
    return static_cast<std::uint32_t>(profile_.label_sets() - 1);
  }

 private:
  std::uint32_t location(std::uint64_t pc, std::span<const CountFrame> frames) {
    const auto next = static_cast<std::uint32_t>(profile_.locations.size());
    const auto [at, added] = locations_.try_emplace(pc, next);
    if (!added) return at->second;
    model::ProfileLocation place;
    place.address = pc;
    place.first_line = static_cast<std::uint32_t>(profile_.lines.size());
    for (const CountFrame& frame : frames)
      profile_.lines.push_back({function(frame), frame.line, 0});
    place.line_count = static_cast<std::uint32_t>(profile_.lines.size()) - place.first_line;
    profile_.locations.push_back(place);
    return next;
  }
  std::uint32_t function(const CountFrame& frame) {
    if (frame.function.empty()) return model::no_index;
    const StringId name = text(frame.function), file = text(frame.file);
    const auto next = static_cast<std::uint32_t>(profile_.functions.size());
    const auto [at, added] = functions_.try_emplace((std::uint64_t{name} << 32) | file, next);
    if (added) profile_.functions.push_back({name, name, file, 0});
    return at->second;
  }

  Profile& profile_;
  std::unordered_map<std::string, StringId> strings_;
  std::unordered_map<std::uint64_t, std::uint32_t> functions_, locations_;
  std::vector<std::uint32_t> stack_;
};

void note_missing_frames(Profile& profile) {
  profile.notes.add(Severity::info,
                    "a profile as text has no frames of the runtime on top of its stacks", {},
                    "without debug=1 it has");
}

Result<Profile> count_profile(std::string_view text) {
  Profile profile;
  Tables tables(profile);
  WEIR_TRY(const auto summary, dump::parse_counts(text, [&](const dump::CountRecord& record) {
             std::vector<model::ProfileLabel> labels;
             for (const auto& [key, value] : record.labels)
               labels.push_back({tables.text(key), tables.text(value), 0, 0});
             const std::int64_t count = static_cast<std::int64_t>(record.count);
             tables.add(record.frames, record.pcs, {&count, 1}, tables.label_set(labels));
           }));
  profile.types = {{summary.name, "count"}};
  profile.period_type = profile.types[0];
  profile.period = 1;
  profile.notes.merge(summary.notes);
  return profile;
}

/// What a sample stands for: runtime/pprof.scaleHeapSample.
void scale_heap(std::int64_t& objects, std::int64_t& bytes, std::int64_t rate) {
  if (objects == 0 || bytes == 0) {
    objects = bytes = 0;
    return;
  }
  if (rate <= 1) return;
  const double mean = static_cast<double>(bytes) / static_cast<double>(objects);
  const double scale = 1 / (1 - std::exp(-mean / static_cast<double>(rate)));
  objects = model::rounded_down(static_cast<double>(objects) * scale);
  bytes = model::rounded_down(static_cast<double>(bytes) * scale);
}

Result<Profile> value_profile(std::string_view text) {
  Profile profile;
  Tables tables(profile);
  const StringId bytes_word = tables.text("bytes");
  WEIR_TRY(const auto title, dump::parse_values(text, [&](const dump::ValueRecord& record) {
             tables.add(record.frames, record.pcs, record.values, 0);
           }));
  profile.types = title.is_heap ? std::vector<model::ValueType>{{"alloc_objects", "count"},
                                                                {"alloc_space", "bytes"},
                                                                {"inuse_objects", "count"},
                                                                {"inuse_space", "bytes"}}
                                : std::vector<model::ValueType>{{"contentions", "count"},
                                                                {"delay", "nanoseconds"}};
  for (Sample& sample : profile.samples) {
    std::int64_t* const values = sample.values;
    if (title.is_heap) {
      std::swap(values[0], values[2]);
      std::swap(values[1], values[3]);
      const std::int64_t count = values[0] != 0 ? values[0] : values[2];
      const std::int64_t size = values[0] != 0 ? values[1] : values[3];
      if (count > 0) sample.labels = tables.label_set({{bytes_word, 0, size / count, bytes_word}});
      scale_heap(values[0], values[1], title.rate);
      scale_heap(values[2], values[3], title.rate);
    } else {
      const double to_nanos =
          title.cycles_per_second > 0 ? 1e9 / static_cast<double>(title.cycles_per_second) : 1;
      const double period = static_cast<double>(title.period);
      const std::int64_t cycles = values[0];
      values[0] = model::rounded_down(static_cast<double>(values[1]) * period);
      values[1] = model::rounded_down(static_cast<double>(cycles) * period * to_nanos);
    }
  }
  profile.period_type = title.is_heap ? model::ValueType{"space", "bytes"} : profile.types[0];
  profile.period = title.is_heap ? title.rate : title.period;
  if (title.is_heap) profile.default_type = "inuse_space";
  return profile;
}

}  // namespace

bool looks_like_profile_text(std::string_view head) {
  return dump::looks_like_values(head) || head.starts_with("goroutine profile: ") ||
         head.starts_with("goroutineleak profile: ") || head.starts_with("threadcreate profile: ");
}

Result<Profile> profile_of_text(std::string_view text) {
  auto profile = dump::looks_like_values(text) ? value_profile(text) : count_profile(text);
  if (profile) note_missing_frames(*profile);
  return profile;
}

}  // namespace weir::ingest
