#pragma once
// An HTTP client for evidence and alarms: one GET, handed on in pieces; one POST.
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"

namespace weir::http {

struct HttpOptions {
  Nanos connect_timeout{10'000'000'000};
  /// For the whole answer. Go gathers a goroutine profile before it sends the first byte.
  Nanos timeout{120'000'000'000};
  std::uint64_t size_limit = std::uint64_t{1} << 30;  ///< bytes of the answer's body, as they come
  /// "user:password"; empty: that of the URL, else what ~/.netrc says of the host.
  std::string basic_auth;
  std::string bearer_token;  ///< empty: none
  std::string ca_file;       ///< certificates (PEM) to trust in place of the system's
  std::string cert_file;     ///< the client's own certificate (PEM)
  std::string key_file;      ///< and its key; empty: it is in cert_file
  bool insecure = false;     ///< take any TLS certificate
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

/// An answer of any status.
struct Answer {
  long status = 0;
  std::string body;   ///< the first 64 KiB of it
  Nanos retry_after;  ///< the header Retry-After, a time or a date; 0 without
};

/// POST `body`, with these headers ("Content-Type: application/json"). Follows no redirect. Errors:
/// usage (not a URL of these); io: there was no answer.
Result<Answer> post(const std::string& url, const HttpOptions& options,
                    const std::vector<std::string>& headers, std::string_view body);

/// Errors: usage: not a URL of http or https.
Result<void> check_url(const std::string& url);

/// "%20" as a blank; what is no such code stays as it is.
std::string percent_decoded(std::string_view text);

/// `url` without user and password, for messages.
std::string without_credentials(std::string_view url);

}  // namespace weir::http
