#pragma once
// What of a profile is looked at: go tool pprof's filters, with its meaning
// (github.com/google/pprof profile/filter.go, profile/prune.go, internal/driver/driver_focus.go).
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/pattern.h"
#include "weir/model/profile.h"

namespace weir::analysis {

/// Numeric labels by key: the unit that the profile gives them, or else their own name.
using LabelUnits = std::map<std::string, std::string, std::less<>>;
/// A key with several units keeps the first, and gets a note.
LabelUnits find_label_units(model::Profile& profile);

/// Whether the labels of a sample are meant.
using LabelTest = std::function<bool(const model::Profile&, std::span<const model::ProfileLabel>)>;
/// "RE", "RE,RE" (all of them), "key=RE", and for numbers "512kb", "1mb:", ":2mb", "1mb:2mb", with
/// or without "key=". A pattern without a key is matched with "key:value". Errors: usage.
Result<LabelTest> compile_label_test(const std::string& expression, const LabelUnits& units);

struct ProfileFilter {
  // Samples with a matching function, file or binary on the stack, and those without.
  std::optional<Pattern> focus, ignore;
  // Frames that go, and those that stay; what is below (called by) the topmost match; what is above
  // the lowest.
  std::optional<Pattern> hide, show, show_from, prune_from;
  std::string tag_focus, tag_ignore;            ///< see compile_label_test
  std::optional<Pattern> tag_show, tag_hide;    ///< keys of labels that stay, and that go
  std::vector<std::string> tag_root, tag_leaf;  ///< keys that become frames
  std::string unit = "minimum";                 ///< of numbers that become frames

  bool empty() const;
};

/// Label values as frames at the root and at the leaf of every stack.
void add_label_frames(model::Profile& profile, const ProfileFilter& filter);
/// The rest of the filter. What matches nothing gets a note. Errors: usage.
Result<void> apply_filter(model::Profile& profile, const ProfileFilter& filter);
/// What the profile itself says is not interesting (drop_frames, keep_frames).
void drop_uninteresting(model::Profile& profile);

enum class Granularity : std::uint8_t { functions, filefunctions, files, lines, addresses };
/// Forgets what is finer than that. `inlines` false: only the function that is there in machine
/// code.
void coarsen(model::Profile& profile, Granularity granularity, bool inlines, bool columns);

}  // namespace weir::analysis
