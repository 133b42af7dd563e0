// weir replay: runs a found schedule again, and checks every point of it.
#include <fmt/format.h>

#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/explore_test.h"
#include "apps/weir/flags.h"
#include "apps/weir/temporary_folder.h"
#include "apps/weir/terminal.h"
#include "apps/weir/test_binaries.h"
#include "weir/report/gate_text.h"
#include "weir/report/schedule_text.h"

namespace weir::app {
namespace {

struct ReplayRequest {
  std::size_t times = 1;
  bool output = false;
  std::string go = "go";
  report::ScheduleTextOptions text;
};

std::vector<Flag> replay_flags(ReplayRequest& request) {
  return {
      {"n", "N", "replay N times (1)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         if (n == 0) return fail(ErrorCode::usage, "it has to run at least once");
         request.times = static_cast<std::size_t>(n);
         return {};
       }},
      {"points", "N", "print the last N points of the schedule (40); 0: all",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         request.text.points = static_cast<std::size_t>(n);
         return {};
       }},
      {"output", "", "print what the test writes, Go's traceback included",
       set_switch(request.output)},
      {"go", "file", "the go command to build with (go)", set_text(request.go)},
  };
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir replay [flags] FILE [TEST_BINARY]\n\n"
      "Runs the schedule in FILE, which `weir explore` wrote, checks at every point that the same\n"
      "goroutine does the same, and tells the story: who did what, and who waits for whom at the\n"
      "end. Without a test binary the package is built again; the schedule only fits the build it\n"
      "was found in.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir replay TestPool.schedule\n"
      "  weir replay -n 100 TestPool.schedule pool.test\n"
      "  weir replay -output -points 0 TestPool.schedule\n\n"
      "exit codes: 0 the schedule led to its outcome each time, 1 it did not, 2 wrong usage, "
      "another\n"
      "build of the test, or weir's own failure\n",
      flags.help());
}

/// Checks the run against the schedule, point by point and at its end. What was wrong, or nothing.
Result<std::optional<std::string>> replay_once(const sched::TestBinary& binary,
                                               const model::Schedule& schedule,
                                               sched::Watchdog& watchdog) {
  sched::RunOptions options = run_options_of(schedule);
  options.check = [&schedule](std::size_t index, const sched::RunEvent& event) {
    return sched::find_divergence(schedule, index, event);
  };
  sched::FixedChooser chooser(sched::choices_of(schedule));
  WEIR_TRY(const sched::RunRecord record, run_schedule(binary, options, chooser, watchdog));
  if (record.ending == sched::Ending::diverged) return std::optional(record.message);
  if (record.events.size() != schedule.steps.size())
    return std::optional(fmt::format("it ended after {} of {} points: {} {}", record.events.size(),
                                     schedule.steps.size(), to_string(record.ending),
                                     record.message));
  if (fmt::format("{:016x}", record.hash) != schedule.hash)
    return std::optional(fmt::format("it ended as {} {}, not as {} {}", to_string(record.ending),
                                     record.message, schedule.outcome, schedule.message));
  return std::optional<std::string>{};
}

Result<int> replay(const ReplayRequest& request, const std::vector<std::string>& words) {
  WEIR_TRY(const model::Schedule schedule, read_schedule(words[0]));
  WEIR_TRY(const TemporaryFolder folder, TemporaryFolder::make("weir-replay-"));
  TestTarget target{schedule.package, schedule.folder, words.size() > 1 ? words[1] : ""};
  if (target.binary.empty() && target.package.empty())
    return fail(ErrorCode::usage, "the schedule was found in a test binary; name it after the file",
                words[0]);
  if (!target.binary.empty()) target.binary = std::filesystem::absolute(target.binary).string();
  WEIR_TRY_VOID(build_target(request.go, folder.path(), target));
  WEIR_TRY(const auto binary, sched::TestBinary::open(target.binary));
  WEIR_TRY_VOID(check_binary(schedule, binary));
  sched::Watchdog watchdog;
  for (std::size_t i = 0; i < request.times; ++i) {
    WEIR_TRY(const auto wrong, replay_once(binary, schedule, watchdog));
    if (!wrong) continue;
    fmt::print("{}: replay {} of {} went another way: {}\n", schedule.test, i + 1, request.times,
               *wrong);
    return code_findings;
  }
  WEIR_TRY(const auto last,
           look_at(binary, run_options_of(schedule), sched::choices_of(schedule), watchdog));
  fmt::print("{}: {}: {}\n  replayed {} of {}, every one of {} points as in the file\n\n",
             schedule.test, schedule.outcome, schedule.message, request.times, request.times,
             schedule.steps.size());
  fmt::print("{}", report::render_timeline(schedule, request.text));
  if (last.end) fmt::print("\n{}", report::render_schedule_end(*last.end, request.text));
  if (request.output) fmt::print("\noutput of the test:\n{}", last.output);
  return code_clean;
}

}  // namespace

int run_replay(const std::vector<std::string>& args) {
  ReplayRequest request;
  const FlagSet flags(replay_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto words = flags.parse(args);
  if (!words) return complain_usage(words.error(), "replay");
  if (words->empty() || words->size() > 2)
    return complain_usage(
        Error{ErrorCode::usage, "a schedule file is needed; flags come first", {}, 0, {}},
        "replay");
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
  request.text.colour = stdout_has_colour();
  const auto code = replay(request, *words);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
