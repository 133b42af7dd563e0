#pragma once
// Evidence over HTTP: one GET, handed on in pieces.
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "weir/base/address.h"
#include "weir/base/error.h"

namespace weir::ingest {

struct HttpOptions {
  Nanos connect_timeout{10'000'000'000};
  /// For the whole answer. Go gathers a goroutine profile before it sends the first byte.
  Nanos timeout{120'000'000'000};
  std::uint64_t size_limit = std::uint64_t{1} << 30;  ///< bytes of the answer, unpacked
  std::string basic_auth;                             ///< "user:password"; empty: none
  std::string bearer_token;                           ///< empty: none
  bool insecure = false;                              ///< take any TLS certificate
  /// Set from anywhere: the transfer ends within a second or so. May be null; outlives the
  /// transfer.
  const std::atomic<bool>* cancelled = nullptr;
};

/// Takes a piece of the answer; an error ends the transfer and is what fetch() gives.
using HttpSink = std::function<Result<void>(std::string_view piece)>;

/// GET `url` (http or https). Follows redirects within the same host and port only, so that
/// credentials go nowhere else. Errors: usage (not a URL of these), not_found (404), denied (401,
/// 403), limit, io (with libcurl's words), and those of the sink.
Result<void> fetch(const std::string& url, const HttpOptions& options, const HttpSink& sink);

/// Whether a word of the command line names something to fetch: it has a scheme, or is
/// "host:port", which stands for "http://host:port".
bool looks_like_url(std::string_view word);

/// The URL of the goroutine profile that `word` means: where it has no path, or ends with
/// "/debug/pprof/", Go's own "…/debug/pprof/goroutine".
std::string profile_url(std::string_view word);

/// `url` without user and password, for messages.
std::string without_credentials(std::string_view url);

}  // namespace weir::ingest
