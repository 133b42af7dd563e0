#include "weir/analysis/profile_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "weir/model/units.h"

namespace weir::analysis {

using model::Profile;
using model::ProfileLine;
using model::ProfileLocation;

namespace {

/// Whether a pattern matches functions (their name or file) and mappings, each looked at once.
class Matches {
 public:
  Matches(const Profile& profile, const Pattern& pattern) : profile_(profile) {
    functions_.reserve(profile.functions.size());
    std::unordered_map<StringId, bool> files;
    for (const model::ProfileFunction& function : profile.functions) {
      const auto [file, added] = files.try_emplace(function.file, false);
      if (added) file->second = pattern.matches(profile.text(function.file));
      functions_.push_back(file->second || pattern.matches(profile.text(function.name)));
    }
    for (const model::ProfileMapping& mapping : profile.mappings)
      mappings_.push_back(pattern.matches(mapping.file));
  }
  bool of(const ProfileLine& line) const {
    return line.function != model::no_index && functions_[line.function];
  }
  bool mapping_of(const ProfileLocation& location) const {
    return location.mapping != model::no_index && mappings_[location.mapping];
  }
  bool any_of(const ProfileLocation& location) const {
    const auto lines = profile_.lines_of(location);
    return mapping_of(location) ||
           std::any_of(lines.begin(), lines.end(), [&](const ProfileLine& l) { return of(l); });
  }

 private:
  const Profile& profile_;
  std::vector<bool> functions_, mappings_;
};

std::optional<Matches> matches(const Profile& profile, const std::optional<Pattern>& pattern) {
  if (!pattern) return std::nullopt;
  return std::optional<Matches>(std::in_place, profile, *pattern);
}

void note_nothing(Profile& profile, bool matched, const char* flag) {
  if (!matched)
    profile.notes.add(Severity::warning, fmt::format("-{} matches nothing in the profile", flag));
}

/// Keeps those lines of a location, in place.
template <class Keep>
void keep_lines(Profile& profile, ProfileLocation& location, Keep keep) {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < location.line_count; ++i) {
    const ProfileLine line = profile.lines[location.first_line + i];
    if (keep(line)) profile.lines[location.first_line + kept++] = line;
  }
  location.line_count = kept;
}

enum class Verdict : std::uint8_t { none, focused, ignored };

/// Profile.FilterSamplesByName.
class NameFilter {
 public:
  NameFilter(Profile& profile, const ProfileFilter& filter)
      : profile_(profile),
        focus_(matches(profile, filter.focus)),
        ignore_(matches(profile, filter.ignore)),
        hide_(matches(profile, filter.hide)),
        show_(matches(profile, filter.show)) {}

  void apply() {
    if (!focus_ && !ignore_ && !hide_ && !show_) return;
    verdicts_.resize(profile_.locations.size());
    hidden_.resize(profile_.locations.size());
    for (std::size_t i = 0; i < profile_.locations.size(); ++i) judge(i);
    profile_.samples.keep_if([this](Sample& sample) { return keep(sample); });
    note_nothing(profile_, !focus_ || focused_, "focus");
    note_nothing(profile_, !ignore_ || ignored_, "ignore");
    note_nothing(profile_, !hide_ || hid_, "hide");
    note_nothing(profile_, !show_ || showed_, "show");
  }

 private:
  void judge(std::size_t index) {
    ProfileLocation& location = profile_.locations[index];
    if (ignore_ && ignore_->any_of(location)) {
      ignored_ = true;
      verdicts_[index] = Verdict::ignored;
    } else if (!focus_ || focus_->any_of(location)) {
      focused_ = true;
      verdicts_[index] = Verdict::focused;
    }
    if (hide_ && hide_->any_of(location)) {
      hid_ = true;
      const bool all = hide_->mapping_of(location);
      keep_lines(profile_, location, [&](const ProfileLine& l) { return !all && !hide_->of(l); });
      hide_if_empty(index);
    }
    if (show_) {
      if (!show_->mapping_of(location))
        keep_lines(profile_, location, [&](const ProfileLine& line) {
          return line.function == model::no_index || show_->of(line);
        });
      hide_if_empty(index);
      showed_ = showed_ || location.line_count > 0;
    }
  }
  void hide_if_empty(std::size_t index) {
    if (profile_.locations[index].line_count > 0) return;
    hidden_[index] = true;
    any_hidden_ = true;
  }
  bool keep(Sample& sample) const {
    bool focused = false;
    for (const std::uint32_t location : sample.locations()) {
      if (verdicts_[location] == Verdict::ignored) return false;
      focused = focused || verdicts_[location] == Verdict::focused;
    }
    if (!focused) return false;
    if (!any_hidden_) return true;
    const auto stack = sample.locations();
    const auto end = std::remove_if(stack.begin(), stack.end(),
                                    [this](std::uint32_t at) { return hidden_[at]; });
    sample.depth = static_cast<std::uint32_t>(end - stack.begin());
    return sample.depth > 0;
  }

