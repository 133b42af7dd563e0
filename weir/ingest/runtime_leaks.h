#pragma once
// The goroutineleak profile of a served Go program: Go 1.27 and later, and 1.26 built with
// GOEXPERIMENT=goroutineleakprofile. Source of truth: writeGoroutineLeak, runtime/pprof/pprof.go.
#include <string>

#include "weir/base/error.h"
#include "weir/ingest/http.h"
#include "weir/model/tally.h"

namespace weir::ingest {

/// The URL of the leak profile beside the profile that `word` means (see profile_url). Errors:
/// usage, when it is none of Go's /debug/pprof/.
Result<std::string> leak_profile_url(std::string_view word);

/// Has the program look for leaks (a garbage collection with a longer pause than usual) and reads
/// what it found; no entries: nothing. The profile is always written: its count is that of the last
/// time (golang/go#80311). Errors: unsupported (the program has no such profile), those of fetch.
Result<model::Tally> read_runtime_leaks(const std::string& name, const HttpOptions& options);

}  // namespace weir::ingest
