#pragma once
// What every part of the agent uses: its memory, the program's, and the kernel.
#include "weir/sched/agent/decider.h"

namespace weir::sched::agent {
namespace {

using U8 = std::uint8_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

/// More than asyncPreemptStack, src/runtime/preempt.go, of every version (472 in go1.22).
constexpr U64 preempt_stack = 1024;
/// How long (of virtual time) goroutines have to end after the test.
constexpr U64 settle_time = 60'000'000'000;
constexpr U32 settle_stops = 4'000;
constexpr U64 real_poll = 2'000'000;
constexpr U32 most_enabled = 4096, most_passing = 4096;
/// Calls within package sync, and what they may take of the stack.
constexpr U32 most_sync_calls = 8;
constexpr U64 most_sync_stack = 4096;
constexpr U64 word = 8, page = 4096;
/// What a nil pointer's fields are below of; a fault there is the program's own.
constexpr U64 least_address = 4096;

enum SystemCall : U64 {
  sys_mprotect = 10,
  sys_madvise = 28,
  sys_nanosleep = 35,
  sys_getpid = 39,
  sys_prctl = 157,
  sys_gettid = 186,
  sys_exit_group = 231,
  sys_tgkill = 234,
};

enum class Place : U32 { chosen, next, local, global };

struct Enabled {
  U64 g, goid;
  U64 previous, schedlink;  ///< Place::global
  Place place;
  U32 slot;  ///< Place::local
};

struct Passing {
  U64 goid;
  U64 site;
};

struct State {
  U64 jump_rsp, poll_rsp;  ///< first: the assembly in agent.cc writes them
  bool ended;              ///< no hook matters any more
  bool real_polled, uses_poller;
  bool switching;  ///< the next execute() obeys switch_to
  U64 switch_to;   ///< goid
  U64 settled_at;  ///< where the goroutine that exits comes back; 0: it has not
  U32 settle_stops;
  U32 passing_count;
  U32 enabled_count;
  alignas(8) U8 decider[sizeof(Decider)];
  U64 goids[most_enabled + 1];    ///< begins in the page of what is above
  Passing passing[most_passing];  ///< were asked there already, and begin anew
  Enabled enabled[most_enabled];
};
static_assert(state_at + sizeof(State) < stack_end - 0x8000);

extern "C" __attribute__((visibility("hidden"))) U8 weir_head[];

State& state() {
  return *reinterpret_cast<State*>(weir_head + state_at);
}
Config& config() {
  return *reinterpret_cast<Config*>(weir_head + config_at);
}
Shared& shared() {
  return *reinterpret_cast<Shared*>(config().shared);
}
Decider& decider() {
  return *reinterpret_cast<Decider*>(state().decider);
}

template <class T>
T& at(U64 address) {
  return *reinterpret_cast<T*>(address);
}

U64 call(SystemCall number, U64 a = 0, U64 b = 0, U64 c = 0) {
  U64 result = 0;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c)
               : "rcx", "r11", "memory");
  return result;
}

bool bit(U64 map, U64 pc) {
  if (pc < config().text_start || pc >= config().text_end) return false;
  const U64 block = (pc - config().text_start) / 16;
  return (at<U8>(map + block / 8) >> (block % 8) & 1) != 0;
}

/// isSystemGoroutine, src/runtime/traceback.go: by where it starts.
bool is_system(U64 g) {
  const U64 start = at<U64>(g + config().offsets.g_startpc);
  return start < config().text_start || start >= config().text_end || bit(config().system, start);
}

[[noreturn]] void give_up(End end) {
  shared().end = end;
  while (true) call(sys_exit_group, 3);
}

/// The index of the site at `address`; site_count if there is none.
U32 find_site(U64 address) {
  U64 low = 0, high = config().site_count;
  while (low < high) {
    const U64 middle = (low + high) / 2;
    if (at<Site>(config().sites + middle * sizeof(Site)).at < address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low < config().site_count && at<Site>(config().sites + low * sizeof(Site)).at == address)
    return static_cast<U32>(low);
  return static_cast<U32>(config().site_count);
}

}  // namespace

}  // namespace weir::sched::agent
