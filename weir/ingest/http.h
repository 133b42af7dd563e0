#pragma once
// What a word of the command line means as a URL of evidence.
#include <string>
#include <string_view>

#include "weir/http/client.h"

namespace weir::ingest {

using http::fetch;
using http::HttpOptions;
using http::HttpSink;
using http::without_credentials;

/// Whether a word of the command line names something to fetch: it has a scheme, or is
/// "host:port", which stands for "http://host:port".
bool looks_like_url(std::string_view word);

/// The URL of the goroutine profile that `word` means: where it has no path, or ends with
/// "/debug/pprof/", Go's own "…/debug/pprof/goroutine".
std::string profile_url(std::string_view word);

}  // namespace weir::ingest
