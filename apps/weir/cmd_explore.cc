// weir explore: searches the schedules of tests.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/explore_test.h"
#include "apps/weir/flags.h"
#include "apps/weir/gate_flags.h"
#include "apps/weir/temporary_folder.h"
#include "apps/weir/terminal.h"
#include "apps/weir/test_binaries.h"
#include "weir/bytes/mapped_file.h"
#include "weir/report/gate_text.h"
#include "weir/report/schedule_file.h"
#include "weir/report/schedule_text.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

struct ExploreRequest {
  sched::SearchOptions search;
  std::string run = ".";
  std::string go = "go";
  std::string folder = ".";  ///< for schedule files
  bool json = false;
  GateRequest gate;  ///< which goroutines are no leak
  report::ScheduleTextOptions text;
};

std::atomic<bool> interrupted{false};
void interrupt(int) {
  interrupted = true;
}

Result<std::uint64_t> parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no whole number of at least 0", text));
  return seed;
}

Result<sched::Strategy> parse_strategy(const std::string& text) {
  for (const auto strategy : {sched::Strategy::mixed, sched::Strategy::delay, sched::Strategy::pct,
                              sched::Strategy::random})
    if (text == to_string(strategy)) return strategy;
  return fail(ErrorCode::usage, fmt::format("\"{}\" is none of mixed, delay, pct, random", text));
}

std::vector<Flag> explore_flags(ExploreRequest& request) {
  std::vector<Flag> flags = {
      {"run", "regexp", "the tests to explore (all), as in go test -list", set_text(request.run)},
      {"n", "N", "at most N schedules for each test (1000); 0: no bound",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         request.search.schedules = static_cast<std::size_t>(n);
         return {};
       }},
      {"for", "time", "at most so long for each test (60s); 0: no bound",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.search.time, report::parse_duration(value));
         return {};
       }},
      {"strategy", "name", "mixed (default), delay, pct or random",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.search.strategy, parse_strategy(value));
         return {};
       }},
      {"seed", "N", "where random choices begin (1)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.search.run.seed, parse_seed(value));
         return {};
       }},
      {"o", "folder", "write schedule files there (.)", set_text(request.folder)},
      {"points", "N", "print the last N points of a schedule (40); 0: all",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         request.text.points = static_cast<std::size_t>(n);
         return {};
       }},
      {"json", "", "print JSON instead of text", set_switch(request.json)},
      {"go", "file", "the go command to build with (go)", set_text(request.go)},
  };
  for (Flag& flag : ignore_flags(request.gate)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir explore [flags] [packages | TEST_BINARY]\n\n"
      "Runs each test again and again, decides itself which goroutine goes on next, and so looks\n"
      "for deadlocks, leaked goroutines, panics and failures that hardly ever happen by chance.\n"
      "The test binary is an ordinary one; nothing in it is changed. What is found has been\n"
      "replayed ten times, and is written to a file that `weir replay` runs again.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir explore -run TestPool ./pool\n"
      "  weir explore -for 5m -n 0 -strategy delay -run '^TestClose$' .\n"
      "  go test -c -o pool.test ./pool && weir explore pool.test\n\n"
      "exit codes: 0 nothing found, 1 a fault was found, 2 wrong usage or weir's own failure\n",
      flags.help());
}

std::string file_name_for(std::string test) {
  for (char& c : test)
    if (c == '/') c = '_';
  return test + ".schedule";
}

Result<void> save(const ExploreRequest& request, const TestTarget& target,
                  model::Exploration& exploration) {
  if (!exploration.finding) return {};
  model::ExploreFinding& finding = *exploration.finding;
  finding.schedule.weir_version = WEIR_VERSION;
  finding.schedule.package = target.package;
  finding.schedule.folder = target.folder;
  finding.schedule.test = exploration.test;
  const auto path = std::filesystem::path(request.folder) / file_name_for(exploration.test);
  finding.file = path.lexically_normal().string();
  return bytes::write_file(finding.file, report::render_schedule_file(finding.schedule));
}

/// One line that is overwritten, on a terminal only.
class ProgressLine {
 public:
  ProgressLine() : shown_(isatty(STDERR_FILENO) != 0) {}
  void show(const std::string& test, std::size_t done) const {
    constexpr std::size_t every = 10;
    if (shown_ && done % every == 0) fmt::print(stderr, "\r\x1b[K{}: {} schedules", test, done);
  }
  void clear() const {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  bool shown_;
};

Result<void> explore_target(const ExploreRequest& request, const TestTarget& target,
                            std::vector<model::Exploration>& all) {
  WEIR_TRY(const auto tests, list_tests(target, request.run));
  if (tests.empty()) return {};
  WEIR_TRY(const auto binary, sched::TestBinary::open(target.binary));
  sched::Watchdog watchdog;
  const ProgressLine progress;
  for (const std::string& test : tests) {
    if (interrupted) break;
    sched::SearchOptions options = request.search;
    options.run.pattern = sched::pattern_for(test);
    options.run.folder = target.folder;
    options.stop = &interrupted;
    options.progress = [&](std::size_t done) { progress.show(test, done); };
    auto exploration = explore_test(binary, options, watchdog);
    progress.clear();
    if (!exploration) return fail(std::move(exploration).error().with(test));
    exploration->package = target.package;
    exploration->test = test;
    WEIR_TRY_VOID(save(request, target, *exploration));
    if (!request.json) fmt::print("{}\n", report::render_exploration(*exploration, request.text));
    std::fflush(stdout);
    all.push_back(std::move(*exploration));
  }
  return {};
}

Result<int> explore(const ExploreRequest& request, const std::vector<std::string>& words) {
  WEIR_TRY(auto targets, find_test_targets(request.go, words));
  std::vector<model::Exploration> all;
  for (TestTarget& target : targets) {
    WEIR_TRY(const TemporaryFolder folder, TemporaryFolder::make("weir-explore-"));
    WEIR_TRY_VOID(build_target(request.go, folder.path(), target));
    WEIR_TRY_VOID(explore_target(request, target, all));
  }
  if (request.json) fmt::print("{}", report::render_explorations_json(all));
  if (all.empty() && !interrupted)
    return fail(ErrorCode::not_found, fmt::format("no test matches \"{}\"", request.run));
  const bool found =
      std::any_of(all.begin(), all.end(), [](const auto& one) { return one.finding.has_value(); });
  return found ? code_findings : code_clean;
}

}  // namespace

int run_explore(const std::vector<std::string>& args) {
  ExploreRequest request;
  const FlagSet flags(explore_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto words = flags.parse(args);
  if (!words) return complain_usage(words.error(), "explore");
  const auto gate = load_options(request.gate);
  if (!gate) return complain_usage(gate.error(), "explore");
  request.search.run.leaks = leak_rule(gate->ignore);
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
  request.text.colour = stdout_has_colour();
  struct sigaction action {};
  action.sa_handler = interrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  const auto code = explore(request, *words);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
