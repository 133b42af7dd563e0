#include "weir/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

namespace weir::http {
namespace {

constexpr int most_redirects = 5;
constexpr std::size_t most_kept = 64 << 10;  // of the answer to a POST

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;
using Curl = std::unique_ptr<CURL, CloseCurl>;
using Headers = std::unique_ptr<curl_slist, FreeList>;

Result<Curl> start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  Curl curl(curl_easy_init());
  if (!curl) return fail(ErrorCode::io, "libcurl does not start");
  return curl;
}

Headers headers_of(const HttpOptions& options, const std::vector<std::string>& more) {
  Headers headers;
  const auto add = [&headers](const std::string& line) {
    if (curl_slist* longer = curl_slist_append(headers.get(), line.c_str()); longer != nullptr) {
      static_cast<void>(headers.release());
      headers.reset(longer);
    }
  };
  if (!options.bearer_token.empty()) add("Authorization: Bearer " + options.bearer_token);
  for (const std::string& line : more) add(line);
  return headers;
}

std::string part_of(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

Result<Url> parse_url(const std::string& text) {
  Url url(curl_url());
  if (const auto error = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
      error != CURLUE_OK)
    return fail(ErrorCode::usage, fmt::format("this is no URL: {}", curl_url_strerror(error)),
                without_credentials(text));
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return fail(ErrorCode::usage, fmt::format("weir fetches http and https, not {}", scheme),
                without_credentials(text));
  return url;
}

std::string origin_of(const Url& url) {
  return fmt::format("{}:{}", part_of(url, CURLUPART_HOST), part_of(url, CURLUPART_PORT));
}

struct Transfer {
  const HttpSink* sink = nullptr;
  CURL* curl = nullptr;
  std::uint64_t left = 0;
  std::string error_text;  ///< the beginning of an error answer's body
  std::optional<Error> error;

  std::size_t take(std::string_view piece) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
      error_text.append(piece.substr(0, std::min<std::size_t>(piece.size(), 200)));
      return piece.size();
    }
    if (piece.size() > left) {
      error = Error{ErrorCode::limit, "the answer is larger than the limit", {}, 0, {}};
      return 0;
    }
    left -= piece.size();
    if (auto taken = (*sink)(piece); !taken) {
      error = std::move(taken).error();
      return 0;
    }
    return piece.size();
  }
};

std::size_t write_callback(char* data, std::size_t size, std::size_t count, void* context) {
  return static_cast<Transfer*>(context)->take({data, size * count});
}

/// libcurl's progress function: anything but 0 ends the transfer.
int progress_callback(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

long milliseconds(Nanos time) {
  return static_cast<long>(std::clamp<std::int64_t>(time.value / 1'000'000, 1, INT32_MAX));
}

void set_file(CURL* curl, CURLoption option, const std::string& path) {
  if (!path.empty()) curl_easy_setopt(curl, option, path.c_str());
}

/// What every transfer has.
void set_options(CURL* curl, const HttpOptions& options, curl_slist* headers) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(options.timeout));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (options.cancelled != nullptr) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress_callback);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, options.cancelled);
  }
  if (!options.basic_auth.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERPWD, options.basic_auth.c_str());
  }
  // Only where neither a flag nor the URL has credentials.
  if (options.basic_auth.empty() && options.bearer_token.empty())
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  set_file(curl, CURLOPT_CAINFO, options.ca_file);
  set_file(curl, CURLOPT_SSLCERT, options.cert_file);
  set_file(curl, CURLOPT_SSLKEY, options.key_file.empty() ? options.cert_file : options.key_file);
  if (options.insecure) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, std::min(text.find_first_of("\r\n"), text.size())));
}

Result<void> judge(long status, const Transfer& transfer, const std::string& shown) {
  if (status == 200) return {};
  ErrorCode code = ErrorCode::io;
  if (status == 404) code = ErrorCode::not_found;
  if (status == 401 || status == 403) code = ErrorCode::denied;
  std::string what = fmt::format("the server answered {}", status);
  if (const std::string said = first_line(transfer.error_text); !said.empty())
    what += fmt::format(" \"{}\"", said);
  auto error = Error{code, what, shown, 0, {}};
  if (status == 404)
    return fail(std::move(error).with("does the program import net/http/pprof on this port?"));
  if (code == ErrorCode::denied)
    return fail(std::move(error).with("-auth user:password or -bearer TOKEN give credentials"));
  return fail(std::move(error));
}

/// Where a redirect leads, or nothing when the answer is none. Errors: denied, off this origin.
Result<std::optional<std::string>> find_redirect(CURL* curl, const std::string& origin,
                                                 const std::string& shown) {
  char* target = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
  if (target == nullptr) return std::optional<std::string>();
  WEIR_TRY(const Url next, parse_url(target));
  if (origin_of(next) != origin)
    return fail(ErrorCode::denied,
                fmt::format("the server redirects to another host ({}), where weir does not go by "
                            "itself",
                            origin_of(next)),
                shown);
  return std::optional<std::string>(target);
}

}  // namespace

Result<void> fetch(const std::string& url, const HttpOptions& options, const HttpSink& sink) {
  WEIR_TRY(const Url first, parse_url(url));
  const std::string origin = origin_of(first);
  WEIR_TRY(const Curl curl, start_curl());
  const Headers headers = headers_of(options, {});

  std::string next = url;
  for (int redirects = 0;; ++redirects) {
    const std::string shown = without_credentials(next);
    Transfer transfer{&sink, curl.get(), options.size_limit, {}, {}};
    set_options(curl.get(), options, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, write_callback);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl.get(), CURLOPT_URL, next.c_str());
    const CURLcode code = curl_easy_perform(curl.get());
    if (transfer.error) return fail(std::move(*transfer.error).with(shown));
    if (code != CURLE_OK)
      return fail(ErrorCode::io, fmt::format("cannot be fetched: {}", curl_easy_strerror(code)),
                  shown);
    WEIR_TRY(const auto redirect, find_redirect(curl.get(), origin, shown));
    if (!redirect) {
      long status = 0;
      curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
      return judge(status, transfer, shown);
    }
    if (redirects == most_redirects)
      return fail(ErrorCode::io, "the server redirects without end", shown);
    next = *redirect;
  }
}

namespace {

std::size_t keep_callback(char* data, std::size_t size, std::size_t count, void* context) {
  std::string& body = *static_cast<std::string*>(context);
  body.append(data, std::min(size * count, most_kept - body.size()));
  return size * count;
}

}  // namespace

Result<Answer> post(const std::string& url, const HttpOptions& options,
                    const std::vector<std::string>& headers, std::string_view body) {
  WEIR_TRY_VOID(parse_url(url));
  WEIR_TRY(const Curl curl, start_curl());
  const Headers lines = headers_of(options, headers);
  Answer answer;
  set_options(curl.get(), options, lines.get());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep_callback);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return fail(ErrorCode::io, fmt::format("cannot be reached: {}", curl_easy_strerror(code)),
                without_credentials(url));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

Result<void> check_url(const std::string& url) {
  WEIR_TRY_VOID(parse_url(url));
  return {};
}

std::string percent_decoded(std::string_view text) {
  int length = 0;
  char* plain = curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &length);
  if (plain == nullptr) return std::string(text);
  std::string copy(plain, static_cast<std::size_t>(length));
  curl_free(plain);
  return copy;
}

std::string without_credentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const auto begin = scheme + 3;
  const auto end = std::min(url.find('/', begin), url.size());
  const auto at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(url);
  return std::string(url.substr(0, begin)).append(url.substr(at + 1));
}

}  // namespace weir::http
