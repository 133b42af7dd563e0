#include "weir/ingest/holders.h"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "weir/gortime/heap_objects.h"
#include "weir/gortime/unwind.h"

namespace weir::ingest {

using gortime::GoroutineState;
using model::Goroutine;

namespace {

/// The memory around one object that somebody is blocked on: [start, end).
struct Extent {
  std::uint64_t start = 0, end = 0;
  Address object;
};

/// Every object that a goroutine is blocked on, with the heap object around it (a Mutex is mostly a
/// field of something, and that is what others have a pointer to). One word where there is none.
std::vector<Extent> extents_of(const std::vector<Goroutine>& goroutines,
                               gortime::HeapObjects& heap) {
  std::map<Address, Extent> extents;
  const auto add = [&](Address object) {
    if (!object || extents.contains(object)) return;
    const auto around = heap.find(object);
    extents[object] = around
                          ? Extent{around->start.value, around->start.value + around->size, object}
                          : Extent{object.value, object.value + 1, object};
  };
  for (const Goroutine& goroutine : goroutines) {
    if (!goroutine.blocked_on) continue;
    add(goroutine.blocked_on->object);
    for (const model::ChannelCase& one : goroutine.blocked_on->cases) add(one.channel.address);
  }
  std::vector<Extent> sorted;
  for (const auto& [object, extent] : extents) sorted.push_back(extent);
  std::sort(sorted.begin(), sorted.end(),
            [](const Extent& a, const Extent& b) { return a.start < b.start; });
  return sorted;
}

/// Extents are equal or apart, since heap objects are; so those that hold a word stand together.
void add_references(std::uint64_t word, const std::vector<Extent>& extents,
                    std::vector<Address>& found) {
  auto after = std::upper_bound(extents.begin(), extents.end(), word,
                                [](std::uint64_t at, const Extent& e) { return at < e.start; });
  while (after != extents.begin()) {
    const Extent& extent = *--after;
    if (word >= extent.end) break;
    found.push_back(extent.object);
  }
}

/// What one goroutine's stack refers to, directly or through heap objects.
class Search {
 public:
  Search(const std::vector<GoroutineState>& states, std::vector<Extent> extents,
         gortime::HeapObjects& heap, target::Memory& memory)
      : extents_(std::move(extents)), heap_(heap), memory_(memory) {
    for (const GoroutineState& state : states) {
      add_opaque(state.g);
      for (const gortime::SudogState& sudog : state.sudogs) add_opaque(sudog.at);
    }
  }

  std::vector<Address> from(std::span<const std::uint64_t> stack) {
    std::vector<Address> found;
    std::unordered_set<std::uint64_t> seen;
    std::vector<std::uint64_t> level(stack.begin(), stack.end());
    for (int depth = 0; !level.empty(); ++depth) {
      for (const std::uint64_t word : level) add_references(word, extents_, found);
      if (depth == most_levels) break;
      level = next_level(level, seen);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  bool exhausted() const { return left_ == 0; }

 private:
  /// The runtime's own structures lead from a channel to whoever waits for it, and on to all else
  /// that one waits for: not a way in which a program comes by a channel.
  void add_opaque(Address at) {
    if (const auto object = heap_.find(at)) opaque_.insert(object->start.value);
  }

  /// The words of the heap objects that `words` point into and that were not seen yet.
  std::vector<std::uint64_t> next_level(const std::vector<std::uint64_t>& words,
                                        std::unordered_set<std::uint64_t>& seen) {
    std::vector<std::uint64_t> next;
    for (const std::uint64_t word : words) {
      if (word < lowest_heap || seen.size() >= most_objects || left_ == 0) continue;
      const auto object = heap_.find(Address{word});
      if (!object || !object->has_pointers || opaque_.contains(object->start.value)) continue;
      if (!seen.insert(object->start.value).second) continue;
      --left_;
      const std::size_t size = std::min<std::uint64_t>(object->size, largest_read) / 8;
      std::vector<std::uint64_t> content(size);
      if (memory_.read(object->start, std::as_writable_bytes(std::span(content))))
        next.insert(next.end(), content.begin(), content.end());
    }
    return next;
  }

  static constexpr int most_levels = 3;
  static constexpr std::size_t most_objects = 500;     // of one goroutine
  static constexpr std::uint64_t largest_read = 4096;  // of one object
  static constexpr std::uint64_t lowest_heap = 1 << 16;

  std::vector<Extent> extents_;
  gortime::HeapObjects& heap_;
  target::Memory& memory_;
  std::unordered_set<std::uint64_t> opaque_;
  std::size_t left_ = 50'000;  // objects, of all goroutines: bounds the time and a recording
};

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

/// The words of a stack that may hold references of the program's. A goroutine that is parked on an
/// object has the frames of that wait on top: chansend, selectgo, lockSlow, gopark. All they have
/// is that object, and many slots that they never wrote, with what another stack left there.
std::span<const std::uint64_t> program_words(const GoroutineState& state,
                                             const Goroutine& goroutine,
                                             const gortime::Program& program,
                                             gortime::Unwinder& unwinder) {
  const std::span<const std::uint64_t> all(state.stack);
  if (!is_plain_wait(goroutine)) return all;
  const auto unwound = unwinder.unwind({state.stack_at, all},
                                       {state.sched_pc, state.sched_sp, {}, false, false}, 64);
  for (std::size_t i = 0; i < unwound.frames.size(); ++i) {
    const LinkAddr pc = program.bias().to_link(unwound.frames[i].pc);
    const auto function = program.table().find_function(pc);
    if (function && is_waiting_code(function->name)) continue;
    const Address bottom = unwound.bottoms[i];
    if (bottom < state.stack_at) return all;
    return all.subspan(std::min<std::size_t>((bottom - state.stack_at) / 8, all.size()));
  }
  return all;
}

}  // namespace

void find_holders(const std::vector<GoroutineState>& states, const gortime::Program& program,
                  target::Memory& memory, model::Snapshot& snapshot) {
  gortime::HeapObjects heap(program.layout(), program.globals(), program.file().machine(), memory);
  gortime::Unwinder unwinder(program.table(), program.bias(), program.file().machine());
  Search search(states, extents_of(snapshot.goroutines, heap), heap, memory);
  std::unordered_map<std::uint64_t, Goroutine*> by_id;
  for (Goroutine& goroutine : snapshot.goroutines) by_id[goroutine.id.value] = &goroutine;
  for (const GoroutineState& state : states) {
    const auto owner = by_id.find(state.id.value);
    if (owner == by_id.end() || owner->second->system || !state.alive()) continue;
    owner->second->refers_to = search.from(program_words(state, *owner->second, program, unwinder));
  }
  if (search.exhausted())
    snapshot.notes.add(Severity::warning,
                       "there are too many heap objects to follow what every goroutine refers to");
}

}  // namespace weir::ingest
