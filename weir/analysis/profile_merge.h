#pragma once
// Several profiles as one: sums, and differences from a base (github.com/google/pprof
// profile/merge.go, internal/driver/fetch.go).
#include <optional>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/profile.h"

namespace weir::analysis {

/// The label of samples that came from the base of a -diff_base, which percentages refer to.
constexpr std::string_view base_label = "pprof::base";

/// All samples in one profile; equal ones become one, and those whose values are all 0 go. Types in
/// another unit are converted, types that not all have are left out with a note. `profiles` must
/// not be empty. Errors: usage when they do not fit together.
Result<model::Profile> merge(std::vector<model::Profile> profiles);

struct BaseOptions {
  bool diff = false;       ///< percentages of the base, whose samples are labelled
  bool normalize = false;  ///< scale the profile to the base's sums first
};
/// `profile` less `base`. Errors: those of merge.
Result<model::Profile> subtract(model::Profile profile, model::Profile base, BaseOptions options);

}  // namespace weir::analysis
