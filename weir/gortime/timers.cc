#include "weir/gortime/timers.h"

#include <fmt/format.h>

#include <cstring>
#include <span>

namespace weir::gortime {
namespace {

constexpr std::uint64_t p_limit = 1 << 16;
constexpr std::uint64_t timer_limit = 50'000'000;

struct SliceHeader {
  std::uint64_t data = 0;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
};

/// Whether the timer will still fire, and when. The bits are in timer.state since go1.23, numbers
/// in timer.status before.
struct Pending {
  bool yes = false;
  bool use_next_when = false;
};

Pending pending_by_state(std::uint64_t state) {
  constexpr std::uint64_t zombie = 4;  // timerZombie
  return {(state & zombie) == 0, false};
}

Pending pending_by_status(std::uint64_t status) {
  constexpr std::uint64_t waiting = 1, modifying = 6, earlier = 7, later = 8, moving = 9;
  if (status == earlier || status == later) return {true, true};
  return {status == waiting || status == modifying || status == moving, false};
}

class Reader {
 public:
  Reader(const Layout& layout, target::Memory& memory) : layout_(layout), memory_(memory) {}

  Result<void> read_heap(Address p, std::vector<TimerState>& out) {
    const bool own_struct = layout_.timers.heap.present();  // go1.23+: p.timers is a struct timers
    const Address at =
        own_struct ? p + layout_.p.timers + layout_.timers.heap : p + layout_.p.timers;
    WEIR_TRY(const auto heap, memory_.read<SliceHeader>(at));
    if (heap.length > timer_limit)
      return fail(ErrorCode::limit, fmt::format("a timer heap of {} entries", heap.length), at);
    const std::uint64_t stride = own_struct ? layout_.timers.entry_size.value() : 8;
    for (std::uint64_t i = 0; i < heap.length; ++i) {
      auto timer = memory_.read_pointer(Address{heap.data} + i * stride);
      if (!timer || !*timer) continue;  // just being moved
      read_timer(*timer, out);
    }
    return {};
  }

 private:
  void read_timer(Address at, std::vector<TimerState>& out) {
    const auto& l = layout_.timer;
    std::vector<std::byte> raw(l.size.value());
    if (!memory_.read(at, raw)) return;
    const Pending pending = l.state.present() ? pending_by_state(l.state.load(raw))
                                              : pending_by_status(l.status.load(raw));
    if (!pending.yes) return;
    TimerState timer;
    timer.at = at;
    timer.when = static_cast<std::int64_t>((pending.use_next_when ? l.nextwhen : l.when).load(raw));
    timer.period = static_cast<std::int64_t>(l.period.load(raw));
    timer.channel = l.is_chan.load(raw) != 0;
    // A Go func value points to a word that holds the code's address; an eface's second word is its
    // data, which for a func is that very pointer.
    timer.callback = code_of(Address{l.f.load(raw)});
    timer.target = code_of(Address{Offset(l.arg.value() + 8, 8).load(raw)});
    out.push_back(timer);
  }

  Address code_of(Address func_value) {
    if (!func_value) return {};
    auto code = memory_.read_pointer(func_value);
    return code ? *code : Address{};
  }

  const Layout& layout_;
  target::Memory& memory_;
};

}  // namespace

Result<std::vector<TimerState>> read_timers(const Layout& layout, const Globals& globals,
                                            target::Memory& memory) {
  WEIR_TRY(const auto allp, memory.read<SliceHeader>(globals.allp));
  if (allp.length > p_limit)
    return fail(ErrorCode::limit, fmt::format("runtime.allp has {} entries", allp.length),
                globals.allp);
  std::vector<TimerState> timers;
  Reader reader(layout, memory);
  for (std::uint64_t i = 0; i < allp.length; ++i) {
    WEIR_TRY(const Address p, memory.read_pointer(Address{allp.data} + i * 8));
    if (p) WEIR_TRY_VOID(reader.read_heap(p, timers));
  }
  return timers;
}

}  // namespace weir::gortime
