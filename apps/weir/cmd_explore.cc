// weir explore: searches the schedules of tests.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/explore_run.h"
#include "apps/weir/explore_test.h"
#include "apps/weir/flags.h"
#include "apps/weir/gate_flags.h"
#include "apps/weir/terminal.h"
#include "weir/report/gate_text.h"
#include "weir/report/schedule_text.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

constexpr int most_jobs = 1024;

struct ExploreCommand {
  ExploreRequest request;
  bool json = false;
  GateRequest gate;  ///< which goroutines are no leak
  report::ScheduleTextOptions text;
};

Result<std::uint64_t> parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no whole number of at least 0", text));
  return seed;
}

Result<sched::Strategy> parse_strategy(const std::string& text) {
  for (const auto strategy : {sched::Strategy::mixed, sched::Strategy::delay, sched::Strategy::pct,
                              sched::Strategy::random, sched::Strategy::dpor})
    if (text == to_string(strategy)) return strategy;
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of mixed, delay, pct, random, dpor", text));
}

std::vector<Flag> explore_flags(ExploreCommand& command) {
  std::vector<Flag> flags = {
      {"run", "regexp", "the tests to explore (all), as in go test -list",
       set_text(command.request.run)},
      {"n", "N", "at most N schedules for each test (1000); 0: no bound",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         command.request.search.schedules = static_cast<std::size_t>(n);
         return {};
       }},
      {"for", "time", "at most so long for each test (60s); 0: no bound",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(command.request.search.time, report::parse_duration(value));
         return {};
       }},
      {"strategy", "name", "mixed (default), delay, pct, random or dpor",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(command.request.search.strategy, parse_strategy(value));
         return {};
       }},
      {"seed", "N", "where random choices begin (1)",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(command.request.search.run.seed, parse_seed(value));
         return {};
       }},
      {"j", "N", "run N schedules at a time (the number of CPUs)",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         if (n == 0 || n > most_jobs)
           return fail(ErrorCode::usage, fmt::format("it must be 1 to {}", most_jobs));
         command.request.search.jobs = static_cast<unsigned>(n);
         return {};
       }},
      {"o", "folder", "write schedule files there (.)", set_text(command.request.folder)},
      {"points", "N", "print the last N points of a schedule (40); 0: all",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         command.text.points = static_cast<std::size_t>(n);
         return {};
       }},
      {"json", "", "print JSON instead of text", set_switch(command.json)},
      {"race", "", "build with the race detector, and look for data races, too",
       [&command](const std::string& value) -> Result<void> {
         WEIR_TRY(const bool on, parse_switch(value));
         if (on) command.request.build.flags.emplace_back(race_flag);
         return {};
       }},
      {"go", "file", "the go command to build with (go)", set_text(command.request.build.go)},
  };
  for (Flag& flag : ignore_flags(command.gate)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir explore [flags] [packages | TEST_BINARY]\n\n"
      "Runs each test again and again, decides itself which goroutine goes on next, and so looks\n"
      "for deadlocks, leaked goroutines, panics and failures that hardly ever happen by chance,\n"
      "and with -race, or in a binary that was built so, for data races.\n"
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

Result<int> explore(const ExploreCommand& command, const std::vector<std::string>& words) {
  std::vector<model::Exploration> all;
  WEIR_TRY_VOID(explore_targets(command.request, words, [&](const model::Exploration& one) {
    if (!command.json) fmt::print("{}\n", report::render_exploration(one, command.text));
    std::fflush(stdout);
    all.push_back(one);
  }));
  if (command.json) fmt::print("{}", report::render_explorations_json(all));
  if (all.empty() && !was_interrupted())
    return fail(ErrorCode::not_found, fmt::format("no test matches \"{}\"", command.request.run));
  const bool found =
      std::any_of(all.begin(), all.end(), [](const auto& one) { return one.finding.has_value(); });
  return found ? code_findings : code_clean;
}

}  // namespace

int run_explore(const std::vector<std::string>& args) {
  ExploreCommand command;
  const FlagSet flags(explore_flags(command));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto words = flags.parse(args);
  if (!words) return complain_usage(words.error(), "explore");
  const auto gate = load_options(command.gate);
  if (!gate) return complain_usage(gate.error(), "explore");
  auto leaks = leak_rule_of(*gate);
  if (!leaks) return complain(leaks.error());
  command.request.search.run.leaks = std::move(*leaks);
  std::error_code ignored;
  command.text.root = std::filesystem::current_path(ignored).string();
  command.text.colour = stdout_has_colour();
  const auto code = explore(command, *words);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
