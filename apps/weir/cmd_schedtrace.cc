// weir schedtrace: what GODEBUG=schedtrace says of a program's scheduler.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "apps/weir/commands.h"
#include "apps/weir/flags.h"
#include "apps/weir/sched_live.h"
#include "apps/weir/sched_looks.h"
#include "apps/weir/terminal.h"
#include "weir/analysis/schedtrace.h"
#include "weir/ingest/sched_run.h"
#include "weir/report/gate_text.h"
#include "weir/report/schedtrace_text.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

struct SchedRequest {
  Nanos every{100'000'000};
  bool detail = false;
  bool json = false;
  bool live = false;
};

std::vector<Flag> sched_flags(SchedRequest& request) {
  return {
      {"every", "time", "a program: how often it prints a line (100ms)",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.every, report::parse_duration(value));
         if (request.every.value < 1'000'000 || request.every.value > 3'600'000'000'000)
           return fail(ErrorCode::usage, "the runtime takes 1ms to 1h");
         return {};
       }},
      {"detail", "", "a program: every goroutine, too (GODEBUG=scheddetail=1)",
       set_switch(request.detail)},
      {"live", "", "a program: show the scheduler's state while it runs", set_switch(request.live)},
      {"json", "", "print JSON, with all samples", set_switch(request.json)},
  };
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir schedtrace [flags] FILE\n"
      "       weir schedtrace [flags] -- PROGRAM [arguments]\n\n"
      "Reads the lines that a Go program prints under GODEBUG=schedtrace=N (and scheddetail=1),\n"
      "among whatever else is in its standard error, and says what they mean: how long the run\n"
      "queues are, Ps that idle while goroutines wait, a scheduler that stands still, threads\n"
      "that grow. FILE may be \"-\". With a program, weir starts it with that setting, passes its\n"
      "output through, and reports at its end; when it finds the scheduler stalled or frozen, it\n"
      "looks at the program's goroutines, as weir top does, and reports these, too.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir schedtrace -- ./server -port 8080\n"
      "  weir schedtrace -every 1s -detail -- ./server\n"
      "  weir schedtrace -live -- ./server\n"
      "  kubectl logs web-7 | weir schedtrace -\n\n"
      "exit codes: 0 nothing wrong, 1 a finding (stalled, frozen, unserved, threads), 2 wrong\n"
      "usage or weir's own failure; a failing program's own code is kept.\n",
      flags.help());
}

int tell(ingest::SchedLines lines, const std::string& source,
         const std::vector<model::SchedLook>& looks, const SchedRequest& request, int child_code) {
  model::SchedReport report = analysis::judge_schedule(std::move(lines.samples));
  report.source = source;
  report.notes = std::move(lines.notes);
  std::error_code ignored;
  const report::TopOptions options{.colour = stdout_has_colour(),
                                   .root = std::filesystem::current_path(ignored).string()};
  fmt::print("{}", request.json ? report::render_schedule_json(report, looks)
                                : report::render_schedule(report, looks, options));
  if (child_code != 0) return child_code;
  return std::ranges::any_of(report.verdicts, &model::SchedVerdict::is_finding) ? code_findings
                                                                                : code_clean;
}

int run_program(const std::vector<std::string>& argv, const SchedRequest& request) {
  SchedLooks looks;
  std::optional<SchedLive> live;
  ingest::SchedRunOptions options;
  options.millis = static_cast<int>(request.every.value / 1'000'000);
  options.detail = request.detail;
  if (request.live) {
    live.emplace();
    options.take_output = live->needs_output();
    options.on_line = [&live](int fd, std::string_view line) { live->line(fd, line); };
  }
  options.on_sample = [&](const model::SchedSample& sample, pid_t program) {
    looks.take(sample, program);
    if (live) live->sample(sample);
  };
  auto run = ingest::run_with_schedtrace(argv, options);
  live.reset();
  if (!run) return complain(run.error());
  if (run->lines.samples.empty()) {
    fmt::print(stderr,
               "weir: {} printed no schedtrace line: it is no Go program, or ended before "
               "{}\n",
               argv.front(), to_text(request.every));
    return run->code != 0 ? run->code : code_failed;
  }
  return tell(std::move(run->lines), argv.front(), looks.looks(), request, run->code);
}

}  // namespace

int run_schedtrace(const std::vector<std::string>& args) {
  SchedRequest request;
  const FlagSet flags(sched_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "schedtrace");
  if (rest->empty())
    return complain_usage(
        Error{ErrorCode::usage, "a file is needed, or a program behind --", {}, 0, {}},
        "schedtrace");
  if (std::ranges::find(args, "--") == args.end()) {
    if (rest->size() != 1)
      return complain_usage(
          Error{ErrorCode::usage, "one file; a program stands behind --", {}, 0, {}}, "schedtrace");
    if (request.live)
      return complain_usage(
          Error{ErrorCode::usage, "-live shows a program that weir starts: behind --", {}, 0, {}},
          "schedtrace");
    auto lines = ingest::read_sched_file(rest->front());
    if (!lines) return complain(lines.error());
    return tell(std::move(*lines), rest->front() == "-" ? "standard input" : rest->front(), {},
                request, 0);
  }
  return run_program(*rest, request);
}

}  // namespace weir::app
