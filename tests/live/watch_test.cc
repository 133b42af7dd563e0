// weir watch on real services: the series, restarts of both sides, Ctrl-C.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/go_test_case.h"
#include "weir/ingest/http.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::Child;
using test_support::Completed;
using testing::HasSubstr;

class WatchTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_BUILD_GO(program, go(), "grower");
    std::string folder = (fs::temp_directory_path() / "weir-watch-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    // Of its own: weir follows a restarted program only where no other process runs the same one.
    program_ = (folder_ / "grower").string();
    fs::copy_file(program, program_);
    start_service();
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  void start_service() {
    auto child = Child::start({program_, address_.empty() ? "127.0.0.1:0" : address_});
    ASSERT_TRUE(child.has_value()) << to_string(child.error());
    service_.emplace(std::move(*child));
    const auto line = service_->wait_for_line("ready ");
    ASSERT_TRUE(line.has_value()) << to_string(line.error());
    address_ = line->substr(6);
    pid_ = std::to_string(service_->pid());
  }
  /// One request to the service.
  void request(const std::string& path) const {
    const auto done =
        ingest::fetch("http://" + address_ + path, {}, [](auto) { return Result<void>(); });
    ASSERT_TRUE(done.has_value()) << to_string(done.error());
  }
  std::vector<std::string> command(std::vector<std::string> more) const {
    std::vector<std::string> argv{WEIR_BINARY, "watch", "-db", (folder_ / "h.db").string()};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  Result<Child> start(std::vector<std::string> more) const {
    return Child::start(command(std::move(more)), {.directory = folder_.string()});
  }

  std::string program_, address_, pid_;
  fs::path folder_;
  std::optional<Child> service_;
};

/// The events of that kind among JSON lines.
std::vector<json> events(const std::string& out, const std::string& kind) {
  std::vector<json> all;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = out.find('\n', at);
    if (end == out.npos) break;
    json event = json::parse(out.substr(at, end - at));
    if (event["event"] == kind) all.push_back(std::move(event));
    at = end + 1;
  }
  return all;
}

/// Waits until weir has printed `count` events of that kind.
void await_events(const Child& weir, const std::string& kind, std::size_t count) {
  for (int i = 0; i < 6000 && events(weir.out(), kind).size() < count; ++i) usleep(10'000);
  ASSERT_GE(events(weir.out(), kind).size(), count) << weir.out() << weir.err();
}

TEST_P(WatchTest, ManyTargetsUntilTheSeriesAreOver) {
  WEIR_ASSERT_OK(const Completed done,
                 test_support::run(command({"-every", "100ms", "-for", "300ms", "-json", pid_,
                                            address_, "127.0.0.1:1"})));
  EXPECT_EQ(done.exit.code, 2) << "a target never seen is no clean one";
  EXPECT_THAT(done.err, HasSubstr("never seen: 127.0.0.1:1"));
  EXPECT_EQ(events(done.out, "summary").size(), 3u);
  std::set<std::string> seen;
  for (const json& look : events(done.out, "look")) {
    EXPECT_GT(look["total"], 0);
    seen.insert(look["target"]);
  }
  EXPECT_EQ(seen, (std::set<std::string>{pid_, address_}));
  for (const json& missed : events(done.out, "missed")) EXPECT_EQ(missed["target"], "127.0.0.1:1");
  for (const json& summary : events(done.out, "summary")) EXPECT_EQ(summary["over"], true);
  EXPECT_TRUE(service_->running());
}

TEST_P(WatchTest, SaysWhatChanged) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", pid_}));
  await_events(weir, "look", 1);
  request("/leak?n=7");
  const std::size_t before = events(weir.out(), "look").size();
  await_events(weir, "look", before + 2);
  const json look = events(weir.out(), "look").back();
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.signal, 0);
  bool found = false;
  for (const json& change : look["changes"]) {
    if (change["key"] != "chan send: main.work; created by main.handle") continue;
    found = true;
    EXPECT_EQ(change["first"], 0);
    EXPECT_EQ(change["now"], 7);
  }
  EXPECT_TRUE(found) << look;
  const auto summaries = events(weir.out(), "summary");
  ASSERT_EQ(summaries.size(), 1u) << "Ctrl-C ends with a summary";
  EXPECT_EQ(summaries[0]["over"], false);
}

