// weir exec: runs one Go program and looks at what it leaves behind.
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "apps/weir/commands.h"
#include "apps/weir/error_stream.h"
#include "apps/weir/exec_session.h"
#include "apps/weir/gate_flags.h"
#include "apps/weir/gate_output.h"
#include "apps/weir/results_folder.h"
#include "apps/weir/test_profiles.h"
#include "weir/analysis/judge.h"
#include "weir/analysis/schedtrace.h"
#include "weir/ingest/schedtrace.h"

namespace weir::app {
namespace {

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir exec [flags] -- PROGRAM [arguments]\n\n"
      "Runs a Go program, and when it ends looks for goroutines that should be gone. The "
      "program's\n"
      "input, output, signals and exit code are its own; with findings, an exit code of 0 becomes\n"
      "1. It is what `weir test` hands to `go test -exec`.\n\nflags:\n{}\n"
      "examples:\n"
      "  weir exec -- ./server -port 8080\n"
      "  weir exec -settle 3s -- ./app.test -test.v\n"
      "  go test -exec 'weir exec --' ./...\n",
      flags.help());
}

/// WEIR=off: as if weir were not there.
int become(std::vector<std::string> argv) {
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  execvp(words[0], words.data());
  return complain(Error{ErrorCode::io, "cannot start the program", argv[0], errno, {}});
}

/// The child's own way to end: a death by signal stays one.
int end_like(int wait_status, int code) {
  if (!WIFSIGNALED(wait_status)) return code;
  const int signal = WTERMSIG(wait_status);
  prctl(PR_SET_DUMPABLE, 0);  // the child has dumped its core, weir has none to show
  ::signal(signal, SIG_DFL);
  raise(signal);
  return code;
}

/// Under `weir test`: the result goes to a file, and only the exit code is decided here.
Result<int> hand_over(const std::string& folder, const Gated& gated,
                      const model::GateOptions& options) {
  WEIR_TRY_VOID(write_result(folder, gated.result));
  WEIR_TRY(const auto baseline, read_baseline(options));
  model::GateReport report = analysis::put_together({gated.result}, baseline ? &*baseline : nullptr,
                                                    options.strict, false);
  if (options.update_baseline) report.programs[0].findings.clear();
  return model::exit_code(report);
}

/// -schedtrace and -checkptr: both are told on the program's standard error.
Result<Gated> run_watched(const std::vector<std::string>& argv, const GateRequest& request,
                          const model::GateOptions& options) {
  std::vector<std::string> environment = environment_without_folder();
  if (request.schedtrace == 0 && !request.checkptr)
    return run_gated(argv, environment, options, request.ancestors);
  if (request.schedtrace != 0)
    environment =
        ingest::with_godebug(environment, fmt::format("schedtrace={}", request.schedtrace));
  WEIR_TRY(ErrorStream stream, ErrorStream::open());
  auto gated = run_gated(argv, environment, options, request.ancestors);
  WEIR_TRY(ErrorStream::Seen seen, stream.close());
  if (!gated) return gated;
  if (request.checkptr) gated->result.pointer_fault = std::move(seen.fault);
  if (request.schedtrace == 0) return gated;
  gated->result.scheduler = analysis::judge_schedule(std::move(seen.sched.samples));
  gated->result.scheduler->samples.clear();
  gated->result.notes.merge(seen.sched.notes);
  if (gated->result.scheduler->count == 0)
    gated->result.notes.add(Severity::warning,
                            "the program ended before it printed a line of schedtrace", {},
                            "a shorter -schedtrace sees more");
  return gated;
}

Result<int> watch(const std::vector<std::string>& argv, const GateRequest& request,
                  const model::GateOptions& options, const std::string& folder) {
  WEIR_TRY(TestProfiles profiles,
           TestProfiles::prepare(argv, request.profiles, request.profile_folder));
  WEIR_TRY(Gated gated, run_watched(profiles.command(argv), request, options));
  WEIR_TRY_VOID(profiles.take(gated));
  auto code = folder.empty() ? publish({gated.result}, options, request, {true, gated.stuck_told})
                             : hand_over(folder, gated, options);
  if (!code) return code;
  return gated.stuck_told ? *code : end_like(gated.wait_status, *code);
}

}  // namespace

int run_exec(const std::vector<std::string>& args) {
  GateRequest request;
  std::vector<Flag> all = gate_flags(request, "json");
  bool verbose = false;
  all.push_back({"v", "", "goroutine counts for each test: before, after, the peak weir saw",
                 set_switch(verbose)});
  const FlagSet flags(std::move(all));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto argv = flags.parse(args);
  if (!argv) return complain_usage(argv.error(), "exec");
  if (argv->empty())
    return complain_usage(Error{ErrorCode::usage, "no program to run", {}, 0, {}}, "exec");
  if (verbose) request.flags.verbose = true;
  const std::string folder = results_folder();
  // Under weir test the flags are everything: it has read the other places already.
  const auto options = folder.empty()
                           ? load_options(request)
                           : Result<model::GateOptions>(report::merge({}, {}, request.flags));
  if (!options) return complain_usage(options.error(), "exec");
  if (options->off) return become(*argv);
  if (const auto baseline = read_baseline(*options); !baseline)
    return complain_usage(baseline.error(), "exec");  // before the program runs, not after
  const auto code = watch(*argv, request, *options, folder);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
