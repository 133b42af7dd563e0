#pragma once
// Decompression into a stated limit.
#include <string>

#include "weir/base/error.h"
#include "weir/bytes/cursor.h"

namespace weir::bytes {

bool looks_gzipped(Bytes bytes);

/// The content of one or more gzip members. Errors: invalid (with the offset), truncated, limit
/// when the output would be larger than `limit` bytes.
Result<std::string> gunzip(Bytes bytes, std::size_t limit);

/// `content` as one gzip member, level 1 (what Go's own profile writer uses).
std::string gzip(std::string_view content);

}  // namespace weir::bytes
