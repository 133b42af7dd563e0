#include "apps/weir/table_flags.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "weir/report/gate_text.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

std::function<Result<void>(const std::string&)> set_duration(Nanos& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, report::parse_duration(value));
    return {};
  };
}

}  // namespace

const char* const source_help =
    "SOURCE is a process id; a core file; a file with goroutine text (a panic, SIGQUIT, debug=1 "
    "or\n"
    "debug=2, also within a log), a goroutine profile or a recording, gzipped or not; \"-\" for\n"
    "standard input; or a URL. host:port stands for http://host:port/debug/pprof/goroutine.\n";

std::vector<Flag> table_flags(TableRequest& request) {
  const auto set_top = [&request](const std::string& value) -> Result<void> {
    WEIR_TRY(const int rows, parse_count(value));
    request.text.top = static_cast<std::size_t>(rows);
    return {};
  };
  std::vector<Flag> flags{
      {"top", "N", "print the N largest groups (5); 0 prints all", set_top},
      {"json", "", "print JSON, with all groups", set_switch(request.json)},
  };
  for (Flag& flag : evidence_flags(request.evidence)) flags.push_back(std::move(flag));
  flags.push_back(exe_flag(request.evidence.core));
  return flags;
}

std::vector<Flag> evidence_flags(ingest::EvidenceOptions& evidence) {
  return {
      {"light", "", "a process: stop only what runs", set_switch(evidence.live.light)},
      {"max-stop", "time", "a process: let it go after so long (100ms)",
       set_duration(evidence.live.max_stop)},
      {"timeout", "time", "a URL: give up after so long (2m)", set_duration(evidence.http.timeout)},
      {"auth", "user:pass", "a URL: basic authentication", set_text(evidence.http.basic_auth)},
      {"bearer", "token", "a URL: an Authorization header", set_text(evidence.http.bearer_token)},
      {"insecure", "", "a URL: take any TLS certificate", set_switch(evidence.http.insecure)},
  };
}

Flag exe_flag(ingest::CoreOptions& core) {
  return {"exe", "file", "a core: its executable, or a folder that has it; may be repeated",
          [&core](const std::string& value) -> Result<void> {
            core.executables.push_back(value);
            return {};
          }};
}

void complete(TableRequest& request) {
  request.text.colour = report::wants_colour(isatty(STDOUT_FILENO) != 0, std::getenv("NO_COLOR"),
                                             std::getenv("TERM"), std::getenv("CLICOLOR_FORCE"));
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
}

}  // namespace weir::app
