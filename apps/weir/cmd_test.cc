// weir test: go test, with every test binary under weir exec.
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/explore_run.h"
#include "apps/weir/explore_test.h"
#include "apps/weir/gate_flags.h"
#include "apps/weir/gate_output.h"
#include "apps/weir/go_test_args.h"
#include "apps/weir/results_folder.h"
#include "apps/weir/temporary_folder.h"
#include "apps/weir/test_profiles.h"
#include "weir/analysis/schedule_end.h"
#include "weir/report/schedule_text.h"

namespace weir::app {
namespace {

namespace fs = std::filesystem;

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir test [flags] [go test flags] [packages]\n\n"
      "Runs go test with each test binary under `weir exec`, and tells for each test which\n"
      "goroutines it left behind. Output, exit code and flags of go test are as ever. weir's "
      "flags\n"
      "stand before the packages; a flag that go test has too is go test's, and weir's own is "
      "then\n"
      "written -weir.NAME. With -v, goroutine counts for each test are printed.\n\nflags:\n{}\n"
      "examples:\n"
      "  weir test ./...\n"
      "  weir test -run TestServer -count=10 -race ./server\n"
      "  weir test -settle=3s -baseline leaks.json ./...\n"
      "  weir test -profile block,mutex ./...\n"
      "  weir test -ignore-any 'go.opencensus.io/*' -junit leaks.xml ./...\n"
      "  weir test -explore 30s ./...\n"
      "  weir test -schedtrace 100 -checkptr ./...\n",
      flags.help());
}

pid_t child = 0;
void hand_on(int signal) {
  if (child > 0) kill(child, signal);
}
void nothing(int) {}

/// Ctrl-C reaches go test by itself, as one of the terminal's foreground group; what it then says
/// must still be reported. A signal sent to weir alone is handed on.
void prepare_signals() {
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  action.sa_handler = nothing;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGQUIT, &action, nullptr);
  action.sa_handler = hand_on;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

/// Runs the command to its end: its exit code, or 128 + the signal. Errors: io.
Result<int> run_command(std::vector<std::string> argv) {
  prepare_signals();
  const auto words = pointers(argv);
  const int error = posix_spawnp(&child, words[0], nullptr, nullptr, words.data(), environ);
  if (error != 0)
    return fail(ErrorCode::io, fmt::format("cannot start {}; is Go installed?", argv[0]), {},
                error);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  child = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// go test … -exec 'weir exec …' …; -C must stay the first flag.
Result<std::vector<std::string>> go_command(const std::string& go, const GoTestArgs& args,
                                            const model::GateOptions& options,
                                            const GateRequest& request) {
  std::error_code error;
  std::vector<std::string> runner = {fs::read_symlink("/proc/self/exe", error).string(), "exec"};
  if (error) return fail(ErrorCode::io, "weir cannot find its own program", {}, error.value());
  const auto flags = exec_flags(options, request);
  runner.insert(runner.end(), flags.begin(), flags.end());
  runner.emplace_back("--");
  WEIR_TRY(const std::string quoted, quote_words(runner));
  std::vector<std::string> command = {go, "test"};
  std::size_t taken = 0;
  if (!args.words.empty()) {
    const auto first = split_flag(args.words[0]);
    if (first && first->name == "C") taken = first->has_value ? 1 : 2;
  }
  taken = std::min(taken, args.words.size());
  const auto split = args.words.begin() + static_cast<std::ptrdiff_t>(taken);
  command.insert(command.end(), args.words.begin(), split);
  command.push_back("-exec=" + quoted);
  if (request.checkptr) command.emplace_back("-gcflags=all=-d=checkptr");
  command.insert(command.end(), split, args.words.end());
  return command;
}

bool has_flag(const std::vector<std::string>& words, std::string_view name) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    const auto flag = split_flag(word);
    return flag && flag->name == name;
  });
}

void say_clean(const std::vector<model::ExecResult>& results) {
  const bool clean = std::all_of(results.begin(), results.end(), [](const auto& result) {
    return result.findings.empty() && !result.stuck && result.not_checked.empty() &&
           result.child_code == 0;
  });
  if (clean && !results.empty())
    fmt::print(stderr, "weir: {} test {} checked: no goroutine left behind\n", results.size(),
               results.size() == 1 ? "binary" : "binaries");
}

/// What `weir test` itself asks for, beside the gate.
struct TestRequest {
  std::string go = "go";
  std::optional<Nanos> explore;  ///< so long for each test
  std::string schedules = "weir-schedules";
};

