#include "apps/weir/gate_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "apps/weir/test_profiles.h"
#include "weir/analysis/judge.h"
#include "weir/bytes/mapped_file.h"
#include "weir/report/baseline.h"
#include "weir/report/gate_files.h"
#include "weir/report/gate_text.h"

namespace weir::app {
namespace {

report::TextOptions text_options(const model::GateOptions& options) {
  report::TextOptions text;
  text.top = options.top;
  text.verbose = options.verbose;
  text.root = module_root();
  const char* forced = std::getenv("CLICOLOR_FORCE");
  text.colour =
      report::wants_colour(isatty(STDERR_FILENO) != 0, std::getenv("NO_COLOR"), std::getenv("TERM"),
                           forced != nullptr ? forced : std::getenv("FORCE_COLOR"));
  return text;
}

void print_report(model::GateReport report, const model::GateOptions& options, bool stuck_told) {
  const auto text = text_options(options);
  if (stuck_told)
    for (model::ExecResult& program : report.programs) program.stuck.reset();
  fmt::print(stderr, "{}", report::render_gate_text(report, text));
  const char* actions = std::getenv("GITHUB_ACTIONS");
  if (actions != nullptr && std::string_view(actions) == "true")
    fmt::print(stderr, "{}", report::render_github_annotations(report, module_root()));
}

Result<void> write_files(const model::GateReport& report, const model::GateOptions& options,
                         const GateRequest& request) {
  if (!options.junit.empty())
    WEIR_TRY_VOID(bytes::write_file(options.junit, report::render_junit(report)));
  if (!options.sarif.empty())
    WEIR_TRY_VOID(bytes::write_file(options.sarif,
                                    report::render_sarif(report, {WEIR_VERSION, module_root()})));
  if (request.json == "-") {
    fmt::print("{}", report::render_gate_json(report));
    std::fflush(stdout);
  } else if (!request.json.empty()) {
    WEIR_TRY_VOID(bytes::write_file(request.json, report::render_gate_json(report)));
  }
  return {};
}

}  // namespace

Result<std::optional<model::Baseline>> read_baseline(const model::GateOptions& options) {
  if (options.baseline.empty()) return std::optional<model::Baseline>();
  std::error_code ignored;
  if (!std::filesystem::exists(options.baseline, ignored)) {
    if (options.update_baseline) return std::optional<model::Baseline>(model::Baseline{});
    return fail(ErrorCode::usage,
                "the baseline is not there; the same command with -update-baseline makes it",
                options.baseline);
  }
  WEIR_TRY(const std::string text, bytes::read_file(options.baseline));
  WEIR_TRY(auto baseline, report::parse_baseline(text, options.baseline));
  return std::optional<model::Baseline>(std::move(baseline));
}

Result<int> publish(std::vector<model::ExecResult> programs, const model::GateOptions& options,
                    const GateRequest& request, const Publication& publication) {
  WEIR_TRY(auto baseline, read_baseline(options));
  auto report = analysis::put_together(std::move(programs), baseline ? &*baseline : nullptr,
                                       options.strict, publication.whole_run);
  report.explored = publication.explored;
  if (options.update_baseline) {
    *baseline = analysis::update_baseline(*baseline, report);
    WEIR_TRY_VOID(bytes::write_file(options.baseline, report::render_baseline(*baseline)));
    fmt::print(stderr, "weir: {} known findings written to {}\n", baseline->entries.size(),
               options.baseline);
    for (model::ExecResult& program : report.programs)
      analysis::mark_known(program.findings, *baseline);
    report.not_seen.clear();
    report.strict = false;
  }
  WEIR_TRY(report.health, judge_profiles(report.programs));
  print_report(report, options, publication.stuck_told);
  WEIR_TRY_VOID(write_files(report, options, request));
  return model::exit_code(report);
}

}  // namespace weir::app
