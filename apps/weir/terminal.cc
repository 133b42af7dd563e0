#include "apps/weir/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "weir/report/gate_text.h"

namespace weir::app {
namespace {

// The other screen, without a cursor and without wrapped lines; and back.
constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view leave_screen = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT};

/// How the terminal was. A signal handler reads it, so it is global.
struct {
  termios before;
  volatile std::sig_atomic_t taken = 0;
} state;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // the terminal has gone
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Only calls that a signal handler may make.
void restore() {
  if (state.taken == 0) return;
  state.taken = 0;
  write_all(leave_screen);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &state.before);
}

void take() {
  termios raw = state.before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  write_all(enter_screen);
  state.taken = 1;
}

void on_deadly(int signal) {
  restore();
  ::raise(signal);  // SA_RESETHAND: this time it is the default
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH}) sigaddset(&set, signal);
  return set;
}

Key key_of(std::string_view typed) {
  struct Meaning {
    std::string_view typed;
    Key key;
  };
  constexpr Meaning meanings[] = {
      {"q", Key::quit},
      {"Q", Key::quit},
      {"\x1b[A", Key::up},
      {"\x1bOA", Key::up},
      {"k", Key::up},
      {"\x1b[B", Key::down},
      {"\x1bOB", Key::down},
      {"j", Key::down},
      {"\x1b[5~", Key::page_up},
      {"\x1b[6~", Key::page_down},
      {"g", Key::first},
      {"\x1b[H", Key::first},
      {"\r", Key::enter},
      {"\n", Key::enter},
      {"b", Key::group},
      {" ", Key::pause},
      {"+", Key::faster},
      {"-", Key::slower},
      {"n", Key::now},
      {"r", Key::reset},
      {"h", Key::help},
      {"?", Key::help},
  };
  for (const Meaning& meaning : meanings)
    if (typed == meaning.typed) return meaning.key;
  return Key::none;
}

/// One key: a character, or a sequence that begins with escape and came with it.
Key read_key() {
  char typed[8];
  if (::read(STDIN_FILENO, typed, 1) != 1) return Key::quit;  // the terminal has gone
  std::size_t size = 1;
  if (typed[0] == '\x1b') {
    while (size < sizeof typed && ::read(STDIN_FILENO, typed + size, 1) == 1) {
      const char c = typed[size++];
      if (size > 2 && (c == '~' || ('A' <= c && c <= 'Z'))) break;
    }
  }
  return key_of({typed, size});
}

winsize window() {
  winsize size{};
  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  return size;
}

}  // namespace

bool stdout_has_colour() {
  return report::wants_colour(isatty(STDOUT_FILENO) != 0, std::getenv("NO_COLOR"),
                              std::getenv("TERM"), std::getenv("CLICOLOR_FORCE"));
}

Result<Terminal> Terminal::open() {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0 ||
      ::tcgetattr(STDIN_FILENO, &state.before) != 0)
    return fail(ErrorCode::usage,
                "-f needs a terminal; `weir watch` looks again and again without one");
  const sigset_t set = handled_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int signals = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) return fail(ErrorCode::io, "no signalfd", {}, errno);
  struct sigaction action {};
  action.sa_handler = on_deadly;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : deadly) ::sigaction(signal, &action, nullptr);
  take();
  return Terminal(signals);
}

Terminal::Terminal(Terminal&& other) noexcept : signals_(std::exchange(other.signals_, -1)) {}

Terminal::~Terminal() {
  if (signals_ < 0) return;
  restore();
  ::close(signals_);
}

std::size_t Terminal::columns() const {
  const winsize size = window();
  return size.ws_col == 0 ? 80 : size.ws_col;
}

std::size_t Terminal::rows() const {
  const winsize size = window();
  return size.ws_row == 0 ? 24 : size.ws_row;
}

void Terminal::draw(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += lines[i] + "\x1b[K" + (i + 1 < lines.size() ? "\r\n" : "");
  write_all(text + "\x1b[J");
}

Key Terminal::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof info) != sizeof info) return Key::none;
  if (info.ssi_signo == static_cast<std::uint32_t>(SIGWINCH)) return Key::none;
  if (info.ssi_signo != static_cast<std::uint32_t>(SIGTSTP)) return Key::quit;
  restore();
  ::raise(SIGSTOP);
  // Whatever the shell has set in between is what is to be restored.
  if (::tcgetattr(STDIN_FILENO, &state.before) == 0) take();
  return Key::none;
}

Key Terminal::wait(int milliseconds) {
  pollfd both[] = {{STDIN_FILENO, POLLIN, 0}, {signals_, POLLIN, 0}};
  if (::poll(both, 2, milliseconds) <= 0) return Key::none;
  if (both[1].revents != 0) return on_signal();
  return read_key();
}

}  // namespace weir::app
