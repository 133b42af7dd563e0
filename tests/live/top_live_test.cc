// weir top -f in a real pseudo-terminal: what it draws, what its keys do, and that the terminal is
// as it was however weir ends.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <csignal>
#include <cstring>

#include "tests/support/go_test_case.h"
#include "weir/http/client.h"

namespace weir::live {
namespace {

using test_support::Child;
using testing::HasSubstr;

constexpr std::string_view taken = "\x1b[?1049h";
constexpr std::string_view given_back = "\x1b[?1049l";

/// A program in a terminal of its own, of 160 by 30 characters.
class InTerminal {
 public:
  explicit InTerminal(std::vector<std::string> argv) {
    std::vector<char*> words;
    for (std::string& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    winsize size{30, 160, 0, 0};
    // Both ends stay open here, so that the terminal outlives the program.
    if (::openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) return;
    ::tcgetattr(slave_, &before_);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::close(master_);
    ::login_tty(slave_);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  InTerminal(const InTerminal&) = delete;
  InTerminal& operator=(const InTerminal&) = delete;
  ~InTerminal() {
    if (pid_ > 0 && !ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
    ::close(slave_);
  }

  /// Waits until the program has written `text` after what was found before.
  testing::AssertionResult shows(std::string_view text) {
    for (int i = 0; i < 6000; ++i) {
      drain(10);
      const auto at = out_.find(text, seen_);
      if (at == std::string::npos) continue;
      seen_ = at + text.size();
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "no \"" << text << "\" in\n" << out_.substr(seen_);
  }
  void type(std::string_view keys) const {
    ASSERT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void signal(int number) const { ::kill(pid_, number); }
  /// The status of waitpid, as soon as the program ended or stopped.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, WUNTRACED | WNOHANG) == 0) drain(10);
    ended_ = !WIFSTOPPED(status);
    drain(0);
    return status;
  }
  bool is_as_before() const {
    termios now{};
    ::tcgetattr(slave_, &now);
    return now.c_lflag == before_.c_lflag && now.c_iflag == before_.c_iflag &&
           now.c_oflag == before_.c_oflag && std::memcmp(now.c_cc, before_.c_cc, NCCS) == 0;
  }
  const std::string& out() const { return out_; }
  /// The other screen was left as often as it was entered, and last.
  bool is_given_back() const {
    const auto last = out_.rfind(given_back);
    return last != std::string::npos && out_.rfind(taken) < last;
  }

 private:
  int master_ = -1, slave_ = -1;
  pid_t pid_ = -1;
  termios before_{};
  std::string out_;
  std::size_t seen_ = 0;
  bool ended_ = false;

  void drain(int milliseconds) {
    char piece[4096];
    pollfd one{master_, POLLIN, 0};
    while (::poll(&one, 1, milliseconds) > 0) {
      const ssize_t n = ::read(master_, piece, sizeof piece);
      if (n <= 0) return;
      out_.append(piece, static_cast<std::size_t>(n));
      milliseconds = 0;
    }
  }
};

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
