#pragma once
// A program in a pseudo-terminal.
#include <gtest/gtest.h>
#include <termios.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::live {

// What a program writes to take the terminal's other screen, and to give it back.
constexpr std::string_view taken = "\x1b[?1049h";
constexpr std::string_view given_back = "\x1b[?1049l";

/// A program in a terminal of its own, of 160 by 30 characters. It is killed when this ends.
class InTerminal {
 public:
  explicit InTerminal(std::vector<std::string> argv);
  InTerminal(const InTerminal&) = delete;
  InTerminal& operator=(const InTerminal&) = delete;
  ~InTerminal();

  /// Waits until the program has written `text` after what was found before.
  testing::AssertionResult shows(std::string_view text);
  void type(std::string_view keys) const;
  void signal(int number) const;
  /// The status of waitpid, as soon as the program ended or stopped.
  int wait();
  /// Whether the terminal's settings are those that it began with.
  bool is_as_before() const;
  const std::string& out() const { return out_; }
  /// The other screen was left as often as it was entered, and last.
  bool is_given_back() const;

 private:
  int master_ = -1, slave_ = -1;
  pid_t pid_ = -1;
  termios before_{};
  std::string out_;
  std::size_t seen_ = 0;
  bool ended_ = false;

  void drain(int milliseconds);
};

}  // namespace weir::live
