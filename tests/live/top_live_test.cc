// weir top -f in a real pseudo-terminal: what it draws, what its keys do, and that the terminal is
// as it was however weir ends.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "tests/live/in_terminal.h"
#include "tests/support/go_test_case.h"
#include "weir/http/client.h"

namespace weir::live {
namespace {

using test_support::Child;
using testing::HasSubstr;

class TopLive : public testing::Test {
 protected:
  void SetUp() override {
    const auto go = test_support::find_newest_go_toolchain();
    if (!go) WEIR_SKIP("no Go toolchain");
    WEIR_BUILD_GO(program, *go, "grower");
    auto child = Child::start({program, "127.0.0.1:0"});
    ASSERT_TRUE(child.has_value()) << to_string(child.error());
    service_.emplace(std::move(*child));
    const auto line = service_->wait_for_line("ready ");
    ASSERT_TRUE(line.has_value()) << to_string(line.error());
    address_ = line->substr(6);
  }
  std::vector<std::string> command(const std::string& target) const {
    return {WEIR_BINARY, "top", "-f", "-every", "100ms", "-ignore", "net.*accept", target};
  }
  std::string pid() const { return std::to_string(service_->pid()); }

  std::optional<Child> service_;
  std::string address_;
};

TEST_F(TopLive, ShowsWhatGrowsAndObeysItsKeys) {
  for (const std::string& target : {pid(), address_}) {
    InTerminal weir(command(target));
    EXPECT_TRUE(weir.shows(taken));
    EXPECT_TRUE(weir.shows("by fingerprint"));
    EXPECT_TRUE(weir.shows("-ignore net.*accept"));
    EXPECT_TRUE(weir.shows("q quit"));
    const auto done =
        http::fetch("http://" + address_ + "/leak?n=7", {}, [](auto) { return Result<void>(); });
    ASSERT_TRUE(done.has_value());
    EXPECT_TRUE(weir.shows("+7"));
    EXPECT_TRUE(weir.shows("main.work"));
    weir.type("\r");
    EXPECT_TRUE(weir.shows("grower/main.go:15"));
    weir.type("b");
    EXPECT_TRUE(weir.shows("by state"));
    weir.type("h");
    EXPECT_TRUE(weir.shows("show or hide the stack"));
    weir.type(" ");
    EXPECT_TRUE(weir.shows("paused"));
    weir.type("q");
    const int status = weir.wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_TRUE(weir.is_given_back());
    EXPECT_TRUE(weir.is_as_before());
  }
  EXPECT_TRUE(service_->running());
}

TEST_F(TopLive, GivesTheTerminalBackWhateverEndsIt) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT}) {
    SCOPED_TRACE(strsignal(signal));
    InTerminal weir(command(address_));
    ASSERT_TRUE(weir.shows("q quit"));
    EXPECT_FALSE(weir.is_as_before());
    weir.signal(signal);
    const int status = weir.wait();
    const bool is_deadly = signal == SIGQUIT || signal == SIGABRT;
    EXPECT_EQ(WIFSIGNALED(status), is_deadly) << status;
    EXPECT_TRUE(weir.is_given_back());
    EXPECT_TRUE(weir.is_as_before());
  }
}

TEST_F(TopLive, CanBeSuspended) {
  InTerminal weir(command(address_));
  ASSERT_TRUE(weir.shows("q quit"));
  weir.type("\x1a");  // Ctrl-Z
  ASSERT_TRUE(WIFSTOPPED(weir.wait()));
  EXPECT_TRUE(weir.is_given_back());
  EXPECT_TRUE(weir.is_as_before());
  weir.signal(SIGCONT);
  EXPECT_TRUE(weir.shows(taken));
  EXPECT_TRUE(weir.shows("q quit"));
  weir.type("\x03");  // Ctrl-C
  EXPECT_TRUE(WIFEXITED(weir.wait()));
  EXPECT_TRUE(weir.is_as_before());
}

TEST_F(TopLive, ATargetThatGoesIsSaid) {
  InTerminal weir(command(address_));
  ASSERT_TRUE(weir.shows("q quit"));
  service_.reset();
  EXPECT_TRUE(weir.shows("not seen: "));
  weir.type("q");
  EXPECT_TRUE(WIFEXITED(weir.wait()));
}

TEST_F(TopLive, AWrongTargetLeavesTheTerminalAlone) {
  InTerminal weir(command("127.0.0.1:1"));
  const int status = weir.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << status;
  EXPECT_EQ(weir.out().find(taken), std::string::npos);
  EXPECT_THAT(weir.out(), HasSubstr("cannot be fetched"));
}

TEST(TopLiveUsage, NeedsATerminal) {
  const auto fails_with = [](std::vector<std::string> args, const std::string& words) {
    args.insert(args.begin(), {WEIR_BINARY, "top", "-f"});
    const auto done = test_support::run(args, {});
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->exit.code, 2);
    EXPECT_THAT(done->err, HasSubstr(words));
  };
  fails_with({WEIR_SOURCE_DIR "/tests/golden/dump/go1.26-all.txt"}, "-f needs a terminal");
  fails_with({"-"}, "standard input comes only once");
  fails_with({"-json", "1"}, "`weir watch -json` prints lines");
  fails_with({"-every", "1ms", "1"}, "100ms at least");
}

}  // namespace
}  // namespace weir::live