TEST_P(WatchTest, GoesOnAfterItsOwnRestart) {
  std::size_t first_looks = 0;
  {
    WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "1h", "-json", address_}));
    await_events(weir, "look", 2);
    ASSERT_TRUE(weir.signal(SIGTERM).has_value());
    WEIR_ASSERT_OK(const auto exit, weir.wait());
    EXPECT_EQ(exit.code, 0) << weir.err();
    first_looks = events(weir.out(), "summary").at(0)["looks"];
  }
  request("/leak?n=5");
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "1h", "-json", address_}));
  await_events(weir, "look", 1);
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.signal, 0);
  const json summary = events(weir.out(), "summary").at(0);
  EXPECT_EQ(summary["looks"], first_looks + events(weir.out(), "look").size());
  EXPECT_EQ(events(weir.out(), "look").at(0)["change"].get<int>() >= 5, true)
      << "counted from the first look of the series, not of this run";
}

TEST_P(WatchTest, SurvivesTheRestartOfAServer) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", address_, pid_}));
  await_events(weir, "look", 2);
  service_.reset();  // killed
  await_events(weir, "missed", 2);
  start_service();
  const auto looks = [&](const std::string& target) {
    std::vector<json> mine;
    for (json& look : events(weir.out(), "look"))
      if (look["target"] == target) mine.push_back(std::move(look));
    return mine;
  };
  const std::size_t before = events(weir.out(), "look").size();
  await_events(weir, "look", before + 4);
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.signal, 0) << weir.err();
  bool followed = false;
  for (const json& look : events(weir.out(), "look"))
    if (look.contains("restarted"))
      followed = followed ||
                 look["restarted"].get<std::string>().find("is now " + pid_) != std::string::npos;
  EXPECT_TRUE(followed) << "the new process of the same program is the target now\n" << weir.out();
  EXPECT_GT(looks(address_).size(), 1u);
}

/// The alarm about the stuck senders, after requests that leak while weir looks on.
void leak_until_alarm(Child& weir, const std::function<void()>& leak, json& found) {
  for (int i = 0; i < 100 && found.is_null(); ++i) {
    leak();
    await_events(weir, "look", events(weir.out(), "look").size() + 1);
    for (json& alarm : events(weir.out(), "alarm"))
      if (alarm["key"].get<std::string>().starts_with("chan send: main.work")) found = alarm;
  }
  ASSERT_FALSE(found.is_null()) << weir.out() << weir.err();
}

TEST_P(WatchTest, ALeakRaisesAnAlarmWithItsCause) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", pid_}));
  json alarm;
  leak_until_alarm(
      weir, [&] { request("/leak?n=10"); }, alarm);
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1) << weir.err();
  EXPECT_EQ(alarm["rules"][0]["rule"], "monotonic");
  EXPECT_EQ(alarm["branch"], "receiver-returned");
  EXPECT_EQ(alarm["certainty"], "likely");
  ASSERT_EQ(alarm["path"].size(), 3u) << alarm;
  EXPECT_THAT(alarm["path"][1]["evidence"], HasSubstr("each with its other side"));
  EXPECT_EQ(alarm["path"][2]["evidence"],
            "main.handle, which started them, is on no stack any more");
}

TEST_P(WatchTest, AProfileRaisesItTooAndIsLessSure) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", address_}));
  json alarm;
  leak_until_alarm(
      weir, [&] { request("/leak?n=10"); }, alarm);
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1) << weir.err();
  EXPECT_EQ(alarm["branch"], "receiver-returned");
  EXPECT_EQ(alarm["certainty"], "possible");
}

TEST_P(WatchTest, ASteadyServiceRaisesNone) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", pid_, address_}));
  request("/leak?n=50");
  for (int i = 0; i < 12; ++i) {
    request("/leak?ok=1&n=10");
    await_events(weir, "look", events(weir.out(), "look").size() + 2);
  }
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 0) << weir.out();
  EXPECT_TRUE(events(weir.out(), "alarm").empty());
}

TEST_P(WatchTest, ThresholdsComeFromTheSettingsFile) {
  request("/leak?n=20");
  const auto alarms_with = [&](const std::string& yaml) {
    std::ofstream(folder_ / ".weir.yaml") << yaml;
    const auto done = test_support::run(command({"-new", "-for", "1ms", "-json", pid_}),
                                        {.directory = folder_.string()});
    EXPECT_TRUE(done.has_value());
    return done ? events(done->out, "alarm").size() : 99;
  };
  EXPECT_EQ(alarms_with("watch:\n  one-line: 21\n"), 0u);
  EXPECT_EQ(alarms_with("watch:\n  one-line: 20\n"), 1u);
}

