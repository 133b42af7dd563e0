#pragma once
// Decompression into a stated limit.
#include <functional>
#include <memory>
#include <string>

#include "weir/base/error.h"
#include "weir/bytes/cursor.h"

namespace weir::bytes {

bool looks_gzipped(Bytes bytes);

/// One or more gzip members, unpacked piece by piece. Bytes behind a member that cannot begin
/// another one are passed over (padding).
class Gunzip {
 public:
  /// Takes unpacked bytes, which are good until it returns. Its error ends the feeding.
  using Sink = std::function<Result<void>(Bytes)>;

  /// `limit`: bytes of output, over all members.
  explicit Gunzip(std::size_t limit);
  Gunzip(Gunzip&&) noexcept;
  ~Gunzip();

  /// Errors: invalid (with the offset in the input), limit, and those of the sink.
  Result<void> feed(Bytes piece, const Sink& sink);
  /// Errors: truncated when the last member is not over.
  Result<void> finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The content of one or more gzip members. Errors: those of Gunzip.
Result<std::string> gunzip(Bytes bytes, std::size_t limit);

/// `content` as one gzip member, level 1 (what Go's own profile writer uses).
std::string gzip(std::string_view content);

}  // namespace weir::bytes