  Profile& profile_;
  std::optional<Matches> focus_, ignore_, hide_, show_;
  std::vector<Verdict> verdicts_;
  std::vector<bool> hidden_;
  bool any_hidden_ = false;
  bool focused_ = false, ignored_ = false, hid_ = false, showed_ = false;
};

/// Profile.ShowFrom: what called the topmost match goes, and samples without one.
void show_from(Profile& profile, const std::optional<Pattern>& pattern) {
  const auto found = matches(profile, pattern);
  if (!found) return;
  std::vector<bool> from(profile.locations.size());
  for (std::size_t i = 0; i < profile.locations.size(); ++i) {
    ProfileLocation& location = profile.locations[i];
    if (found->mapping_of(location)) {
      from[i] = true;
      continue;
    }
    for (std::uint32_t line = location.line_count; line-- > 0 && !from[i];) {
      if (!found->of(profile.lines[location.first_line + line])) continue;
      location.line_count = line + 1;
      from[i] = true;
    }
  }
  profile.samples.keep_if([&](Sample& sample) {
    for (std::uint32_t i = sample.depth; i-- > 0;) {
      if (!from[sample.stack[i]]) continue;
      sample.depth = i + 1;
      return true;
    }
    return false;
  });
  note_nothing(profile, std::find(from.begin(), from.end(), true) != from.end(), "show_from");
}

/// simplifyFunc: without arguments.
std::string_view simplified(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  for (std::size_t at = name.find('('); at != name.npos; at = name.find('(', at + 1)) {
    constexpr std::string_view anonymous = "(anonymous namespace)";
    if (name.substr(at).starts_with(anonymous)) {
      at += anonymous.size() - 1;
      continue;
    }
    if (name.substr(at).starts_with("()") && name.substr(0, at).ends_with("operator")) continue;
    return name.substr(0, at);
  }
  return name;
}

/// For each function: whether its simplified name is meant.
template <class Test>
std::vector<bool> functions_that(const Profile& profile, Test test) {
  std::vector<bool> result;
  result.reserve(profile.functions.size());
  for (const model::ProfileFunction& function : profile.functions) {
    const std::string_view name = profile.text(function.name);
    result.push_back(!name.empty() && test(simplified(name)));
  }
  return result;
}

bool is_set(const std::vector<bool>& functions, const ProfileLine& line) {
  return line.function != model::no_index && functions[line.function];
}

/// Profile.PruneFrom: what the lowest match called goes.
void prune_from(Profile& profile, const std::optional<Pattern>& pattern) {
  if (!pattern) return;
  const auto meant =
      functions_that(profile, [&](std::string_view name) { return pattern->matches(name); });
  std::vector<bool> beneath(profile.locations.size());
  for (std::size_t i = 0; i < profile.locations.size(); ++i) {
    ProfileLocation& location = profile.locations[i];
    for (std::uint32_t line = 0; line < location.line_count && !beneath[i]; ++line) {
      if (!is_set(meant, profile.lines[location.first_line + line])) continue;
      beneath[i] = true;
      location.first_line += line;
      location.line_count -= line;
    }
  }
  for (Sample& sample : profile.samples) {
    const auto stack = sample.locations();
    const auto at =
        std::find_if(stack.begin(), stack.end(), [&](std::uint32_t id) { return beneath[id]; });
    if (at == stack.end()) continue;
    const auto gone = static_cast<std::uint32_t>(at - stack.begin());
    sample.stack += gone;
    sample.depth -= gone;
  }
}

void filter_labels(Profile& profile, const ProfileFilter& filter) {
  if (!filter.tag_show && !filter.tag_hide) return;
  bool shown = false, hidden = false;
  std::vector<model::ProfileLabel> labels;
  std::vector<std::size_t> ends;
  for (std::uint32_t set = 0; set < profile.label_sets(); ++set) {
    for (const model::ProfileLabel& label : profile.labels_of(set)) {
      const std::string_view key = profile.text(label.key);
      const bool show = !filter.tag_show || filter.tag_show->matches(key);
      const bool hide = filter.tag_hide && filter.tag_hide->matches(key);
      shown = shown || show;
      hidden = hidden || hide;
      if (show && !hide) labels.push_back(label);
    }
    ends.push_back(labels.size());
  }
  profile.labels = std::move(labels);
  profile.label_ends = std::move(ends);
  note_nothing(profile, !filter.tag_show || shown, "tagshow");
  note_nothing(profile, !filter.tag_hide || hidden, "taghide");
}

Result<void> filter_by_labels(Profile& profile, const std::string& focus,
                              const std::string& ignore) {
  if (focus.empty() && ignore.empty()) return {};
  const LabelUnits units = find_label_units(profile);
  LabelTest focused, ignored;
  if (!focus.empty()) {
    WEIR_TRY(focused, compile_label_test(focus, units));
  }
  if (!ignore.empty()) {
    WEIR_TRY(ignored, compile_label_test(ignore, units));
  }
  bool any_focused = false, any_ignored = false;
  std::vector<bool> keep;
  for (std::uint32_t set = 0; set < profile.label_sets(); ++set) {
    const bool in = !focused || focused(profile, profile.labels_of(set));
    const bool out = ignored && ignored(profile, profile.labels_of(set));
    any_focused = any_focused || in;
    any_ignored = any_ignored || out;
    keep.push_back(in && !out);
  }
  profile.samples.keep_if([&](const Sample& sample) { return keep[sample.labels]; });
  note_nothing(profile, !focused || any_focused, "tagfocus");
  note_nothing(profile, !ignored || any_ignored, "tagignore");
  return {};
}

}  // namespace

