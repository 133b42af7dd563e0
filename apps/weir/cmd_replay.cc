// weir replay: runs a found schedule again, and checks every point of it.
#include <fmt/format.h>
#include <signal.h>

#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/explore_test.h"
#include "apps/weir/flags.h"
#include "apps/weir/source_lines.h"
#include "apps/weir/temporary_folder.h"
#include "apps/weir/terminal.h"
#include "apps/weir/test_binaries.h"
#include "weir/bytes/mapped_file.h"
#include "weir/report/gate_text.h"
#include "weir/report/schedule_diagram.h"
#include "weir/report/schedule_skeleton.h"
#include "weir/report/schedule_text.h"
#include "weir/sched/token.h"

namespace weir::app {
namespace {

struct ReplayRequest {
  std::size_t times = 1;
  bool output = false;
  std::size_t stop_at = 0;  ///< point; 0: nowhere
  std::string go = "go";
  std::string svg, html, emit_test;  ///< files to write; empty: none
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
      {"stop-at", "N", "leave the process stopped before point N, for a debugger",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         if (n == 0) return fail(ErrorCode::usage, "points are counted from 1");
         request.stop_at = static_cast<std::size_t>(n);
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
      {"svg", "file", "draw the schedule as a sequence diagram", set_text(request.svg)},
      {"html", "file", "the same as a page", set_text(request.html)},
      {"emit-test", "file", "write the beginning of a Go test that forces the same order",
       set_text(request.emit_test)},
      {"go", "file", "the go command to build with (go)", set_text(request.go)},
  };
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir replay [flags] FILE|TOKEN [TEST_BINARY]\n\n"
      "Runs the schedule in FILE, which `weir explore` wrote, or of a token (x:…), checks at every "
      "point that the same\n"
      "goroutine does the same, and tells the story: who did what, and who waits for whom at the\n"
      "end. Without a test binary the package is built again; the schedule only fits the build it\n"
      "was found in.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir replay TestPool.schedule\n"
      "  weir replay -n 100 TestPool.schedule pool.test\n"
      "  weir replay -output -points 0 TestPool.schedule\n"
      "  weir replay -stop-at 12 TestPool.schedule\n"
      "  weir replay -html pool.html -emit-test pool_order_test.go TestPool.schedule\n\n"
      "exit codes: 0 the schedule led to its outcome each time, 1 it did not, 2 wrong usage, "
      "another\n"
      "build of the test, or weir's own failure\n",
      flags.help());
}

/// Checks the run against the schedule, point by point and at its end. What was wrong; empty:
/// nothing.
Result<std::string> replay_once(const sched::TestBinary& binary, const model::Schedule& schedule,
                                sched::Watchdog& watchdog) {
  sched::RunOptions options = run_options_of(schedule);
  options.check = [&schedule](std::size_t index, const sched::RunEvent& event) {
    return sched::find_divergence(schedule, index, event);
  };
  sched::FixedChooser chooser(sched::choices_of(schedule));
  WEIR_TRY(const sched::RunRecord record, run_schedule(binary, options, chooser, watchdog));
  if (record.ending == sched::Ending::diverged) return record.message;
  if (record.events.size() != schedule.steps.size())
    return fmt::format("it ended after {} of {} points: {} {}", record.events.size(),
                       schedule.steps.size(), to_string(record.ending), record.message);
  if (fmt::format("{:016x}", record.hash) != schedule.hash)
    return fmt::format("it ended as {} {}, not as {} {}", to_string(record.ending), record.message,
                       schedule.outcome, schedule.message);
  return std::string();
}

/// The test binary of a schedule: the one given, or the package built again.
Result<TestTarget> binary_of(const BuildRequest& build, const std::string& folder,
                             TestTarget target, const std::string& given) {
  if (given.empty() && target.package.empty())
    return fail(ErrorCode::usage,
                "the schedule was found in a test binary; name it after the schedule");
  if (!given.empty()) target.binary = std::filesystem::absolute(given).string();
  WEIR_TRY_VOID(build_target(build, folder, target));
  return target;
}

/// A token does not say what the run did: it is run once to know, and the hash tells whether that
/// is the run that was meant.
Result<model::Schedule> schedule_of_token(const sched::Token& token, const TestTarget& target,
                                          const sched::TestBinary& binary,
                                          sched::Watchdog& watchdog) {
  if (token.build != sched::hash_of_text(binary.build_id()))
    return fail(ErrorCode::invalid, "the token belongs to another build of the test",
                binary.path());
  if (token.hooks != binary.hooks().hash)
    return fail(ErrorCode::unsupported,
                "the token was made by a weir that watches other places of the program; explore "
                "the test again");
  model::Schedule wanted;
  wanted.test = token.test;
  wanted.folder = target.folder;
  wanted.seed = token.seed;
  WEIR_TRY(const auto found, look_at(binary, run_options_of(wanted), token.choices, watchdog));
  model::Schedule schedule = found.schedule;
  if (schedule.hash != fmt::format("{:016x}", token.hash))
    return fail(ErrorCode::invalid,
                fmt::format("the run went another way than the token's: it ended as {}: {}",
                            schedule.outcome, schedule.message));
  schedule.weir_version = WEIR_VERSION;
  schedule.package = token.package;
  schedule.folder = target.folder;
  schedule.test = token.test;
  schedule.strategy = "a token";
  return schedule;
}

Result<void> write_artefacts(const ReplayRequest& request, const model::Schedule& schedule,
                             const std::optional<model::ScheduleEnd>& end) {
  SourceLines lines;
  const auto source = [&lines](const model::CodePlace& place) { return lines.at(place); };
  constexpr std::size_t drawn = 200;  // points
  const report::DiagramOptions diagram{drawn, schedule.folder, source};
  if (!request.svg.empty())
    WEIR_TRY_VOID(
        bytes::write_file(request.svg, report::render_schedule_svg(schedule, end, diagram)));
  if (!request.html.empty())
    WEIR_TRY_VOID(
        bytes::write_file(request.html, report::render_schedule_html(schedule, end, diagram)));
  if (request.emit_test.empty()) return {};
  const auto skeleton = report::render_test_skeleton(schedule, source);
  if (skeleton.orders == 0)
    return fail(
        ErrorCode::unsupported,
        "there is no order of the test's own operations to force: the schedule is Go's own, "
        "or differs from it only inside the standard library");
  WEIR_TRY_VOID(bytes::write_file(request.emit_test, skeleton.text));
  fmt::print("\na starting point for a test was written to {}\n", request.emit_test);
  return {};
}

/// Where the process can stand before point `number`: a select decides which case it takes inside,
/// so that is where the same goroutine came to it.
std::size_t standing_place(const model::Schedule& schedule, std::size_t number) {
  const model::ScheduleStep& wanted = schedule.steps[number - 1];
  if (wanted.operation != "select case") return number;
  for (std::size_t before = number - 1; before > 0; --before) {
    const model::ScheduleStep& step = schedule.steps[before - 1];
    if (step.goroutine == wanted.goroutine && step.operation == "select") return before;
  }
  return number;
}

constexpr const char* standing_help =
    "the process stands there in its own code, and stays when weir ends:\n"
    "  gdb -ex 'handle SIGTRAP nostop noprint pass' -ex 'handle SIGSTOP nostop noprint nopass' \\\n"
    "    /proc/{0}/exe {0}\n"
    "  dlv attach {0}\n"
    "  kill -9 {0}        ends it\n"
    "Thread {1} is the one at that point. Going on follows the schedule: `continue` in gdb (from "
    "a\n"
    "breakpoint set with `tbreak`: `signal 0`), `exit` and n in Delve, or kill -CONT {0}. Delve "
    "can\n"
    "look, but not go on by itself: it takes weir's breakpoints for its own.\n";

Result<int> stop_at(const ReplayRequest& request, const model::Schedule& schedule,
                    const sched::TestBinary& binary, sched::Watchdog& watchdog) {
  if (request.stop_at > schedule.steps.size())
    return fail(ErrorCode::usage, fmt::format("the schedule has {} points", schedule.steps.size()));
  const std::size_t place = standing_place(schedule, request.stop_at);
  sched::RunOptions options = run_options_of(schedule);
  options.check = [&schedule](std::size_t index, const sched::RunEvent& event) {
    return sched::find_divergence(schedule, index, event);
  };
  sched::TestRunner runner(binary, options, watchdog, sched::Beginning::fresh);
  WEIR_TRY(const sched::Standing standing,
           runner.run_to(sched::FixedChooser(sched::choices_of(schedule)),
                         static_cast<std::uint32_t>(place)));
  if (standing.record.ending == sched::Ending::diverged) {
    kill(standing.pid, SIGKILL);
    fmt::print("{}: it went another way: {}\n", schedule.test, standing.record.message);
    return code_findings;
  }
  model::Schedule before = schedule;
  before.steps.resize(place);
  before.outcome = fmt::format("process {} stands before point {}", standing.pid, place);
  before.message.clear();
  fmt::print("{}\n{}\n", schedule.test, report::render_timeline(before, request.text));
  fmt::print(standing_help, standing.pid, standing.thread);
  return code_clean;
}

Result<int> replay_all(const ReplayRequest& request, const model::Schedule& schedule,
                       const sched::TestBinary& binary, sched::Watchdog& watchdog) {
  if (request.stop_at != 0) return stop_at(request, schedule, binary, watchdog);
  for (std::size_t i = 0; i < request.times; ++i) {
    WEIR_TRY(const auto wrong, replay_once(binary, schedule, watchdog));
    if (wrong.empty()) continue;
    fmt::print("{}: replay {} of {} went another way: {}\n", schedule.test, i + 1, request.times,
               wrong);
    return code_findings;
  }
  WEIR_TRY(const auto last,
           look_at(binary, run_options_of(schedule), sched::choices_of(schedule), watchdog));
  fmt::print("{}: {}: {}\n  replayed {} of {}, every one of {} points as in the {}\n\n",
             schedule.test, schedule.outcome, schedule.message, request.times, request.times,
             schedule.steps.size(), schedule.strategy == "a token" ? "first run" : "file");
  fmt::print("{}", report::render_timeline(schedule, request.text));
  if (last.end) fmt::print("\n{}", report::render_schedule_end(*last.end, request.text));
  if (request.output) fmt::print("\noutput of the test:\n{}", last.output);
  WEIR_TRY_VOID(write_artefacts(request, schedule, last.end));
  return code_clean;
}

Result<int> replay(const ReplayRequest& request, const std::vector<std::string>& words) {
  WEIR_TRY(const TemporaryFolder folder, TemporaryFolder::make("weir-replay-"));
  const std::string given = words.size() > 1 ? words[1] : "";
  sched::Watchdog watchdog;
  if (words[0].starts_with(sched::token_prefix)) {
    WEIR_TRY(const sched::Token token, sched::parse_token(words[0]));
    std::error_code ignored;
    TestTarget target{token.package, std::filesystem::current_path(ignored).string(), {}};
    if (given.empty() && !token.package.empty()) {
      WEIR_TRY(const auto found, find_test_targets({request.go, {}}, {token.package}));
      target = found.front();
    }
    WEIR_TRY(target, binary_of({request.go, {}}, folder.path(), target, given));
    WEIR_TRY(const auto binary, sched::TestBinary::open(target.binary));
    WEIR_TRY(const auto schedule, schedule_of_token(token, target, binary, watchdog));
    return replay_all(request, schedule, binary, watchdog);
  }
  WEIR_TRY(const model::Schedule schedule, read_schedule(words[0]));
  WEIR_TRY(const TestTarget target, binary_of(build_request_of(schedule, request.go), folder.path(),
                                              {schedule.package, schedule.folder, {}}, given));
  WEIR_TRY(const auto binary, sched::TestBinary::open(target.binary));
  WEIR_TRY_VOID(check_binary(schedule, binary));
  return replay_all(request, schedule, binary, watchdog);
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
        Error{
            ErrorCode::usage, "a schedule file or a token is needed; flags come first", {}, 0, {}},
        "replay");
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
  request.text.colour = stdout_has_colour();
  const auto code = replay(request, *words);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
