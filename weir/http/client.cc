#include "weir/http/client.h"

#define CURL_DISABLE_TYPECHECK  // the macros want functions of those names, not pointers
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "weir/http/library.h"

namespace weir::http {
namespace {

constexpr int most_redirects = 5;
constexpr std::size_t most_kept = 64 << 10;                     // of the answer to a POST
constexpr std::int64_t most_seconds = 100LL * 365 * 24 * 3600;  // so that nanoseconds do not wrap

/// The functions of libcurl, once load_curl() has succeeded.
struct CurlApi {
  decltype(&::curl_easy_cleanup) curl_easy_cleanup = nullptr;
  decltype(&::curl_easy_getinfo) curl_easy_getinfo = nullptr;
  decltype(&::curl_easy_init) curl_easy_init = nullptr;
  decltype(&::curl_easy_perform) curl_easy_perform = nullptr;
  decltype(&::curl_easy_setopt) curl_easy_setopt = nullptr;
  decltype(&::curl_easy_strerror) curl_easy_strerror = nullptr;
  decltype(&::curl_free) curl_free = nullptr;
  decltype(&::curl_global_init) curl_global_init = nullptr;
  decltype(&::curl_slist_append) curl_slist_append = nullptr;
  decltype(&::curl_slist_free_all) curl_slist_free_all = nullptr;
  decltype(&::curl_url) curl_url = nullptr;
  decltype(&::curl_url_cleanup) curl_url_cleanup = nullptr;
  decltype(&::curl_url_get) curl_url_get = nullptr;
  decltype(&::curl_url_set) curl_url_set = nullptr;
  decltype(&::curl_url_strerror) curl_url_strerror = nullptr;
};
CurlApi api;

Result<void> find_all(void* library) {
  WEIR_TRY_VOID(find_function(library, "curl_easy_cleanup", api.curl_easy_cleanup));
  WEIR_TRY_VOID(find_function(library, "curl_easy_getinfo", api.curl_easy_getinfo));
  WEIR_TRY_VOID(find_function(library, "curl_easy_init", api.curl_easy_init));
  WEIR_TRY_VOID(find_function(library, "curl_easy_perform", api.curl_easy_perform));
  WEIR_TRY_VOID(find_function(library, "curl_easy_setopt", api.curl_easy_setopt));
  WEIR_TRY_VOID(find_function(library, "curl_easy_strerror", api.curl_easy_strerror));
  WEIR_TRY_VOID(find_function(library, "curl_free", api.curl_free));
  WEIR_TRY_VOID(find_function(library, "curl_global_init", api.curl_global_init));
  WEIR_TRY_VOID(find_function(library, "curl_slist_append", api.curl_slist_append));
  WEIR_TRY_VOID(find_function(library, "curl_slist_free_all", api.curl_slist_free_all));
  WEIR_TRY_VOID(find_function(library, "curl_url", api.curl_url));
  WEIR_TRY_VOID(find_function(library, "curl_url_cleanup", api.curl_url_cleanup));
  WEIR_TRY_VOID(find_function(library, "curl_url_get", api.curl_url_get));
  WEIR_TRY_VOID(find_function(library, "curl_url_set", api.curl_url_set));
  WEIR_TRY_VOID(find_function(library, "curl_url_strerror", api.curl_url_strerror));
  return {};
}

Result<void> load_curl() {
  static const Result<void> loaded = []() -> Result<void> {
    WEIR_TRY(void* const library, load_library("libcurl.so.4", "libcurl4"));
    WEIR_TRY_VOID(find_all(library));
    api.curl_global_init(CURL_GLOBAL_DEFAULT);
    return {};
  }();
  return loaded;
}

struct CloseCurl {
  void operator()(CURL* curl) const { api.curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { api.curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { api.curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;
using Curl = std::unique_ptr<CURL, CloseCurl>;
using Headers = std::unique_ptr<curl_slist, FreeList>;

Result<Curl> start_curl() {
  WEIR_TRY_VOID(load_curl());
  Curl curl(api.curl_easy_init());
  if (!curl) return fail(ErrorCode::io, "libcurl does not start");
  return curl;
}

Headers headers_of(const HttpOptions& options, const std::vector<std::string>& more) {
  Headers headers;
  const auto add = [&headers](const std::string& line) {
    if (curl_slist* longer = api.curl_slist_append(headers.get(), line.c_str());
        longer != nullptr) {
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
  if (api.curl_url_get(url.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy = text;
  api.curl_free(text);
  return copy;
}

Result<Url> parse_url(const std::string& text) {
  WEIR_TRY_VOID(load_curl());
  Url url(api.curl_url());
  if (const auto error = api.curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
      error != CURLUE_OK)
    return fail(ErrorCode::usage, fmt::format("this is no URL: {}", api.curl_url_strerror(error)),
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
    api.curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
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
  if (!path.empty()) api.curl_easy_setopt(curl, option, path.c_str());
}

/// What every transfer has.
void set_options(CURL* curl, const HttpOptions& options, curl_slist* headers) {
  api.curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  api.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  api.curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
  api.curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(options.timeout));
  api.curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir");
  api.curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (options.cancelled != nullptr) {
    api.curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    api.curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress_callback);
    api.curl_easy_setopt(curl, CURLOPT_XFERINFODATA, options.cancelled);
  }
  if (!options.basic_auth.empty()) {
    api.curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    api.curl_easy_setopt(curl, CURLOPT_USERPWD, options.basic_auth.c_str());
  }
  // Only where neither a flag nor the URL has credentials.
  if (options.basic_auth.empty() && options.bearer_token.empty())
    api.curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  set_file(curl, CURLOPT_CAINFO, options.ca_file);
  set_file(curl, CURLOPT_SSLCERT, options.cert_file);
  set_file(curl, CURLOPT_SSLKEY, options.key_file.empty() ? options.cert_file : options.key_file);
  if (options.insecure) {
    api.curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    api.curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
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
  if (status == 404) what += "; does the program import net/http/pprof on this port?";
  if (code == ErrorCode::denied) what += "; -auth user:password or -bearer TOKEN give credentials";
  return fail(code, what, shown);
}

/// Where a redirect leads; empty when the answer is none. Errors: denied, off this origin.
Result<std::string> find_redirect(CURL* curl, const std::string& origin, const std::string& shown) {
  char* target = nullptr;
  api.curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
  if (target == nullptr) return std::string();
  WEIR_TRY(const Url next, parse_url(target));
  if (origin_of(next) != origin)
    return fail(ErrorCode::denied,
                fmt::format("the server redirects to another host ({}), where weir does not go by "
                            "itself",
                            origin_of(next)),
                shown);
  return std::string(target);
}

}  // namespace

Result<void> fetch(const std::string& url, const HttpOptions& options, const HttpSink& sink) {
  WEIR_TRY(const Url first, parse_url(url));
  const std::string origin = origin_of(first);
  const Headers headers = headers_of(options, {});

  std::string next = url;
  for (int redirects = 0;; ++redirects) {
    // A handle for each request: where one is used again, libcurl 7.88 (Debian 12) puts a header
    // line that begins with a blank behind a header of the answer before, which it has freed.
    WEIR_TRY(const Curl curl, start_curl());
    const std::string shown = without_credentials(next);
    Transfer transfer{&sink, curl.get(), options.size_limit, {}, {}};
    set_options(curl.get(), options, headers.get());
    api.curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, write_callback);
    api.curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
    api.curl_easy_setopt(curl.get(), CURLOPT_URL, next.c_str());
    const CURLcode code = api.curl_easy_perform(curl.get());
    if (transfer.error) return fail(std::move(*transfer.error).with(shown));
    if (code != CURLE_OK)
      return fail(ErrorCode::io, fmt::format("cannot be fetched: {}", api.curl_easy_strerror(code)),
                  shown);
    WEIR_TRY(std::string redirect, find_redirect(curl.get(), origin, shown));
    if (redirect.empty()) {
      long status = 0;
      api.curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
      return judge(status, transfer, shown);
    }
    if (redirects == most_redirects)
      return fail(ErrorCode::io, "the server redirects without end", shown);
    next = std::move(redirect);
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
  api.curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  api.curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
  api.curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.data());
  api.curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(body.size()));
  api.curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep_callback);
  api.curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = api.curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    return fail(ErrorCode::io, fmt::format("cannot be reached: {}", api.curl_easy_strerror(code)),
                without_credentials(url));
  api.curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t seconds = 0;
  api.curl_easy_getinfo(curl.get(), CURLINFO_RETRY_AFTER, &seconds);
  answer.retry_after = Nanos{std::clamp<std::int64_t>(seconds, 0, most_seconds) * 1'000'000'000};
  return answer;
}

Result<void> check_url(const std::string& url) {
  WEIR_TRY_VOID(parse_url(url));
  return {};
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && text.size() - i > 2 &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      plain += static_cast<char>(value);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
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
