#pragma once
// Profiles as values: from files, URLs and processes, and back to pprof's format.
#include <string>

#include "weir/base/error.h"
#include "weir/ingest/evidence.h"
#include "weir/model/profile.h"

namespace weir::ingest {

/// `name` is a file with a pprof profile, gzipped or not or as text (debug=1), "-" for standard
/// input, a URL or "host:port" (its CPU profile of `seconds`, as go tool pprof has it), a recording
/// or a process id (its goroutine profile). Errors: not_found, denied, and those of the readers,
/// with the name.
Result<model::Profile> read_profile(const std::string& name, const EvidenceOptions& options,
                                    int seconds);

/// The profile of those bytes, of any of these kinds. Errors: those of the readers.
Result<model::Profile> parse_profile(std::string_view bytes);

/// In pprof's format, gzipped.
std::string render_pprof(const model::Profile& profile);

/// The URL of the profile that `word` means. Without a path it is the CPU profile; `seconds` is
/// added where Go takes it and the URL does not say.
std::string pprof_url(std::string_view word, int seconds);

}  // namespace weir::ingest
