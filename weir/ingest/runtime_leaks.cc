#include "weir/ingest/runtime_leaks.h"

#include <fmt/format.h>

#include "weir/bytes/cursor.h"
#include "weir/ingest/tally.h"
#include "weir/pprof/read.h"

namespace weir::ingest {
namespace {

constexpr std::string_view folder = "/debug/pprof/";

/// Go answers an unknown profile's name with 404.
tl::unexpected<Error> no_profile(Error error) {
  if (error.code != ErrorCode::not_found) return fail(std::move(error));
  return fail(ErrorCode::unsupported,
              "the program serves no goroutineleak profile: Go 1.27 has it, and 1.26 when built "
              "with GOEXPERIMENT=goroutineleakprofile");
}

}  // namespace

Result<std::string> leak_profile_url(std::string_view word) {
  const std::string url = profile_url(word);
  const auto at = url.find(folder);
  if (at == std::string::npos)
    return fail(ErrorCode::usage, "a leak profile is looked for below /debug/pprof/ only",
                without_credentials(url));
  return url.substr(0, at + folder.size()) + "goroutineleak";
}

Result<model::Tally> read_runtime_leaks(const std::string& name, const HttpOptions& options) {
  WEIR_TRY(const std::string url, leak_profile_url(name));
  pprof::ProfileReader reader;
  const auto fetched = fetch(
      url, options, [&](std::string_view piece) { return reader.feed(bytes::as_bytes(piece)); });
  if (!fetched) return no_profile(fetched.error());
  auto profile = reader.finish();
  if (!profile) return fail(std::move(profile).error().with(without_credentials(url)));
  WEIR_TRY(auto tally, tally_profile(*profile));
  tally.source.name = without_credentials(name);
  return tally;
}

}  // namespace weir::ingest
