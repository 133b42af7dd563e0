#include "apps/weir/prof_collect.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <future>

#include "weir/bytes/mapped_file.h"
#include "weir/ingest/profile_source.h"

namespace weir::app {
namespace {

namespace fs = std::filesystem;

bool is_timed(const std::string& kind) {
  return kind == "cpu" || kind == "block" || kind == "mutex";
}

/// "http://host:6060/debug/pprof/" of whatever names the server.
Result<std::string> profiles_of(const std::string& server) {
  if (!ingest::looks_like_url(server))
    return fail(ErrorCode::usage,
                fmt::format("-collect needs a URL or host:port, not \"{}\"", server));
  std::string url = ingest::pprof_url(server, 0);
  const auto at = url.find("/debug/pprof/");
  if (at == std::string::npos)
    return fail(ErrorCode::usage, "-collect needs the URL of a server, or of its /debug/pprof/");
  return url.substr(0, at) + "/debug/pprof/";
}

Result<std::string> fetch_all(const std::string& url, const ingest::HttpOptions& http) {
  std::string body;
  WEIR_TRY_VOID(ingest::fetch(url, http, [&body](std::string_view piece) -> Result<void> {
    body += piece;
    return {};
  }));
  return body;
}

Result<void> check_kinds(const std::vector<std::string>& kinds) {
  for (const std::string& kind : kinds) {
    const bool plain =
        !kind.empty() && kind.front() != '.' && std::all_of(kind.begin(), kind.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '_' || c == '-' || c == '.';
        });
    if (!plain) return fail(ErrorCode::usage, fmt::format("\"{}\" is no name of a profile", kind));
  }
  return {};
}

std::string folder_name(const std::string& profiles) {
  std::string host = ingest::without_credentials(profiles);
  host = host.substr(host.find("://") + 3);
  host = host.substr(0, host.find('/'));
  std::replace(host.begin(), host.end(), ':', '-');
  return fmt::format("weir-{}-{:%Y%m%d-%H%M%S}", host, fmt::localtime(std::time(nullptr)));
}

}  // namespace

Result<Bundle> collect(const std::string& server, const CollectRequest& request,
                       const ingest::HttpOptions& http) {
  WEIR_TRY_VOID(check_kinds(request.kinds));
  WEIR_TRY(const std::string profiles, profiles_of(server));
  ingest::HttpOptions options = http;
  options.timeout = Nanos{options.timeout.value + std::int64_t{request.seconds} * 1'000'000'000};
  std::vector<std::future<Result<std::string>>> answers;
  for (const std::string& kind : request.kinds) {
    std::string url = profiles + (kind == "cpu" ? "profile" : kind);
    if (is_timed(kind)) url += fmt::format("?seconds={}", request.seconds);
    answers.push_back(std::async(std::launch::async, fetch_all, url, options));
  }
  Bundle bundle;
  bundle.folder = request.folder.empty() ? folder_name(profiles) : request.folder;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Collected one{request.kinds[i], {}, 0, {}};
    auto body = answers[i].get();
    bodies.push_back(body ? std::move(*body) : std::string());
    if (!body) {
      one.error = to_string(body.error());
    } else if (const auto profile = ingest::parse_profile(bodies.back()); profile) {
      one.samples = profile->samples.size();
    } else {
      one.error = to_string(profile.error());
    }
    bundle.profiles.push_back(std::move(one));
  }
  std::error_code error;
  fs::create_directories(bundle.folder, error);
  if (error) return fail(ErrorCode::io, "the folder cannot be made", bundle.folder, error.value());
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    Collected& one = bundle.profiles[i];
    if (!one.error.empty()) continue;
    one.file = (fs::path(bundle.folder) / (one.kind + ".pb.gz")).string();
    WEIR_TRY_VOID(bytes::write_file(one.file, bodies[i]));
  }
  return bundle;
}

}  // namespace weir::app