TEST_P(WatchTest, AnAlarmComesWithAProof) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", "-proof", "-max-stop",
                                    "10s", pid_}));
  json alarm;
  leak_until_alarm(
      weir, [&] { request("/leak?n=10"); }, alarm);
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  const json& proof = alarm.at("proof");
  EXPECT_EQ(exit.code, 1) << weir.err();
  EXPECT_EQ(proof.at("proved_by"), "reachability");
  ASSERT_FALSE(proof.contains("refused")) << proof;
  const auto proved = proof.at("proved").get<int>(), held = proof.at("held").get<int>();
  EXPECT_GT(proved, 0);
  EXPECT_GE(proved + held, 10) << proof;
  EXPECT_GE(proof.at("proved_in_all"), proved);
  EXPECT_TRUE(service_->running());
}

// Go's own profile: from 1.27 on it is always there.
TEST_P(WatchTest, AnAlarmOfAUrlComesWithTheRuntimesWord) {
  WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "0", "-json", "-proof", address_}));
  json alarm;
  leak_until_alarm(
      weir, [&] { request("/leak?n=10"); }, alarm);
  ASSERT_TRUE(weir.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  const json& proof = alarm.at("proof");
  EXPECT_EQ(exit.code, 1) << weir.err();
  EXPECT_EQ(proof.at("proved_by"), "runtime");
  const std::vector<std::string> ask{WEIR_BINARY, "why", "-proof", "-json", address_};
  WEIR_ASSERT_OK(const Completed why, test_support::run(ask));
  if (go().minor < 27) {
    EXPECT_THAT(proof.at("refused").get<std::string>(), HasSubstr("Go 1.27 has it"));
    EXPECT_EQ(why.exit.code, 2);
    EXPECT_THAT(why.err, HasSubstr("Go 1.27 has it"));
    return;
  }
  EXPECT_GE(proof.at("proved"), 10) << proof;
  EXPECT_EQ(why.exit.code, 1) << why.err;
  const json leaks = json::parse(why.out);
  EXPECT_EQ(leaks.at("proved_by"), "runtime");
  ASSERT_EQ(leaks.at("groups").size(), 1u) << why.out;
  EXPECT_EQ(leaks.at("groups")[0].at("id"), alarm.at("id"));
  EXPECT_EQ(leaks.at("groups")[0].at("count"), leaks.at("total"));
  EXPECT_GE(leaks.at("total"), proof.at("proved"));
}

TEST_P(WatchTest, NothingLeakedIsNoFinding) {
  if (go().minor < 27) WEIR_SKIP("no goroutineleak profile before Go 1.27");
  WEIR_ASSERT_OK(const Completed why, test_support::run({WEIR_BINARY, "why", "-proof", address_}));
  EXPECT_EQ(why.exit.code, 0) << why.err;
  EXPECT_THAT(why.out, HasSubstr("0 goroutines leaked"));
  WEIR_ASSERT_OK(const Completed graph, test_support::run({WEIR_BINARY, "why", address_}));
  EXPECT_EQ(graph.exit.code, 2);
  EXPECT_THAT(graph.err, HasSubstr("no wait-for graph"));
}

TEST_P(WatchTest, AnAlarmIsToldOnceAlsoAfterARestart) {
  std::ofstream(folder_ / ".weir.yaml") << "watch:\n  one-line: 20\n";
  request("/leak?n=20");
  for (const std::size_t expected : {1u, 0u}) {
    WEIR_ASSERT_OK(Child weir, start({"-every", "100ms", "-for", "1h", "-json", pid_}));
    await_events(weir, "look", 2);
    ASSERT_TRUE(weir.signal(SIGINT).has_value());
    WEIR_ASSERT_OK(const auto exit, weir.wait());
    EXPECT_EQ(events(weir.out(), "alarm").size(), expected);
    EXPECT_EQ(exit.code, 1) << "the series has an alarm";
  }
}

WEIR_FOR_EACH_GO(WatchTest);

TEST(WatchUsage, RefusesWhatItCannotWatch) {
  const auto fails_with = [](std::vector<std::string> args, const std::string& words) {
    args.insert(args.begin(), {WEIR_BINARY, "watch"});
    const auto done = test_support::run(args, {.environment = {"HOME", "XDG_STATE_HOME"}});
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->exit.code, 2);
    EXPECT_THAT(done->err, HasSubstr(words));
  };
  fails_with({}, "no target named");
  fails_with({"-every", "1ms", "1"}, "100ms at least");
  fails_with({"1"}, "HOME is not set");
  fails_with({"-db", ":memory:", "nosuchthing"}, "neither a process id nor a URL");
}

}  // namespace
}  // namespace weir::live
