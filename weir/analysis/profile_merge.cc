#include "weir/analysis/profile_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "weir/model/units.h"

namespace weir::analysis {

using model::Profile;
using model::ProfileLocation;
using model::ValueType;

namespace {

std::string_view without_plural(std::string_view word) {
  if (word.ends_with('s')) word.remove_suffix(1);
  return word;
}

bool fit(const ValueType& a, const ValueType& b) {
  return without_plural(a.type) == without_plural(b.type) && model::units_convert(a.unit, b.unit);
}

std::string words(const Profile& profile) {
  std::string text;
  for (const ValueType& type : profile.types)
    text += fmt::format("{}{}/{}", text.empty() ? "" : ", ", type.type, type.unit);
  return text.empty() ? "nothing" : text;
}

Error unlike(const Profile& a, const Profile& b) {
  return {ErrorCode::usage,
          fmt::format("the profiles do not fit together: one counts {}, the other {}", words(a),
                      words(b)),
          {},
          0,
          {}};
}

/// Leaves the values of those types, in that order.
void keep_types(Profile& profile, const std::vector<std::string>& names) {
  std::vector<std::size_t> from;
  std::vector<ValueType> types;
  for (const std::string& name : names) {
    const auto at = std::find_if(profile.types.begin(), profile.types.end(),
                                 [&](const ValueType& type) { return type.type == name; });
    from.push_back(static_cast<std::size_t>(at - profile.types.begin()));
    types.push_back(*at);
  }
  if (types == profile.types) return;
  std::vector<std::int64_t> values(from.size());
  for (Sample& sample : profile.samples) {
    for (std::size_t i = 0; i < from.size(); ++i) values[i] = sample.values[from[i]];
    std::copy(values.begin(), values.end(), sample.values);
  }
  profile.types = std::move(types);
}

/// profile.CompatibilizeSampleTypes: only what all of them count.
Result<void> align_types(std::vector<Profile>& profiles) {
  std::vector<std::string> common;
  for (const ValueType& type : profiles[0].types) common.push_back(type.type);
  std::size_t most = 0;
  for (const Profile& profile : profiles) {
    most = std::max(most, profile.types.size());
    std::erase_if(common, [&](const std::string& name) {
      return std::none_of(profile.types.begin(), profile.types.end(),
                          [&](const ValueType& type) { return type.type == name; });
    });
  }
  if (common.empty()) {
    // Words that differ by an "s" only are the same type, if there are as many of them.
    for (const Profile& profile : profiles)
      if (!std::equal(profile.types.begin(), profile.types.end(), profiles[0].types.begin(),
                      profiles[0].types.end(), fit))
        return fail(unlike(profiles[0], profile));
    return {};
  }
  for (Profile& profile : profiles) keep_types(profile, common);
  if (common.size() < most)
    profiles[0].notes.add(Severity::info,
                          fmt::format("{} of {} kinds of values are not in all profiles; left out",
                                      most - common.size(), most));
  return {};
}

/// measurement.ScaleProfiles: the finest unit of each type for all.
Result<void> align_units(std::vector<Profile>& profiles) {
  for (std::size_t i = 0; i < profiles[0].types.size(); ++i) {
    ValueType finest = profiles[0].types[i];
    for (const Profile& profile : profiles) {
      if (!fit(finest, profile.types[i])) return fail(unlike(profiles[0], profile));
      if (model::scale(1, profile.types[i].unit, finest.unit).first < 1) finest = profile.types[i];
    }
    for (Profile& profile : profiles) {
      const double ratio = model::scale(1, profile.types[i].unit, finest.unit).first;
      if (ratio != 1)
        for (Sample& sample : profile.samples)
          sample.values[i] = model::rounded_down(static_cast<double>(sample.values[i]) * ratio);
      profile.types[i] = {profiles[0].types[i].type, finest.unit};
    }
  }
  return {};
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t part) {
  hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

/// The entries of a table by what they hold: open addressing, without a copy of any entry.
class TableIndex {
 public:
  /// The entry with that hash for which `same(entry)` is true, or model::no_index.
  template <class Same>
  std::uint32_t find(std::uint64_t hash, const Same& same) const {
    const auto wanted = static_cast<std::uint32_t>(hash);
    for (std::size_t at = hash;; ++at) {
      const Slot& slot = slots_[at & (slots_.size() - 1)];
      if (slot.entry == model::no_index || (slot.hash == wanted && same(slot.entry)))
        return slot.entry;
    }
  }
  void add(std::uint64_t hash, std::uint32_t entry) {
    if (++used_ * 2 > slots_.size()) grow();
    put({static_cast<std::uint32_t>(hash), entry});
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t entry = model::no_index;
  };
  void put(Slot slot) {
    std::size_t at = slot.hash;
    while (slots_[at & (slots_.size() - 1)].entry != model::no_index) ++at;
    slots_[at & (slots_.size() - 1)] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.entry != model::no_index) put(slot);
  }
  std::vector<Slot> slots_ = std::vector<Slot>(64);
  std::size_t used_ = 0;
};

/// A set of samples by stack and labels.
class SampleIndex {
 public:
  explicit SampleIndex(Samples& samples) : samples_(samples) {
    std::size_t slots = 16;
    while (slots < samples.size() + samples.size() / 4) slots *= 2;
    slots_.resize(slots, empty);
  }
  /// Adds a sample to its equal, or else remembers it. True if it is new.
  bool add(std::uint32_t index, std::size_t value_count) {
    const Sample& sample = samples_[index];
    for (std::size_t at = hash_of(sample);; ++at) {
      std::uint32_t& slot = slots_[at & (slots_.size() - 1)];
      if (slot == empty) {
        slot = index;
        return true;
      }
      Sample& known = samples_[slot];
      if (known.labels != sample.labels || known.depth != sample.depth ||
          !std::equal(known.stack, known.stack + known.depth, sample.stack))
        continue;
      for (std::size_t i = 0; i < value_count; ++i)
        known.values[i] = model::wrapping_add(known.values[i], sample.values[i]);
      return false;
    }
  }