bool ProfileFilter::empty() const {
  return !focus && !ignore && !hide && !show && !show_from && !prune_from && tag_focus.empty() &&
         tag_ignore.empty() && !tag_show && !tag_hide && tag_root.empty() && tag_leaf.empty();
}

LabelUnits find_label_units(Profile& profile) {
  LabelUnits units;
  std::map<std::string, std::set<std::string>> others;
  // In the order of samples, as far as it matters: sets are numbered as they first came.
  for (const model::ProfileLabel& label : profile.labels) {
    if (label.text != 0) continue;
    std::string& unit = units[std::string(profile.text(label.key))];
    const std::string_view own = profile.text(label.unit);
    if (own.empty()) continue;
    if (unit.empty()) unit = own;
    if (unit != own) others[std::string(profile.text(label.key))].emplace(own);
  }
  for (auto& [key, unit] : units)
    if (unit.empty()) unit = key == "request" || key == "alignment" ? "bytes" : key;
  for (const auto& [key, more] : others)
    profile.notes.add(Severity::warning, fmt::format("label {} has several units; {} is used", key,
                                                     units.find(key)->second));
  return units;
}

Result<void> apply_filter(Profile& profile, const ProfileFilter& filter) {
  NameFilter(profile, filter).apply();
  show_from(profile, filter.show_from);
  WEIR_TRY_VOID(filter_by_labels(profile, filter.tag_focus, filter.tag_ignore));
  filter_labels(profile, filter);
  prune_from(profile, filter.prune_from);
  return {};
}

void drop_uninteresting(Profile& profile) {
  if (profile.drop_frames.empty()) return;
  const auto drop = Pattern::compile("^(" + profile.drop_frames + ")$");
  const auto keep = Pattern::compile("^(" + profile.keep_frames + ")$");
  if (!drop || !keep) {
    profile.notes.add(Severity::warning, "the profile's own drop_frames is no regular expression");
    return;
  }
  const bool kept_some = !profile.keep_frames.empty();
  const auto meant = functions_that(profile, [&](std::string_view name) {
    return drop->matches(name) && !(kept_some && keep->matches(name));
  });
  enum class Cut : std::uint8_t { no, behind, here };
  std::vector<Cut> cuts(profile.locations.size());
  for (std::size_t i = 0; i < profile.locations.size(); ++i) {
    ProfileLocation& location = profile.locations[i];
    for (std::uint32_t line = location.line_count; line-- > 0 && cuts[i] == Cut::no;) {
      if (!is_set(meant, profile.lines[location.first_line + line])) continue;
      cuts[i] = line + 1 == location.line_count ? Cut::here : Cut::behind;
      if (cuts[i] == Cut::here) continue;
      location.first_line += line + 1;
      location.line_count -= line + 1;
    }
  }
  for (Sample& sample : profile.samples) {
    bool user = false;
    for (std::uint32_t i = sample.depth; i-- > 0;) {
      const Cut cut = cuts[sample.stack[i]];
      user = user || cut == Cut::no;
      if (!user || cut == Cut::no) continue;
      const std::uint32_t gone = cut == Cut::here ? i + 1 : i;
      sample.stack += gone;
      sample.depth -= gone;
      break;
    }
  }
}

void coarsen(Profile& profile, Granularity granularity, bool inlines, bool columns) {
  if (granularity == Granularity::addresses && inlines) return;
  const bool function = granularity != Granularity::files;
  const bool file = granularity != Granularity::functions;
  const bool line = granularity == Granularity::lines || granularity == Granularity::addresses;
  for (model::ProfileFunction& one : profile.functions) {
    if (!function) one.name = one.system_name = 0;
    if (!file) one.file = 0;
  }
  for (ProfileLocation& location : profile.locations) {
    if (!inlines && location.line_count > 1) {
      location.first_line += location.line_count - 1;
      location.line_count = 1;
    }
    if (granularity != Granularity::addresses) location.address = 0;
  }
  for (ProfileLine& one : profile.lines) {
    if (!line) one.line = 0;
    if (!line || !columns) one.column = 0;
  }
}

}  // namespace weir::analysis
