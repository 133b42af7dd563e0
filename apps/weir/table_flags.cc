#include "apps/weir/table_flags.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "apps/weir/terminal.h"
#include "weir/report/gate_text.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

using Setter = std::function<Result<void>(const std::string&)>;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Setter set_duration(Nanos& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, report::parse_duration(value));
    return {};
  };
}

Setter set_pattern(std::optional<Pattern>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, Pattern::compile(value));
    return {};
  };
}

Result<void> set_by(analysis::TopQuery& query, const std::string& value) {
  using model::TopBy;
  if (value.starts_with("label=") && value.size() > 6) {
    query.by = TopBy::label;
    query.label = value.substr(6);
    return {};
  }
  for (const TopBy by : {TopBy::fingerprint, TopBy::state, TopBy::function, TopBy::created,
                         TopBy::package, TopBy::stack}) {
    if (value != to_string(by)) continue;
    query.by = by;
    return {};
  }
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of fingerprint, state, func, created, package, stack and "
                          "label=KEY",
                          value));
}

Result<void> add_label(analysis::TopFilter& filter, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ErrorCode::usage, fmt::format("\"{}\" is not key=value", value));
  filter.labels.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
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
  std::vector<Flag> flags{
      {"light", "", "a process: stop only what runs", set_switch(evidence.live.light)},
      {"max-stop", "time", "a process: let it go after so long (100ms)",
       set_duration(evidence.live.max_stop)},
  };
  for (Flag& flag : http_flags(evidence.http)) flags.push_back(std::move(flag));
  return flags;
}

std::vector<Flag> http_flags(ingest::HttpOptions& http) {
  // A command line can be read by everybody on the machine; an environment by its owner only.
  http.basic_auth = environment("WEIR_HTTP_AUTH");
  http.bearer_token = environment("WEIR_HTTP_BEARER");
  return {
      {"timeout", "time", "a URL: give up after so long (2m)", set_duration(http.timeout)},
      {"auth", "user:pass", "a URL: basic authentication; also WEIR_HTTP_AUTH, ~/.netrc",
       set_text(http.basic_auth)},
      {"bearer", "token", "a URL: an Authorization header; also WEIR_HTTP_BEARER",
       set_text(http.bearer_token)},
      {"cacert", "file", "a URL: trust these certificates (PEM)", set_text(http.ca_file)},
      {"cert", "file", "a URL: the client's certificate (PEM)", set_text(http.cert_file)},
      {"key", "file", "a URL: its key, if it is not in that file", set_text(http.key_file)},
      {"insecure", "", "a URL: take any TLS certificate", set_switch(http.insecure)},
  };
}

Flag exe_flag(ingest::CoreOptions& core) {
  return {"exe", "file", "a core: its executable, or a folder that has it; may be repeated",
          [&core](const std::string& value) -> Result<void> {
            core.executables.push_back(value);
            return {};
          }};
}

Flag max_memory_flag(ingest::ProofOptions& options) {
  return {"max-mem", "MB", "memory that a proof may take (4096)",
          [&options](const std::string& value) -> Result<void> {
            WEIR_TRY(const int megabytes, parse_count(value));
            options.max_memory = static_cast<std::uint64_t>(megabytes) << 20;
            return {};
          }};
}

std::vector<Flag> query_flags(analysis::TopQuery& query) {
  return {
      {"by", "what", "fingerprint (default), state, func, created, package, stack, label=K",
       [&query](const std::string& value) { return set_by(query, value); }},
      {"state", "RE", "only goroutines whose state matches (\"chan receive\")",
       set_pattern(query.filter.state)},
      {"focus", "RE", "only those with a matching function or file on the stack",
       set_pattern(query.filter.focus)},
      {"ignore", "RE", "not those with one", set_pattern(query.filter.ignore)},
      {"label", "k=v", "only those with this pprof label; may be repeated",
       [&query](const std::string& value) { return add_label(query.filter, value); }},
      {"min-wait", "time", "only those known to have waited so long",
       [&query](const std::string& value) -> Result<void> {
         WEIR_TRY(query.filter.min_wait, report::parse_duration(value));
         return {};
       }},
  };
}

void complete(TableRequest& request) {
  request.text.colour = stdout_has_colour();
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
}

}  // namespace weir::app
