// What weir watch sends and serves, held against real receivers: a webhook, an OTLP/HTTP collector
// that decodes strictly, a scrape of /metrics.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/go_test_case.h"
#include "weir/base/pattern.h"
#include "weir/http/client.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::Child;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Starts a built program that prints "ready ADDRESS".
Result<Child> start_server(const std::string& program, std::string& address) {
  WEIR_TRY(Child child, Child::start({program}));
  WEIR_TRY(const std::string line, child.wait_for_line("ready "));
  address = line.substr(6);
  return child;
}

class WatchOutputsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto go = test_support::find_newest_go_toolchain();
    if (!go) WEIR_SKIP("no Go toolchain");
    WEIR_BUILD_GO(grower, *go, "grower");
    WEIR_BUILD_GO(collector, *go, "collector");
    std::string folder = (fs::temp_directory_path() / "weir-outputs-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    WEIR_ASSERT_OK(service_, start_server(grower, target_));
    WEIR_ASSERT_OK(collector_, start_server(collector, collector_at_));
    // One look with 20 goroutines at one line is an alarm: no series of looks is needed.
    std::ofstream(folder_ / ".weir.yaml") << "watch:\n  one-line: 20\n";
    get("http://" + target_ + "/leak?n=20");
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  static std::string get(const std::string& url) {
    std::string body;
    const auto done = http::fetch(url, {}, [&](std::string_view piece) -> Result<void> {
      body += piece;
      return {};
    });
    EXPECT_TRUE(done.has_value()) << to_string(done.error());
    return body;
  }
  Result<Child> watch(std::vector<std::string> more, std::vector<std::string> environment = {}) {
    std::vector<std::string> argv{WEIR_BINARY, "watch", "-db", (folder_ / "h.db").string()};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.push_back(target_);
    return Child::start(argv,
                        {.environment = std::move(environment), .directory = folder_.string()});
  }
  std::string collector(const std::string& path) const { return "http://" + collector_at_ + path; }

  fs::path folder_;
  std::optional<Child> service_, collector_;
  std::string target_, collector_at_;
};

TEST_F(WatchOutputsTest, AWebhookGetsTheAlarmAfterARetry) {
  WEIR_ASSERT_OK(Child weir, watch({"-for", "1ms", "-json", "-webhook", collector("/hook")},
                                   {"WEIR_WEBHOOK_TOKEN=secret"}));
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1);
  EXPECT_EQ(weir.err(), "") << "it was delivered";
  WEIR_ASSERT_OK(const std::string line,
                 collector_->wait_for_line("hook POST application/json Bearer secret "));
  EXPECT_THAT(collector_->out(), HasSubstr("unavailable\n")) << "the first attempt failed";
  const json alarm = json::parse(line.substr(line.find('{')));
  EXPECT_EQ(alarm["schema"], "weir.watch/1");
  EXPECT_EQ(alarm["event"], "alarm");
  EXPECT_EQ(alarm["target"], target_);
  EXPECT_EQ(alarm["rules"][0]["rule"], "one-line");
}

TEST_F(WatchOutputsTest, AFailureIsSaidAndNotFatal) {
  const std::string url = "http://me:secret@" + collector_at_ + "/refuse";
  WEIR_ASSERT_OK(Child weir, watch({"-for", "1ms", "-webhook", url}));
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1) << "the alarm, not the webhook";
  EXPECT_THAT(weir.err(), HasSubstr("webhook: not delivered: "));
  EXPECT_THAT(weir.err(), HasSubstr("/refuse answered 400"));
  EXPECT_THAT(weir.err(), Not(HasSubstr("secret")));
  EXPECT_THAT(weir.out(), HasSubstr("ALARM"));
}

TEST_F(WatchOutputsTest, NobodyThereIsTriedABoundedNumberOfTimes) {
  WEIR_ASSERT_OK(Child weir, watch({"-for", "1ms", "-webhook", "http://127.0.0.1:1/"}));
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1);
  EXPECT_THAT(weir.err(), HasSubstr("cannot be reached"));
  EXPECT_THAT(weir.err(), HasSubstr("(attempt 4)"));
}

TEST_F(WatchOutputsTest, AServerSaysWhenToTryAgain) {
  WEIR_ASSERT_OK(Child weir,
                 watch({"-for", "1ms", "-webhook", "http://" + collector_at_ + "/later"}));
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1);
  WEIR_ASSERT_OK(const std::string line, collector_->wait_for_line("again, early: "));
  EXPECT_EQ(line, "again, early: false");
  EXPECT_EQ(weir.err(), "");
  WEIR_ASSERT_OK(Child given_up,
                 watch({"-for", "1ms", "-webhook", "http://" + collector_at_ + "/never"}));
  ASSERT_TRUE(given_up.wait().has_value());
  EXPECT_THAT(given_up.err(),
              HasSubstr("answered 503 (attempt 1), and wants to be left alone for 3600 s"));
}

// The protocol: 429, 502, 503 and 504 may be tried again, all others must not.
TEST_F(WatchOutputsTest, ACollectorsFaultIsNotTriedAgain) {
  WEIR_ASSERT_OK(Child weir,
                 watch({"-for", "1ms", "-otlp", "http://" + collector_at_ + "/broken"}));
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1);
  ASSERT_TRUE(collector_->wait_for_line("broken /broken/v1/logs").has_value());
  const std::string out = collector_->out();
  EXPECT_EQ(out.find("broken /broken/v1/metrics"), out.rfind("broken /broken/v1/metrics")) << out;
  EXPECT_EQ(out.find("broken /broken/v1/logs"), out.rfind("broken /broken/v1/logs")) << out;
  EXPECT_THAT(weir.err(), HasSubstr("answered 500"));
  EXPECT_THAT(weir.err(), Not(HasSubstr("(attempt")));
}

