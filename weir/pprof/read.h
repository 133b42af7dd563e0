#pragma once
// Reading pprof profiles.
#include <memory>

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

/// A profile that comes piece by piece: gzip or raw protobuf; lists packed or not; tables in any
/// order, also after the samples; ids sparse. Unknown fields are passed over. Besides the Profile
/// it keeps a piece and the field that is being read. After an error nothing else may be called.
class ProfileReader {
 public:
  explicit ProfileReader(const Limits& limits = {});
  ProfileReader(ProfileReader&&) noexcept;
  ~ProfileReader();

  /// The first piece must have 2 bytes at least. Errors: invalid (broken protobuf, two of the same
  /// id, a sample with another number of values than there are types), limit; unsupported for the
  /// text form of old profiles.
  Result<void> feed(bytes::Bytes piece);
  /// Errors: truncated; invalid for a reference to an id or string that is not there.
  Result<Profile> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The profile in `bytes`. Errors: those of ProfileReader.
Result<Profile> parse_profile(bytes::Bytes bytes, const Limits& limits = {});

}  // namespace weir::pprof
