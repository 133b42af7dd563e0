#pragma once
// Reading pprof profiles.
#include "weir/base/error.h"
#include "weir/bytes/cursor.h"
#include "weir/pprof/profile.h"

namespace weir::pprof {

/// Bounds on what a file may make us allocate.
struct Limits {
  std::size_t inflated = std::size_t{1} << 30;  ///< bytes after gunzip
  /// Samples, frames, values, labels, strings, locations, lines, functions and mappings together.
  std::size_t elements = 128u << 20;
};

/// The profile in `bytes`: gzip or raw protobuf; lists packed or not; tables in any order, also
/// after the samples; ids sparse. Unknown fields are passed over. Errors: invalid (broken protobuf,
/// an id or string that is not there, two of the same id, a sample with another number of values
/// than there are types), truncated, limit; unsupported for the text form of old profiles.
Result<Profile> parse_profile(bytes::Bytes bytes, const Limits& limits = {});

}  // namespace weir::pprof
