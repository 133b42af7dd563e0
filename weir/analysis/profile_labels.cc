// Labels of a profile: tests on them, and their values as frames.
#include <fmt/format.h>

#include <charconv>
#include <map>
#include <vector>

#include "weir/analysis/profile_filter.h"
#include "weir/model/units.h"

namespace weir::analysis {

using model::Profile;
using model::ProfileLabel;

namespace {

using Labels = std::span<const ProfileLabel>;

/// "512kb": a number and its unit.
struct Amount {
  std::int64_t number = 0;
  std::string unit;
  std::size_t size = 0;  ///< letters of text
};

std::optional<Amount> amount_at(std::string_view text) {
  Amount amount;
  std::size_t at = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  const std::size_t first = at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  if (at == first) return std::nullopt;
  const char* const begin = text.data() + (text[0] == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + at, amount.number);
  if (error != std::errc{} || end != text.data() + at) return std::nullopt;
  const std::size_t unit = at;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  while (at < text.size() && is_letter(text[at])) ++at;
  amount.unit = text.substr(unit, at - unit);
  amount.size = at;
  return amount;
}

/// A range of numbers in one unit, either end open.
struct Range {
  std::string unit;
  std::optional<double> least, most;

  bool has(std::int64_t value, std::string_view of) const {
    const auto [scaled, name] = model::scale(value, of, unit);
    return name == unit && (!least || scaled >= *least) && (!most || scaled <= *most);
  }
};

/// parseTagFilterRange; nothing if the text is no range but a pattern.
std::optional<Range> parse_range(std::string_view text) {
  const bool open_below = text.starts_with(':');
  const auto first = amount_at(open_below ? text.substr(1) : text);
  if (!first) return std::nullopt;
  const auto [low, unit] = model::scale(first->number, first->unit, first->unit);
  const std::string_view rest = text.substr(first->size + (open_below ? 1 : 0));
  if (open_below) return rest.empty() ? std::optional(Range{unit, {}, low}) : std::nullopt;
  if (rest.empty()) return Range{unit, low, low};
  if (!rest.starts_with(':')) return std::nullopt;
  if (rest.size() == 1) return Range{unit, low, {}};
  const auto second = amount_at(rest.substr(1));
  if (!second || second->size + 1 != rest.size()) return std::nullopt;
  const auto [high, other] = model::scale(second->number, second->unit, unit);
  if (other != unit) return std::nullopt;
  return Range{unit, low, high};
}

LabelTest range_test(std::string key, Range range, LabelUnits units) {
  return [key = std::move(key), range = std::move(range), units = std::move(units)](
             const Profile& profile, Labels labels) {
    for (const ProfileLabel& label : labels) {
      const std::string_view name = profile.text(label.key);
      if (label.text != 0 || (!key.empty() && name != key)) continue;
      const auto unit = units.find(name);
      if (range.has(label.number, unit == units.end() ? "" : unit->second)) return true;
    }
    return false;
  };
}

bool any_matches(const Profile& profile, Labels labels, const Pattern& pattern,
                 std::string_view key) {
  for (const ProfileLabel& label : labels) {
    if (label.text == 0) continue;
    const std::string_view name = profile.text(label.key);
    if (!key.empty() && name != key) continue;
    const std::string value(profile.text(label.text));
    if (pattern.matches(key.empty() ? fmt::format("{}:{}", name, value) : value)) return true;
  }
  return false;
}

std::string value_of(const Profile& profile, Labels labels, const std::string& key,
                     const std::string& unit) {
  std::string joined;
  const auto add = [&joined](std::string_view value) {
    if (!joined.empty()) joined += ',';
    joined += value;
  };
  for (const ProfileLabel& label : labels)
    if (label.text != 0 && profile.text(label.key) == key) add(profile.text(label.text));
  for (const ProfileLabel& label : labels)
    if (label.text == 0 && profile.text(label.key) == key)
      add(label.unit == 0 ? model::scaled_label(label.number, "", "")
                          : model::scaled_label(label.number, profile.text(label.unit), unit));
  return joined;
}

/// Locations that stand for values of labels.
class LabelFrames {
 public:
  LabelFrames(Profile& profile, std::string unit) : profile_(profile), unit_(std::move(unit)) {}