 private:
  static constexpr std::uint32_t empty = model::no_index;
  static std::size_t hash_of(const Sample& sample) {
    std::uint64_t hash = mix(sample.depth, sample.labels);
    std::uint32_t i = 0;
    for (; i + 2 <= sample.depth; i += 2)
      hash = mix(hash, (std::uint64_t{sample.stack[i]} << 32) | sample.stack[i + 1]);
    if (i < sample.depth) hash = mix(hash, sample.stack[i]);
    return hash ^ (hash >> 32);
  }
  Samples& samples_;
  std::vector<std::uint32_t> slots_;
};

/// Adds the contents of other profiles to one, whose tables it extends.
class Merger {
 public:
  explicit Merger(Profile& into) : into_(into) {
    for (StringId id = 0; id < into_.strings.size(); ++id) intern(into_.text(id), id);
    for (std::uint32_t i = 0; i < into_.mappings.size(); ++i)
      mappings_.try_emplace(key_of(into_.mappings[i]), i);
    for (std::uint32_t i = 0; i < into_.functions.size(); ++i) intern(into_.functions[i], i);
    for (std::uint32_t i = 0; i < into_.locations.size(); ++i) intern(into_.locations[i], i);
    for (std::uint32_t set = 0; set < into_.label_sets(); ++set)
      label_sets_.try_emplace(key_of(into_.labels_of(set)), set);
  }

  void add(Profile from) {
    const auto mappings = add_mappings(from);
    const auto functions = add_functions(from);
    const auto locations = add_locations(from, mappings, functions);
    const auto sets = add_label_sets(from);
    Samples samples = std::move(from.samples);
    from = {};  // the tables are not needed any more
    for (Sample& sample : samples) {
      for (std::uint32_t& location : sample.locations()) location = locations[location];
      sample.labels = sets[sample.labels];
    }
    into_.samples.absorb(std::move(samples));
  }

 private:
  using MappingKey = std::tuple<std::uint64_t, std::uint64_t, std::string>;
  using LabelKey = std::vector<std::tuple<StringId, StringId, std::int64_t, StringId>>;

