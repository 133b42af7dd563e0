#include "weir/ingest/holders.h"

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>

#include "weir/gortime/heap_objects.h"
#include "weir/gortime/unwind.h"
#include "weir/ingest/held_locks.h"
#include "weir/ingest/holder_roots.h"
#include "weir/ingest/holder_search.h"

namespace weir::ingest {

using gortime::GoroutineState;
using model::Goroutine;

namespace {

constexpr std::size_t most_followed = 500;   // heap objects, from one stack
constexpr std::size_t most_of_all = 50'000;  // from all stacks: bounds the time and a recording
constexpr std::uint64_t most_ms = 100'000, most_ps = 65'536;

/// The runtime's structures: see HolderSearch::make_opaque().
void hide_runtime(const std::vector<GoroutineState>& states, const gortime::Program& program,
                  target::Memory& memory, HolderSearch& search) {
  for (const GoroutineState& state : states) {
    search.make_opaque(state.g);
    for (const gortime::SudogState& sudog : state.sudogs) search.make_opaque(sudog.at);
  }
  const auto pointer = [&](Address at) { return memory.read_pointer(at).value_or(Address{}); };
  Address m = pointer(program.globals().allm);
  for (std::uint64_t n = 0; m && n < most_ms; ++n) {
    search.make_opaque(m);
    m = pointer(m + program.layout().m.alllink);
  }
  const Address ps = pointer(program.globals().allp);
  const std::uint64_t count = pointer(program.globals().allp + 8).value;
  for (std::uint64_t i = 0; ps && i < std::min(count, most_ps); ++i)
    search.make_opaque(pointer(ps + i * 8));
}

/// Waits that a goroutine enters with nothing of the program's in hand but what it waits for.
bool is_plain_wait(const Goroutine& goroutine) {
  if (!goroutine.blocked_on) return false;
  const model::WaitKind kind = goroutine.blocked_on->kind;
  return kind != model::WaitKind::other && kind != model::WaitKind::semaphore &&
         kind != model::WaitKind::io;
}

bool is_waiting_code(std::string_view function) {
  return function == "time.Sleep" || function.starts_with("runtime.") ||
         function.starts_with("internal/runtime/") || function.starts_with("sync.") ||
         function.starts_with("internal/sync.");
}

/// The words of stacks that may hold references of the program's. A goroutine that is parked on an
/// object has the frames of that wait on top: chansend, selectgo, lockSlow, gopark. All they have
/// is that object, and many slots that they never wrote, with what another stack left there.
class ProgramWords {
 public:
  ProgramWords(const gortime::Program& program, gortime::Unwinder& unwinder)
      : program_(program), unwinder_(unwinder) {}

  std::span<const std::uint64_t> of(const GoroutineState& state, const Goroutine& goroutine) {
    const std::span<const std::uint64_t> all(state.stack);
    if (!is_plain_wait(goroutine)) return all;
    const auto unwound = unwinder_.unwind({state.stack_at, all},
                                          {state.sched_pc, state.sched_sp, {}, false, false}, 64);
    for (std::size_t i = 0; i < unwound.frames.size(); ++i) {
      if (waits_at(unwound.frames[i].pc)) continue;
      const Address bottom = unwound.bottoms[i];
      if (bottom < state.stack_at) return all;
      return all.subspan(std::min<std::size_t>((bottom - state.stack_at) / 8, all.size()));
    }
    return all;
  }

 private:
  bool waits_at(Address pc) {
    const auto [entry, is_new] = known_.try_emplace(pc);
    if (is_new) {
      const auto function = program_.table().find_function(program_.bias().to_link(pc));
      entry->second = function && is_waiting_code(function->name);
    }
    return entry->second;
  }

  const gortime::Program& program_;
  gortime::Unwinder& unwinder_;
  std::unordered_map<Address, bool> known_;
};

/// Of the thread that runs it; null if there is none.
const target::Registers* registers_of(const GoroutineState& state, const Moment& moment) {
  if (state.status != gortime::GStatus::running || !state.thread) return nullptr;
  const auto found = moment.registers.find(*state.thread);
  return found == moment.registers.end() ? nullptr : &found->second;
}

}  // namespace

void find_holders(const std::vector<GoroutineState>& states, const gortime::Program& program,
                  target::Memory& memory, const Moment& moment, model::Snapshot& snapshot) {
  gortime::HeapObjects heap(program.layout(), program.globals(), program.file().machine(), memory);
  gortime::Unwinder unwinder(program.table(), program.bias(), program.file().machine());
  HolderSearch search(snapshot.goroutines, heap, memory);
  hide_runtime(states, program, memory, search);
  std::unordered_map<std::uint64_t, Goroutine*> by_id;
  for (Goroutine& goroutine : snapshot.goroutines) by_id[goroutine.id.value] = &goroutine;
  ProgramWords words(program, unwinder);
  std::size_t left = most_of_all;
  for (const GoroutineState& state : states) {
    const auto owner = by_id.find(state.id.value);
    if (owner == by_id.end() || owner->second->system || !state.alive()) continue;
    std::vector<HolderRoot> roots;
    const auto add = [&](std::span<const std::uint64_t> more) {
      for (const std::uint64_t word : more) roots.push_back({word, 0});
    };
    add(words.of(state, *owner->second));
    add(std::array{state.closure.value, state.defers.value});
    if (const target::Registers* registers = registers_of(state, moment)) add(registers->general);
    std::vector<Address>& found = owner->second->refers_to;
    for (const HolderHit& hit : search.follow(std::move(roots), most_followed, left))
      found.push_back(hit.object);
    std::sort(found.begin(), found.end());
  }
  if (left == 0)
    snapshot.notes.add(Severity::warning,
                       "there are too many heap objects to follow what every goroutine refers to");
  find_held_locks(states, program, unwinder, snapshot);
  snapshot.surroundings =
      find_surroundings(program, memory, moment.monotonic_now, search, snapshot.notes);
}

}  // namespace weir::ingest