  /// The first key is nearest to the root.
  std::vector<std::uint32_t> of(std::uint32_t set, const std::vector<std::string>& keys) {
    std::vector<std::uint32_t> frames;
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
      const std::string value = value_of(profile_, profile_.labels_of(set), *key, unit_);
      found_ = found_ || !value.empty();
      frames.push_back(location_of(*key, value));
    }
    return frames;
  }
  bool found() const { return found_; }

 private:
  std::uint32_t location_of(const std::string& key, const std::string& value) {
    const auto next = static_cast<std::uint32_t>(profile_.locations.size());
    const auto [at, added] = known_.try_emplace({key, value}, next);
    if (!added) return at->second;
    model::ProfileFunction function;
    function.name = value.empty() ? 0 : profile_.strings.add(value);
    function.file = profile_.strings.add(key);
    profile_.functions.push_back(function);
    model::ProfileLine line;
    line.function = static_cast<std::uint32_t>(profile_.functions.size() - 1);
    model::ProfileLocation location;
    location.first_line = static_cast<std::uint32_t>(profile_.lines.size());
    location.line_count = 1;
    profile_.lines.push_back(line);
    profile_.locations.push_back(location);
    return next;
  }

  Profile& profile_;
  std::string unit_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> known_;
  bool found_ = false;
};

}  // namespace

Result<LabelTest> compile_label_test(const std::string& expression, const LabelUnits& units) {
  std::string key, value = expression;
  if (const auto equals = expression.find('='); equals != std::string::npos) {
    key = expression.substr(0, equals);
    value = expression.substr(equals + 1);
  }
  if (auto range = parse_range(value)) return range_test(key, std::move(*range), units);
  std::vector<Pattern> patterns;
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    WEIR_TRY(auto pattern, Pattern::compile(value.substr(at, comma - at)));
    patterns.push_back(std::move(pattern));
    at = comma + 1;
  }
  // Without a key all patterns must match something; with one, any of them is enough.
  const bool all = key.empty();
  return LabelTest(
      [key, patterns = std::move(patterns), all](const Profile& profile, Labels labels) {
        for (const Pattern& pattern : patterns)
          if (any_matches(profile, labels, pattern, key) != all) return !all;
        return all;
      });
}

void add_label_frames(Profile& profile, const ProfileFilter& filter) {
  if (filter.tag_root.empty() && filter.tag_leaf.empty()) return;
  LabelFrames roots(profile, filter.unit), leaves(profile, filter.unit);
  std::vector<std::vector<std::uint32_t>> root_of, leaf_of;
  for (std::uint32_t set = 0; set < profile.label_sets(); ++set) {
    root_of.push_back(roots.of(set, filter.tag_root));
    leaf_of.push_back(leaves.of(set, filter.tag_leaf));
  }
  for (Sample& sample : profile.samples) {
    const auto old = sample.locations();
    const auto& root = root_of[sample.labels];
    const auto& leaf = leaf_of[sample.labels];
    const auto stack = profile.samples.new_stack(leaf.size() + old.size() + root.size());
    auto at = std::copy(leaf.begin(), leaf.end(), stack.begin());
    at = std::copy(old.begin(), old.end(), at);
    std::copy(root.begin(), root.end(), at);
    sample.stack = stack.data();
    sample.depth = static_cast<std::uint32_t>(stack.size());
  }
  if (!filter.tag_root.empty() && !roots.found())
    profile.notes.add(Severity::warning, "-tagroot matches nothing in the profile");
  if (!filter.tag_leaf.empty() && !leaves.found())
    profile.notes.add(Severity::warning, "-tagleaf matches nothing in the profile");
}

}  // namespace weir::analysis