model::Explored to_explored(const model::Exploration& one) {
  model::Explored explored{one.package, one.test, one.control, one.why, one.schedules, {}, {},
                           {},          {},       0,           0};
  if (!one.finding) return explored;
  const model::ExploreFinding& finding = *one.finding;
  explored.outcome = finding.schedule.outcome;
  explored.message = finding.schedule.message;
  explored.file = finding.file;
  explored.confirmed = finding.confirmed;
  explored.replayed = finding.replayed;
  explored.place = analysis::place_of_fault(finding.schedule, finding.end);
  return explored;
}

/// The second half of -explore: each test once more, under weir's own scheduler.
Result<std::vector<model::Explored>> explore_tests(const TestRequest& request,
                                                   const BinaryArgs& args,
                                                   const model::GateOptions& options) {
  ExploreRequest explore;
  explore.search.time = *request.explore;
  explore.search.run.arguments = args.arguments;
  WEIR_TRY(explore.search.run.leaks, leak_rule_of(options));
  explore.run = args.run;
  explore.skip = args.skip;
  explore.build = {request.go, args.build};
  explore.folder = request.schedules;
  for (const std::string& flag : args.left_out)
    fmt::print(stderr, "weir: exploring without {}: weir does not control such programs\n", flag);
  report::ScheduleTextOptions text;
  std::error_code ignored;
  text.root = fs::current_path(ignored).string();
  std::vector<model::Explored> all;
  WEIR_TRY_VOID(explore_targets(explore, args.packages, [&](const model::Exploration& one) {
    if (one.finding) fmt::print(stderr, "{}\n", report::render_exploration(one, text));
    all.push_back(to_explored(one));
  }));
  return all;
}

Result<int> test(const TestRequest& wanted, const GoTestArgs& args, const GateRequest& request,
                 model::GateOptions options) {
  options.verbose |= args.verbose;
  if (auto baseline = read_baseline(options); !baseline) return fail(std::move(baseline).error());
  WEIR_TRY(const TemporaryFolder folder, TemporaryFolder::make("weir-test-"));
  WEIR_TRY(const auto command, go_command(wanted.go, args, options, request));
  setenv(results_variable, folder.path().c_str(), 1);
  WEIR_TRY(const int go_code, run_command(command));
  unsetenv(results_variable);
  WEIR_TRY(auto results, read_results(folder.path()));
  say_clean(results);
  // A package that failed is in go test's own code.
  for (model::ExecResult& result : results) result.child_code = 0;
  Publication publication{!args.partial, false, {}};
  if (wanted.explore) {
    WEIR_TRY(publication.explored, explore_tests(wanted, binary_args(args), options));
  }
  WEIR_TRY(const int code, publish(std::move(results), options, request, publication));
  return go_code != 0 ? go_code : code;
}

}  // namespace

int run_test(const std::vector<std::string>& args) {
  GateRequest request;
  TestRequest wanted;
  std::vector<Flag> all = gate_flags(request, "weir.json");
  all.push_back({"explore", "time", "then explore the schedules of each test, at most so long",
                 [&wanted](const std::string& value) -> Result<void> {
                   WEIR_TRY(wanted.explore, report::parse_duration(value));
                   return {};
                 }});
  all.push_back({"schedules", "folder", "write what -explore finds there (weir-schedules)",
                 set_text(wanted.schedules)});
  all.push_back({"go", "file", "the go command to run (go)", set_text(wanted.go)});
  const FlagSet flags(std::move(all));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  auto split = split_go_test_args(args, flags);
  if (!split) return complain_usage(split.error(), "test");
  const auto options = load_options(request);
  if (!options) return complain_usage(options.error(), "test");
  if (const auto twice = check_profiles(request.profiles, split->words); !twice)
    return complain_usage(twice.error(), "test");
  if (request.checkptr && has_flag(split->words, "gcflags"))
    return complain_usage(Error{ErrorCode::usage,
                                "-checkptr is itself a -gcflags, of which go test takes one; -race "
                                "checks pointers, too",
                                {},
                                0,
                                {}},
                          "test");
  if (options->off) {
    std::vector<std::string> command = {wanted.go, "test"};
    command.insert(command.end(), split->words.begin(), split->words.end());
    execvp(command[0].c_str(), pointers(command).data());
    return complain(Error{ErrorCode::io, "cannot start go", wanted.go, errno, {}});
  }
  const auto code = test(wanted, *split, request, *options);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
