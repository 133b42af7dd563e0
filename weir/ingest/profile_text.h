#pragma once
// Profiles from Go's legacy text (debug=1).
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/profile.h"

namespace weir::ingest {

/// Whether `head` begins the text of a count, heap, mutex or block profile. It wants 32 bytes.
bool looks_like_profile_text(std::string_view head);

/// The profile, with the types and the scaling of samples that Go's protobuf form has
/// (runtime/pprof/protomem.go, go1.19–1.27). The text has no frames of the runtime on top of a
/// stack; a note says so. Errors: invalid.
Result<model::Profile> profile_of_text(std::string_view text);

}  // namespace weir::ingest