TEST_F(WatchOutputsTest, ACollectorGetsMetricsAndLogs) {
  WEIR_ASSERT_OK(Child weir, watch({"-for", "1ms", "-otlp", "http://" + collector_at_ + "/"},
                                   {"OTEL_EXPORTER_OTLP_HEADERS=x-token=a%20b,other=1"}));
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.code, 1);
  const std::string resource =
      "metric {\"service.name\":\"weir\",\"weir.target\":\"" + target_ + "\"} ";
  for (const std::string& line :
       {std::string("token a b"), resource + "weir.target.up gauge {} 1",
        resource + "weir.goroutines gauge {} ", resource + "weir.looks sum 2 true {} 1",
        resource + "weir.alarms sum 2 true {\"weir.rule\":\"one-line\"} 1",
        std::string("log 13 WARN {")})
    EXPECT_TRUE(collector_->wait_for_line(line).has_value()) << line << "\n" << collector_->out();
  EXPECT_THAT(collector_->out(), HasSubstr("chan send: main.work\"} 20"));
  EXPECT_THAT(collector_->out(), HasSubstr("\"weir.rules\":\"one-line\""));
  EXPECT_THAT(collector_->out(), Not(HasSubstr("bad ")));
  EXPECT_THAT(weir.err(), HasSubstr("otlp: not delivered: 1 refused: logs are not wanted"));
}

TEST_F(WatchOutputsTest, MetricsCanBeScraped) {
  WEIR_ASSERT_OK(Child weir, watch({"-every", "100ms", "-for", "0", "-metrics", ":0"}));
  WEIR_ASSERT_OK(const std::string line, weir.wait_for_error_line("weir: metrics at "));
  const std::string url = line.substr(line.find("http"));
  EXPECT_THAT(url, StartsWith("http://127.0.0.1:")) << "loopback, unless told otherwise";
  ASSERT_TRUE(weir.wait_for_line("").has_value());
  std::string page;
  for (int i = 0; i < 6000 && page.find("weir_goroutines{") == std::string::npos; ++i) {
    page = get(url);
    usleep(10'000);
  }
  const Pattern comment = *Pattern::compile("^# (HELP|TYPE) [a-z_]+ .+$");
  const Pattern sample =
      *Pattern::compile(R"(^[a-z_]+\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\} [0-9.]+$)");
  std::istringstream lines(page);
  for (std::string one; std::getline(lines, one);)
    EXPECT_TRUE((one[0] == '#' ? comment : sample).matches(one)) << one;
  EXPECT_THAT(page, HasSubstr("weir_target_up{target=\"" + target_ + "\"} 1"));
  EXPECT_THAT(page, HasSubstr("chan send: main.work\"} 20"));
  EXPECT_THAT(page, HasSubstr("rule=\"one-line\"} 1"));

  const std::string taken = url.substr(7, url.rfind('/') - 7);
  WEIR_ASSERT_OK(Child second, watch({"-metrics", taken}));
  WEIR_ASSERT_OK(const auto refused, second.wait());
  EXPECT_EQ(refused.code, 2) << "two cannot share a port unnoticed";
  ASSERT_TRUE(weir.signal(SIGTERM).has_value());
  WEIR_ASSERT_OK(const auto exit, weir.wait());
  EXPECT_EQ(exit.signal, 0);
}

TEST_F(WatchOutputsTest, ATargetThatIsNoUrlIsRefusedAtOnce) {
  for (const char* target : {"ftp://localhost/", "http://a b/"}) {
    WEIR_ASSERT_OK(Child weir, Child::start({WEIR_BINARY, "watch", "-for", "1ms", "-db",
                                             (folder_ / "none.db").string(), target}));
    WEIR_ASSERT_OK(const auto exit, weir.wait());
    EXPECT_EQ(exit.code, 2) << target;
    EXPECT_EQ(weir.out(), "");
  }
}

TEST_F(WatchOutputsTest, AServerDoesNotSpeakToTheTerminal) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"top"},
           {"prof", "-top"},
           {"watch", "-for", "1ms", "-db", (folder_ / "e.db").string()}}) {
    std::vector<std::string> argv{WEIR_BINARY};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.push_back(collector("/escape"));
    WEIR_ASSERT_OK(Child weir, Child::start(argv));
    ASSERT_TRUE(weir.wait().has_value());
    const std::string said = weir.out() + weir.err();
    EXPECT_THAT(said, HasSubstr("\\x1b]0;title\\x07\\x9b31mred"));
    EXPECT_THAT(said, Not(HasSubstr("\x1b"))) << words[0];
  }
}

TEST_F(WatchOutputsTest, WrongPlacesAreRefusedAtOnce) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"-webhook", "ftp://x/"},
                                                {"-otlp", "nothing"},
                                                {"-metrics", "x"}}) {
    WEIR_ASSERT_OK(Child weir, watch(flags));
    WEIR_ASSERT_OK(const auto exit, weir.wait());
    EXPECT_EQ(exit.code, 2) << flags[0];
    EXPECT_EQ(weir.out(), "");
  }
}

}  // namespace
}  // namespace weir::live
