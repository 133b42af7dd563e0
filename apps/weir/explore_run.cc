#include "apps/weir/explore_run.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "apps/weir/explore_test.h"
#include "apps/weir/temporary_folder.h"
#include "weir/bytes/mapped_file.h"
#include "weir/report/schedule_file.h"
#include "weir/sched/token.h"

namespace weir::app {
namespace {

std::atomic<bool> interrupted{false};
void interrupt(int) {
  interrupted = true;
}

/// Ctrl-C sets `interrupted` as long as this lives.
class InterruptWatch {
 public:
  InterruptWatch() {
    struct sigaction action {};
    action.sa_handler = interrupt;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptWatch() { sigaction(SIGINT, &before_, nullptr); }
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  struct sigaction before_ {};
};

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

/// "TestA.schedule"; of one package among several "example.com_app.TestA.schedule".
std::string file_name_for(std::string test, const std::string& package) {
  if (!package.empty()) test = package + "." + test;
  std::replace(test.begin(), test.end(), '/', '_');
  return test + ".schedule";
}

Result<void> save(const ExploreRequest& request, const TestTarget& target, bool several,
                  model::Exploration& exploration) {
  if (!exploration.finding) return {};
  model::ExploreFinding& finding = *exploration.finding;
  finding.schedule.weir_version = WEIR_VERSION;
  finding.schedule.package = target.package;
  finding.schedule.folder = target.folder;
  finding.schedule.test = exploration.test;
  finding.schedule.arguments = request.search.run.arguments;
  finding.token = sched::make_token(finding.schedule).value_or("");
  std::error_code error;
  std::filesystem::create_directories(request.folder, error);
  const auto path = std::filesystem::path(request.folder) /
                    file_name_for(exploration.test, several ? target.package : "");
  finding.file = path.lexically_normal().string();
  return bytes::write_file(finding.file, report::render_schedule_file(finding.schedule));
}

Result<std::vector<std::string>> tests_of(const ExploreRequest& request, const TestTarget& target) {
  WEIR_TRY(auto tests, list_tests(target, request.run));
  if (request.skip.empty()) return tests;
  WEIR_TRY(const auto skipped, list_tests(target, request.skip));
  std::erase_if(tests, [&](const std::string& test) {
    return std::find(skipped.begin(), skipped.end(), test) != skipped.end();
  });
  return tests;
}

Result<void> explore_target(const ExploreRequest& request, const TestTarget& target, bool several,
                            const std::function<void(const model::Exploration&)>& on_result) {
  WEIR_TRY(const auto tests, tests_of(request, target));
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
    WEIR_TRY_VOID(save(request, target, several, *exploration));
    on_result(*exploration);
  }
  return {};
}

}  // namespace

Result<void> explore_targets(const ExploreRequest& request, const std::vector<std::string>& words,
                             const std::function<void(const model::Exploration&)>& on_result) {
  const InterruptWatch watch;
  WEIR_TRY(auto targets, find_test_targets(request.build, words));
  for (TestTarget& target : targets) {
    if (interrupted) break;
    WEIR_TRY(const TemporaryFolder folder, TemporaryFolder::make("weir-explore-"));
    WEIR_TRY_VOID(build_target(request.build, folder.path(), target));
    WEIR_TRY_VOID(explore_target(request, target, targets.size() > 1, on_result));
  }
  return {};
}

bool was_interrupted() {
  return interrupted;
}

}  // namespace weir::app
