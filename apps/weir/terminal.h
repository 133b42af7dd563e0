#pragma once
// The user's terminal: whether it takes colour, and as a page that is drawn again and again.
#include <string>
#include <vector>

#include "weir/base/error.h"

namespace weir::app {

/// Whether what goes to standard output is coloured; see report::wants_colour.
bool stdout_has_colour();

/// What the user did, or what became of waiting.
enum class Key : std::uint8_t {
  none,  ///< the time is over, or the window has another size
  quit,  ///< q, Ctrl-C, or a signal that ends weir
  up,
  down,
  page_up,
  page_down,
  first,
  enter,
  group,
  pause,
  faster,
  slower,
  now,
  reset,
  help,
};

/// Takes the terminal over: its other screen, keys without echo. One at a time. The terminal is as
/// it was when this ends, when a signal suspends weir (and is taken over again later), and when
/// weir dies of a signal that can be caught. SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGWINCH are
/// blocked in this thread and in those that it starts from now on.
class Terminal {
 public:
  /// Errors: usage: standard input or output is no terminal.
  static Result<Terminal> open();
  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  /// In characters; 80 by 24 if the terminal does not tell.
  std::size_t columns() const;
  std::size_t rows() const;
  /// Draws the page from the top.
  void draw(const std::vector<std::string>& lines);
  /// Waits so long at most.
  Key wait(int milliseconds);

 private:
  explicit Terminal(int signals) : signals_(signals) {}
  int signals_ = -1;  ///< a signalfd

  Key on_signal();
};

}  // namespace weir::app
