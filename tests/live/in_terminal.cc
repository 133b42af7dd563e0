#include "tests/live/in_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <csignal>
#include <cstring>

namespace weir::live {

InTerminal::InTerminal(std::vector<std::string> argv) {
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

InTerminal::~InTerminal() {
  if (pid_ > 0 && !ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
  ::close(slave_);
}

testing::AssertionResult InTerminal::shows(std::string_view text) {
  for (int i = 0; i < 6000; ++i) {
    drain(10);
    const auto at = out_.find(text, seen_);
    if (at == std::string::npos) continue;
    seen_ = at + text.size();
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "no \"" << text << "\" in\n" << out_.substr(seen_);
}

void InTerminal::type(std::string_view keys) const {
  ASSERT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

void InTerminal::signal(int number) const {
  ::kill(pid_, number);
}

int InTerminal::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, WUNTRACED | WNOHANG) == 0) drain(10);
  ended_ = !WIFSTOPPED(status);
  drain(0);
  return status;
}

bool InTerminal::is_as_before() const {
  termios now{};
  ::tcgetattr(slave_, &now);
  return now.c_lflag == before_.c_lflag && now.c_iflag == before_.c_iflag &&
         now.c_oflag == before_.c_oflag && std::memcmp(now.c_cc, before_.c_cc, NCCS) == 0;
}

bool InTerminal::is_given_back() const {
  const auto last = out_.rfind(given_back);
  return last != std::string::npos && out_.rfind(taken) < last;
}

void InTerminal::drain(int milliseconds) {
  char piece[4096];
  pollfd one{master_, POLLIN, 0};
  while (::poll(&one, 1, milliseconds) > 0) {
    const ssize_t n = ::read(master_, piece, sizeof piece);
    if (n <= 0) return;
    out_.append(piece, static_cast<std::size_t>(n));
    milliseconds = 0;
  }
}

}  // namespace weir::live
