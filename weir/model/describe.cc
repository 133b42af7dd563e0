#include "weir/model/describe.h"

#include <fmt/format.h>

namespace weir::model {

namespace {

std::string_view verb(Direction direction) {
  return direction == Direction::send ? "send" : "receive";
}

/// "sync.Mutex 0xc000012345"; without an address, why.
std::string object(std::string_view type, const Blocking& blocking) {
  if (blocking.object) return fmt::format("{} {}", type, to_hex(blocking.object));
  if (!blocking.unknown_why.empty())
    return fmt::format("{}, address unknown ({})", type, blocking.unknown_why);
  return std::string(type);
}

std::string channel_wait(Direction direction, const Blocking& blocking) {
  if (!blocking.cases.empty())
    return fmt::format("{} on {}", verb(direction), describe(blocking.cases.front().channel));
  if (!blocking.unknown_why.empty())
    return fmt::format("{} on a channel that is not known ({})", verb(direction),
                       blocking.unknown_why);
  return fmt::format("{} on a channel", verb(direction));
}

std::string select_wait(const Blocking& blocking) {
  if (blocking.cases.empty()) {
    return blocking.unknown_why.empty()
               ? "select"
               : fmt::format("select, cases not known ({})", blocking.unknown_why);
  }
  std::string text = fmt::format("select of {}: ", blocking.cases.size());
  for (std::size_t i = 0; i < blocking.cases.size(); ++i) {
    if (i > 0) text += "; ";
    text += fmt::format("{} on {}", verb(blocking.cases[i].direction),
                        describe(blocking.cases[i].channel));
  }
  return text;
}

std::string io_wait(const Blocking& blocking) {
  std::string text = "IO wait";
  if (blocking.io_direction)
    text += *blocking.io_direction == Direction::send ? ": write" : ": read";
  if (blocking.fd) text += fmt::format(" on fd {}", *blocking.fd);
  if (!blocking.fd_target.empty()) text += fmt::format(" ({})", blocking.fd_target);
  if (!blocking.fd && !blocking.unknown_why.empty())
    text += fmt::format(", file descriptor unknown ({})", blocking.unknown_why);
  return text;
}

std::string sleep_wait(const Blocking& blocking) {
  if (!blocking.wakes_in) return "sleep";
  if (blocking.wakes_in->value <= 0) return "sleep, due";
  return fmt::format("sleep, {} left", to_text(*blocking.wakes_in));
}

}  // namespace

std::string describe(const Channel& channel) {
  if (!channel.address) return "a nil channel";
  std::string text = "chan ";
  if (!channel.element_type.empty()) text += channel.element_type + " ";
  text += to_hex(channel.address) + " (";
  text += channel.capacity == 0
              ? std::string("unbuffered")
              : fmt::format("{} of {} buffered", channel.length, channel.capacity);
  if (channel.closed) text += ", closed";
  if (channel.timer) text += ", of a timer";
  return text + ")";
}

std::string describe(const Blocking& blocking) {
  switch (blocking.kind) {
    case WaitKind::channel_send:
      return channel_wait(Direction::send, blocking);
    case WaitKind::channel_receive:
      return channel_wait(Direction::receive, blocking);
    case WaitKind::select:
      return select_wait(blocking);
    case WaitKind::nil_channel_send:
      return "send on a nil channel";
    case WaitKind::nil_channel_receive:
      return "receive on a nil channel";
    case WaitKind::select_no_cases:
      return "select without cases";
    case WaitKind::mutex:
      return object("sync.Mutex", blocking);
    case WaitKind::rwmutex_lock:
      return "Lock of " + object("sync.RWMutex", blocking);
    case WaitKind::rwmutex_rlock:
      return "RLock of " + object("sync.RWMutex", blocking);
    case WaitKind::wait_group:
      return object("sync.WaitGroup", blocking);
    case WaitKind::cond:
      return object("sync.Cond", blocking);
    case WaitKind::semaphore:
      return object("semaphore", blocking);
    case WaitKind::io:
      return io_wait(blocking);
    case WaitKind::sleep:
      return sleep_wait(blocking);
    case WaitKind::other:
      break;
  }
  return blocking.unknown_why.empty() ? "something inside the runtime"
                                      : fmt::format("unknown ({})", blocking.unknown_why);
}

std::string state_of(const Goroutine& goroutine) {
  const bool waits = goroutine.status == Status::waiting || goroutine.status == Status::leaked;
  if (waits && !goroutine.wait_reason.empty()) return goroutine.wait_reason;
  return std::string(to_string(goroutine.status));
}

}  // namespace weir::model