  StringId map_string(const Profile& from, StringId id) {
    if (id == 0) return 0;
    const auto next = static_cast<StringId>(into_.strings.size());
    const StringId known = intern(from.text(id), next);
    if (known == next) into_.strings.add(from.text(id));
    return known;
  }
  // Each gives the entry that is the same, or notes that this one will be `next`.
  std::uint32_t intern(std::string_view text, std::uint32_t next) {
    const std::uint64_t hash = std::hash<std::string_view>()(text);
    return known_or_added(strings_, hash, next,
                          [&](std::uint32_t known) { return into_.text(known) == text; });
  }
  std::uint32_t intern(const model::ProfileFunction& function, std::uint32_t next) {
    std::uint64_t hash = mix(function.name, function.file);
    hash = mix(hash, function.system_name ^ static_cast<std::uint64_t>(function.start_line) << 32);
    return known_or_added(functions_, hash, next, [&](std::uint32_t known) {
      const model::ProfileFunction& other = into_.functions[known];
      return other.name == function.name && other.system_name == function.system_name &&
             other.file == function.file && other.start_line == function.start_line;
    });
  }
  std::uint32_t intern(const ProfileLocation& location, std::uint32_t next) {
    const auto lines = into_.lines_of(location);
    std::uint64_t hash = mix(location.address, location.mapping);
    for (const model::ProfileLine& line : lines)
      hash = mix(hash, line.function ^ static_cast<std::uint64_t>(line.line) << 32);
    return known_or_added(locations_, hash, next, [&](std::uint32_t known) {
      const ProfileLocation& other = into_.locations[known];
      const auto others = into_.lines_of(other);
      return other.address == location.address && other.mapping == location.mapping &&
             other.folded == location.folded &&
             std::equal(lines.begin(), lines.end(), others.begin(), others.end(),
                        [](const model::ProfileLine& x, const model::ProfileLine& y) {
                          return x.function == y.function && x.line == y.line &&
                                 x.column == y.column;
                        });
    });
  }
  template <class Same>
  static std::uint32_t known_or_added(TableIndex& index, std::uint64_t hash, std::uint32_t next,
                                      const Same& same) {
    const std::uint32_t known = index.find(hash, same);
    if (known != model::no_index) return known;
    index.add(hash, next);
    return next;
  }
  static MappingKey key_of(const model::ProfileMapping& mapping) {
    const std::uint64_t size = (mapping.limit - mapping.start + 0xfff) & ~std::uint64_t{0xfff};
    return {size, mapping.file_offset, mapping.build_id.empty() ? mapping.file : mapping.build_id};
  }
  static LabelKey key_of(std::span<const model::ProfileLabel> labels) {
    LabelKey key;
    for (const model::ProfileLabel& label : labels)
      key.emplace_back(label.key, label.text, label.number, label.unit);
    std::sort(key.begin(), key.end());
    return key;
  }

  std::vector<std::uint32_t> add_mappings(const Profile& from) {
    std::vector<std::uint32_t> indices;
    for (const model::ProfileMapping& mapping : from.mappings) {
      const auto next = static_cast<std::uint32_t>(into_.mappings.size());
      const auto [at, added] = mappings_.try_emplace(key_of(mapping), next);
      if (added) into_.mappings.push_back(mapping);
      indices.push_back(at->second);
    }
    return indices;
  }
  std::vector<std::uint32_t> add_functions(const Profile& from) {
    std::vector<std::uint32_t> indices;
    for (model::ProfileFunction function : from.functions) {
      for (StringId* id : {&function.name, &function.system_name, &function.file})
        *id = map_string(from, *id);
      const auto next = static_cast<std::uint32_t>(into_.functions.size());
      const std::uint32_t known = intern(function, next);
      if (known == next) into_.functions.push_back(function);
      indices.push_back(known);
    }
    return indices;
  }
  std::vector<std::uint32_t> add_locations(const Profile& from,
                                           const std::vector<std::uint32_t>& mappings,
                                           const std::vector<std::uint32_t>& functions) {
    std::vector<std::uint32_t> indices;
    for (ProfileLocation location : from.locations) {
      if (location.mapping != model::no_index) {
        // The same binary may be mapped elsewhere.
        const std::uint64_t start = from.mappings[location.mapping].start;
        location.mapping = mappings[location.mapping];
        location.address += into_.mappings[location.mapping].start - start;
      }
      const auto first = static_cast<std::uint32_t>(into_.lines.size());
      for (model::ProfileLine line : from.lines_of(location)) {
        if (line.function != model::no_index) line.function = functions[line.function];
        into_.lines.push_back(line);
      }
      location.first_line = first;
      const auto next = static_cast<std::uint32_t>(into_.locations.size());
      const std::uint32_t known = intern(location, next);
      if (known == next) {
        into_.locations.push_back(location);
      } else {
        into_.lines.resize(first);
      }
      indices.push_back(known);
    }
    return indices;
  }
  std::vector<std::uint32_t> add_label_sets(const Profile& from) {
    std::vector<std::uint32_t> indices;
    std::vector<model::ProfileLabel> labels;
    for (std::uint32_t set = 0; set < from.label_sets(); ++set) {
      labels.clear();
      for (model::ProfileLabel label : from.labels_of(set)) {
        for (StringId* id : {&label.key, &label.text, &label.unit}) *id = map_string(from, *id);
        labels.push_back(label);
      }
      const auto next = static_cast<std::uint32_t>(into_.label_sets());
      const auto [at, added] = label_sets_.try_emplace(key_of(labels), next);
      if (added) {
        into_.labels.insert(into_.labels.end(), labels.begin(), labels.end());
        into_.label_ends.push_back(into_.labels.size());
      }
      indices.push_back(at->second);
    }
    return indices;
  }

