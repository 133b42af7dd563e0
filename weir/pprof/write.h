#pragma once
// Writing pprof profiles.
#include <string>

#include "weir/pprof/profile.h"

namespace weir::pprof {

/// `profile` as a protobuf message, not compressed. Ids are index + 1.
std::string render_protobuf(const Profile& profile);

/// The same in gzip: what Go's tools write and every reader takes.
std::string render_profile(const Profile& profile);

}  // namespace weir::pprof
