// weir shrink: makes a found schedule smaller.
#include <fmt/format.h>

#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/explore_test.h"
#include "apps/weir/flags.h"
#include "apps/weir/gate_flags.h"
#include "apps/weir/temporary_folder.h"
#include "apps/weir/test_binaries.h"
#include "weir/bytes/mapped_file.h"
#include "weir/report/schedule_file.h"

namespace weir::app {
namespace {

struct ShrinkRequest {
  std::size_t runs = 1'000;
  std::string to;
  std::string go = "go";
  GateRequest gate;  ///< which goroutines are no leak
};

std::vector<Flag> shrink_flags(ShrinkRequest& request) {
  std::vector<Flag> flags = {
      {"n", "N", "at most N runs (1000)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int n, parse_count(value));
         request.runs = static_cast<std::size_t>(n);
         return {};
       }},
      {"o", "file", "write the smaller schedule there (over FILE)", set_text(request.to)},
      {"go", "file", "the go command to build with (go)", set_text(request.go)},
  };
  for (Flag& flag : ignore_flags(request.gate)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir shrink [flags] FILE [TEST_BINARY]\n\n"
      "Takes away, as long as the outcome stays the same, what the schedule in FILE does other "
      "than\n"
      "Go would by itself. `weir explore` does that with up to 200 runs already.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir shrink TestPool.schedule\n"
      "  weir shrink -o small.schedule TestPool.schedule pool.test\n\n"
      "exit codes: 0 done, 2 wrong usage, another build of the test, or weir's own failure\n",
      flags.help());
}

Result<int> shrink(const ShrinkRequest& request, const std::vector<std::string>& words) {
  WEIR_TRY(const model::Schedule schedule, read_schedule(words[0]));
  WEIR_TRY(const TemporaryFolder folder, TemporaryFolder::make("weir-shrink-"));
  TestTarget target{schedule.package, schedule.folder, words.size() > 1 ? words[1] : ""};
  if (target.binary.empty() && target.package.empty())
    return fail(ErrorCode::usage, "the schedule was found in a test binary; name it after the file",
                words[0]);
  if (!target.binary.empty()) target.binary = std::filesystem::absolute(target.binary).string();
  WEIR_TRY_VOID(build_target(build_request_of(schedule, request.go), folder.path(), target));
  WEIR_TRY(const auto binary, sched::TestBinary::open(target.binary));
  WEIR_TRY_VOID(check_binary(schedule, binary));
  sched::Watchdog watchdog;
  sched::RunOptions options = run_options_of(schedule);
  WEIR_TRY(const model::GateOptions gate, load_options(request.gate));
  options.leaks = leak_rule(gate.ignore);
  sched::FixedChooser chooser(sched::choices_of(schedule));
  WEIR_TRY(const sched::RunRecord first, run_schedule(binary, options, chooser, watchdog));
  if (fmt::format("{:016x}", first.hash) != schedule.hash)
    return fail(ErrorCode::invalid, "the schedule does not lead to its outcome any more", words[0]);
  std::size_t used = 0;
  WEIR_TRY(const auto choices, sched::shrink(binary, options, first.choices(), first.ending,
                                             request.runs, watchdog, used));
  WEIR_TRY(model::ExploreFinding smaller, look_at(binary, options, choices, watchdog));
  model::Schedule& result = smaller.schedule;
  if (result.outcome != schedule.outcome)
    return fail(ErrorCode::invalid, "the smaller schedule does not replay; nothing was written");
  result.weir_version = WEIR_VERSION;
  result.package = schedule.package;
  result.folder = schedule.folder;
  result.test = schedule.test;
  result.arguments = schedule.arguments;
  result.strategy = schedule.strategy;
  const std::string& to = request.to.empty() ? words[0] : request.to;
  WEIR_TRY_VOID(bytes::write_file(to, report::render_schedule_file(result)));
  fmt::print(
      "{}: {} choices other than Go's own were {}; {} of {} points; {} runs; written to {}\n",
      schedule.test, smaller.deviations, sched::count_deviations(first.choices()),
      result.steps.size(), schedule.steps.size(), used, to);
  return code_clean;
}

}  // namespace

int run_shrink(const std::vector<std::string>& args) {
  ShrinkRequest request;
  const FlagSet flags(shrink_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto words = flags.parse(args);
  if (!words) return complain_usage(words.error(), "shrink");
  if (words->empty() || words->size() > 2)
    return complain_usage(
        Error{ErrorCode::usage, "a schedule file is needed; flags come first", {}, 0, {}},
        "shrink");
  const auto code = shrink(request, *words);
  return code ? *code : complain(code.error());
}

}  // namespace weir::app