  Profile& into_;
  TableIndex strings_, functions_, locations_;
  std::map<MappingKey, std::uint32_t> mappings_;
  std::map<LabelKey, std::uint32_t> label_sets_;
};

void merge_header(Profile& into, const Profile& from) {
  if (into.time_nanos == 0 || from.time_nanos < into.time_nanos) into.time_nanos = from.time_nanos;
  into.duration_nanos = model::wrapping_add(into.duration_nanos, from.duration_nanos);
  into.period = std::max(into.period, from.period);
  for (const std::string& comment : from.comments)
    if (std::find(into.comments.begin(), into.comments.end(), comment) == into.comments.end())
      into.comments.push_back(comment);
  if (into.default_type.empty()) into.default_type = from.default_type;
  if (into.doc_url.empty()) into.doc_url = from.doc_url;
  into.notes.merge(from.notes);
}

void join_equal_samples(Profile& profile) {
  SampleIndex index(profile.samples);
  std::vector<bool> twice(profile.samples.size());
  for (std::uint32_t i = 0; i < profile.samples.size(); ++i)
    twice[i] = !index.add(i, profile.types.size());
  std::size_t at = 0;
  profile.samples.keep_if([&](const Sample& sample) {
    if (twice[at++]) return false;
    const auto values = profile.values_of(sample);
    return std::any_of(values.begin(), values.end(), [](std::int64_t v) { return v != 0; });
  });
}

std::vector<double> sums_of(const Profile& profile) {
  std::vector<std::int64_t> sums(profile.types.size());
  for (const Sample& sample : profile.samples)
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = model::wrapping_add(sums[i], sample.values[i]);
  return {sums.begin(), sums.end()};
}

/// Profile.Normalize.
void normalize(Profile& profile, const Profile& base) {
  const std::vector<double> own = sums_of(profile), wanted = sums_of(base);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < own.size(); ++i)
    ratios.push_back(own[i] == 0 ? 0 : wanted[i] / own[i]);
  profile.samples.keep_if([&](Sample& sample) {
    bool any = false;
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      if (ratios[i] != 1)
        sample.values[i] =
            model::rounded_down(std::round(static_cast<double>(sample.values[i]) * ratios[i]));
      any = any || sample.values[i] != 0;
    }
    return any;
  });
}

/// Gives every sample the base's label, instead of another of that key.
void mark_as_base(Profile& profile) {
  const StringId key = profile.strings.add(base_label), yes = profile.strings.add("true");
  std::vector<model::ProfileLabel> labels;
  std::vector<std::size_t> ends{0};
  for (std::uint32_t set = 0; set < profile.label_sets(); ++set) {
    for (const model::ProfileLabel& label : profile.labels_of(set))
      if (profile.text(label.key) != base_label) labels.push_back(label);
    labels.push_back({key, yes, 0, 0});
    ends.push_back(labels.size());
  }
  profile.labels = std::move(labels);
  profile.label_ends = std::move(ends);
  for (Sample& sample : profile.samples) ++sample.labels;  // set 0 stays the empty one
}

}  // namespace

Result<Profile> merge(std::vector<Profile> profiles) {
  if (profiles.size() == 1) return std::move(profiles[0]);
  WEIR_TRY_VOID(align_types(profiles));
  WEIR_TRY_VOID(align_units(profiles));
  Profile into = std::move(profiles[0]);
  {
    Merger merger(into);
    for (std::size_t i = 1; i < profiles.size(); ++i) {
      merge_header(into, profiles[i]);
      merger.add(std::move(profiles[i]));
    }
  }
  join_equal_samples(into);
  return into;
}

Result<Profile> subtract(Profile profile, Profile base, BaseOptions options) {
  if (options.diff) mark_as_base(base);
  if (options.normalize) {
    if (profile.types != base.types) return fail(unlike(profile, base));
    normalize(profile, base);
  }
  for (Sample& sample : base.samples)
    for (std::size_t i = 0; i < base.types.size(); ++i)
      sample.values[i] = model::wrapping_add(
          0, static_cast<std::int64_t>(0u - static_cast<std::uint64_t>(sample.values[i])));
  std::vector<Profile> both;
  both.push_back(std::move(profile));
  both.push_back(std::move(base));
  return merge(std::move(both));
}

}  // namespace weir::analysis
