#pragma once
// A trace's bytes, from wherever it is.
#include <string>

#include "weir/bytes/mapped_file.h"
#include "weir/ingest/trace.h"

namespace weir::ingest {

/// A file, "-", or a URL; what is no regular file is written to an unlinked temporary file first.
/// Errors name what they are about: not_found, denied, io, those of fetch.
Result<bytes::MappedFile> open_trace(const std::string& name, const TraceOptions& options);

/// The name as errors and reports have it.
std::string shown_name(const std::string& name);

}  // namespace weir::ingest
