#include "weir/gortime/reach_roots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "weir/gosym/module_data.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t most_entries = 100'000'000;
constexpr std::uint64_t most_timers = 50'000'000;
constexpr std::uint64_t most_foreign = std::uint64_t{8} << 30;
constexpr std::uint64_t most_data = std::uint64_t{4} << 30;
constexpr std::uint64_t system_stack_scanned = 64 << 10;  // where its extent in use is not known
constexpr std::uint64_t piece = 1 << 20;
constexpr std::uint64_t persistent_chunk = 256 << 10, most_chunks = 1 << 20;  // malloc.go
constexpr std::uint64_t arena_size = std::uint64_t{64} << 20;  // malloc.go: heapArenaBytes

struct SliceHeader {
  std::uint64_t data = 0, length = 0, capacity = 0;
};

class Roots {
 public:
  Roots(const ReachContext& context, ReachMarker& marker)
      : context_(context), layout_(context.program.layout()), marker_(marker) {}

  Result<void> pinned();
  Result<void> finalizer_queue();
  Result<void> cleanup_queue();
  Result<void> specials();
  Result<void> timers();
  Result<void> threads();
  Result<void> foreign_memory();
  Result<void> variables();

 private:
  Result<void> words(Address from, Address to, const ReachRoot& root,
                     Counts counts = Counts::for_all) {
    for (Address at = from; at < to; at = at + piece) {
      WEIR_TRY(const auto read, context_.state.read_words(at, std::min(to, at + piece)));
      marker_.mark_words(read, at, root, counts);
    }
    return {};
  }
  Result<void> field(Address object, Offset offset, RootKind kind) {
    if (!offset.present()) return {};
    return words(object + offset, object + offset + std::max(8U, offset.width()),
                 {kind, {}, {}, 0});
  }
  Result<void> special(const HeapSpan& span, Address at);
  Result<void> system_stacks(const ReachM& m);
  bool in_system_call(Address pc) const;
  Result<void> interrupted_stack(const ReachM& m, Address low);
  using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // [first, second)
  Result<void> persistent_memory(Ranges& ranges) const;
  Result<void> masked(Address from, Address to, const gosym::PointerMask& mask);

  const ReachContext& context_;
  const Layout& layout_;
  ReachMarker& marker_;
};

/// Two bits for each slot: pinned, and pinned several times (pinner.go). Absent before 1.21.
Result<void> Roots::pinned() {
  for (const HeapSpan& span : context_.heap.spans()) {
    if (!span.pinner_bits) continue;
    std::vector<std::uint8_t> bits((span.slots * 2 + 7) / 8);
    WEIR_TRY_VOID(context_.memory.read(span.pinner_bits, std::as_writable_bytes(std::span(bits))));
    for (std::uint32_t slot = 0; slot < span.slots; ++slot)
      if ((bits[slot / 4] >> (slot % 4 * 2) & 3) != 0)
        marker_.mark(span.start + slot * span.element, {RootKind::pinned, span.pinner_bits, {}, 0});
  }
  return {};
}

/// Finalizers that wait to be run, with what they are to be called with.
Result<void> Roots::finalizer_queue() {
  const auto& l = layout_.fin_block;
  WEIR_TRY(Address block, context_.memory.read_pointer(context_.program.globals().allfin));
  for (std::uint64_t n = 0; block; ++n) {
    if (n > most_entries)
      return fail(ErrorCode::invalid, "the finalizer queue does not end", block);
    WEIR_TRY(const auto count, context_.memory.read<std::uint32_t>(block + l.count));
    const std::uint64_t bytes = std::uint64_t{count} * l.finalizer_size.value();
    if (bytes > l.fin.width() + 4096)
      return fail(ErrorCode::invalid, "the finalizer queue makes no sense", block);
    WEIR_TRY_VOID(words(block + l.fin, block + l.fin + bytes, {RootKind::finalizer, {}, {}, 0}));
    WEIR_TRY(block, context_.memory.read_pointer(block + l.alllink));
  }
  return {};
}

Result<void> Roots::cleanup_queue() {
  const auto& l = layout_.cleanup_block;
  if (!l.queue_all.present()) return {};
  WEIR_TRY(Address block,
           context_.memory.read_pointer(context_.program.globals().gc_cleanups + l.queue_all));
  for (std::uint64_t n = 0; block; ++n) {
    if (n > most_entries) return fail(ErrorCode::invalid, "the cleanup queue does not end", block);
    WEIR_TRY(const auto count, context_.memory.read<std::uint32_t>(block + l.count));
    const std::uint64_t bytes = std::uint64_t{count} * l.cleanup_size.value();
    if (bytes > l.cleanups.width())
      return fail(ErrorCode::invalid, "the cleanup queue makes no sense", block);
    WEIR_TRY_VOID(
        words(block + l.cleanups, block + l.cleanups + bytes, {RootKind::finalizer, {}, {}, 0}));
    WEIR_TRY(block, context_.memory.read_pointer(block + l.alllink));
  }
  return {};
}

Result<void> Roots::specials() {
  std::uint64_t n = 0;
  for (const HeapSpan& span : context_.heap.spans()) {
    Address at = span.specials;
    while (at) {
      if (++n > most_entries) return fail(ErrorCode::invalid, "the specials do not end", span.at);
      WEIR_TRY_VOID(special(span, at));
      WEIR_TRY(at, context_.memory.read_pointer(at + layout_.special.next));
    }
  }
  return {};
}

Result<void> Roots::special(const HeapSpan& span, Address at) {
  const auto& l = layout_.special;
  std::uint64_t offset = 0;
  WEIR_TRY_VOID(context_.memory.read(
      at + l.offset, std::as_writable_bytes(std::span(&offset, 1)).first(l.offset.width())));
  WEIR_TRY(const auto kind, context_.memory.read<std::uint8_t>(at + l.kind));
  const std::uint64_t object = span.start + offset;
  if (l.kind_finalizer.is(kind)) {
    // It will be called with the object, so the object itself is within reach.
    marker_.mark(object, {RootKind::finalizer, at, {}, 0});
    return field(at, l.finalizer_fn, RootKind::finalizer);
  }
  if (l.kind_cleanup.is(kind)) return field(at, l.cleanup_fn, RootKind::finalizer);
  if (l.kind_weak_handle.is(kind)) {
    marker_.mark(object, {RootKind::weak, at, {}, 0});
    return field(at, l.weak_handle, RootKind::weak);
  }
  if (l.kind_pin_counter.is(kind)) {
    marker_.mark(object, {RootKind::pinned, at, {}, 0});
    return {};
  }
  for (const Number& known : {l.kind_tiny_block, l.kind_profile, l.kind_reachable,
                              l.kind_check_finalizer, l.kind_bubble, l.kind_secret})
    if (known.is(kind)) return {};
  return fail(ErrorCode::unsupported, fmt::format("a special record of unknown kind {}", kind), at);
}

/// A timer's function and argument live as long as it is pending. Timers of the network poller are
/// not in the heap, so their words are read, too.
Result<void> Roots::timers() {
  const bool own_struct = layout_.timers.heap.present();  // go1.23+
  const std::uint64_t stride = own_struct ? layout_.timers.entry_size.value() : 8;
  const std::uint64_t entry = own_struct ? layout_.timers.entry_timer.value() : 0;
  for (const Address p : context_.state.ps()) {
    const Address at =
        own_struct ? p + layout_.p.timers + layout_.timers.heap : p + layout_.p.timers;
    WEIR_TRY(const auto heap, context_.memory.read<SliceHeader>(at));
    if (heap.length > most_timers || heap.length > heap.capacity)
      return fail(ErrorCode::invalid, "a heap of timers makes no sense", at);
    std::vector<std::byte> entries(heap.length * stride);
    WEIR_TRY_VOID(context_.memory.read(Address{heap.data}, entries));
    marker_.mark(heap.data, {RootKind::timer, at, {}, 0});
    for (std::uint64_t i = 0; i < heap.length; ++i) {
      const std::uint64_t timer =
          Offset(static_cast<std::uint32_t>(entry), 8)
              .load(std::span<const std::byte>(entries).subspan(i * stride));
      if (timer == 0) continue;
      marker_.mark(timer, {RootKind::timer, Address{timer}, {}, 0});
      const Address end = Address{timer} + layout_.timer.size.value();
      WEIR_TRY_VOID(words(Address{timer}, end, {RootKind::timer, {}, {}, 0}));
    }
  }
  return {};
}

/// What a signal interrupted: from the frame that the kernel wrote at the top of the handler's
/// stack, told by the description of that stack in it (struct ucontext, arch/x86/include/uapi/asm).
/// Of signals within a handler the outermost counts. Nothing if there is no such frame.
struct Interrupted {
  Address sp, pc;
};
std::optional<Interrupted> interrupted_in(std::span<const std::uint64_t> handler,
                                          const StackRange& signal) {
  constexpr std::size_t size_at = 2, sp_at = 18, pc_at = 19;  // words from uc_stack.ss_sp on
  for (std::size_t i = handler.size(); i-- > 0;) {
    if (i + pc_at >= handler.size() || handler[i] != signal.low.value) continue;
    if (handler[i + size_at] != signal.high - signal.low) continue;
    return Interrupted{Address{handler[i + sp_at]}, Address{handler[i + pc_at]}};
  }
  return {};
}

/// Whether a signal frame's pc is behind a SYSCALL, or on one that is to be made again.
bool Roots::in_system_call(Address pc) const {
  constexpr std::array<std::uint8_t, 2> syscall{0x0f, 0x05};
  std::array<std::uint8_t, 4> code{};
  if (!context_.memory.read(pc - 2, std::as_writable_bytes(std::span(code)))) return false;
  return std::equal(syscall.begin(), syscall.end(), code.begin()) ||
         std::equal(syscall.begin(), syscall.end(), code.begin() + 2);
}

/// Both stacks of a thread in a signal handler. One that was interrupted in futex(), and has
/// neither a P nor a goroutine, only waited for work: what its stacks and saved registers lead to,
/// no code of the program will use, as with a thread that is in that system call.
Result<void> Roots::interrupted_stack(const ReachM& m, Address low) {
  const ReachRoot root{RootKind::system_stack, {}, {}, m.procid};
  WEIR_TRY(const auto handler, context_.state.read_words(m.thread->registers.sp, m.signal.high));
  const auto at = context_.cgo ? std::nullopt : interrupted_in(handler, m.signal);
  if (at && !m.p && !m.curg && in_system_call(at->pc)) return {};
  marker_.mark_words(handler, m.thread->registers.sp, root);
  if (!at) return words(low, m.system.high, root);
  if (m.system.holds(at->sp)) return words(at->sp, m.system.high, root);
  const bool on_goroutine =
      std::any_of(context_.state.goroutines().begin(), context_.state.goroutines().end(),
                  [&](const ReachG& g) { return g.at == m.curg && g.stack.holds(at->sp); });
  return on_goroutine ? Result<void>() : words(low, m.system.high, root);
}

Result<void> Roots::system_stacks(const ReachM& m) {
  const ReachRoot root{RootKind::system_stack, {}, {}, m.procid};
  const Address sp = m.thread->registers.sp;
  const bool outside = m.thread->registers.syscall < 0;
  const bool busy = outside || m.p || m.curg;
  const Address low = m.system.high - m.system.low > system_stack_scanned
                          ? m.system.high - system_stack_scanned
                          : m.system.low;
  if (m.system.holds(sp)) return busy ? words(sp, m.system.high, root) : Result<void>();
  if (m.signal.holds(sp)) return interrupted_stack(m, low);
  // On its goroutine's stack the other one is not in use; elsewhere is C code.
  const bool on_goroutine =
      std::any_of(context_.state.goroutines().begin(), context_.state.goroutines().end(),
                  [&](const ReachG& g) { return g.at == m.curg && g.stack.holds(sp); });
  return on_goroutine || !busy ? Result<void>() : words(low, m.system.high, root);
}

/// Between two system calls a thread may have the only pointer there is in a register. In one it
/// has arguments, which its stack has, too: Go's registers are the caller's to save.
Result<void> Roots::threads() {
  for (const ReachThread& thread : context_.state.threads()) {
    if (thread.registers.syscall >= 0) continue;
    const ReachRoot root{RootKind::registers, {}, {}, thread.go_id};
    marker_.mark_words(thread.registers.general, {}, root);
    marker_.mark_words(thread.vectors, {}, root);
  }
  for (const ReachM& m : context_.state.ms())
    if (m.thread) WEIR_TRY_VOID(system_stacks(m));
  return {};
}

/// What the runtime has for itself for good (persistentalloc): spans, specials, the collector's own
/// lists of pointers. What of it counts, other roots have.
Result<void> Roots::persistent_memory(Ranges& ranges) const {
  if (!context_.program.globals().persistent_chunks) return {};
  WEIR_TRY(Address chunk,
           context_.memory.read_pointer(context_.program.globals().persistent_chunks));
  for (std::uint64_t n = 0; chunk; ++n) {
    if (n > most_chunks)
      return fail(ErrorCode::invalid, "the runtime's persistent memory does not end", chunk);
    ranges.emplace_back(chunk.value, chunk.value + persistent_chunk);
    WEIR_TRY(chunk, context_.memory.read_pointer(chunk));
  }
  return {};
}

/// With cgo: all that can be written to and is not Go's. The rules of cgo forbid that C keeps Go
/// pointers there; but being wrong here would be worse than missing a leak.
Result<void> Roots::foreign_memory() {
  if (!context_.cgo) return {};
  Ranges not_foreign;
  for (const HeapSpan& span : context_.heap.spans()) {
    // Whole arenas: what is free now has old content.
    const std::uint64_t first = span.start / arena_size, last = (span.end - 1) / arena_size;
    if (not_foreign.empty() || not_foreign.back().second < (last + 1) * arena_size)
      not_foreign.emplace_back(first * arena_size, (last + 1) * arena_size);
  }
  for (const HeapSpan& span : context_.heap.spans()) {
    not_foreign.emplace_back(span.at.value, span.at.value + layout_.mspan.size.value());
  }
  WEIR_TRY_VOID(persistent_memory(not_foreign));
  for (const elf::Segment& load : context_.program.file().loads()) {
    const Address start = context_.program.bias().to_run(load.start);
    not_foreign.emplace_back(start.value, start.value + load.memory_size);
  }
  // Weir's code keeps nothing for the program: what it does with a goroutine, it does by its
  // number.
  for (const MemoryRange& own : context_.own_memory)
    not_foreign.emplace_back(own.start.value, own.end.value);
  std::sort(not_foreign.begin(), not_foreign.end());
  std::vector<target::Region> regions = context_.memory.regions();
  std::erase_if(regions, [](const target::Region& region) {
    return !region.readable || !region.writable || region.path.starts_with("[v") ||
           region.path.starts_with("/dev/");
  });
  std::uint64_t total = 0;
  for (const target::Region& region : regions) total += region.end - region.start;
  if (total > most_foreign)
    return fail(ErrorCode::limit,
                fmt::format("{} MB of memory that C code can write to are too much to search (the "
                            "race detector has that much)",
                            total >> 20));
  for (const target::Region& region : regions) {
    Address at = region.start;
    auto next = std::lower_bound(not_foreign.begin(), not_foreign.end(),
                                 std::pair{at.value, std::uint64_t{0}});
    if (next != not_foreign.begin() && (next - 1)->second > at.value) --next;
    while (at < region.end) {
      const bool more = next != not_foreign.end() && next->first < region.end.value;
      const Address end = more ? std::max(at, Address{next->first}) : region.end;
      WEIR_TRY_VOID(words(at, end, {RootKind::foreign, {}, {}, 0}, Counts::not_for_queues));
      if (!more) break;
      at = std::max(end, Address{next->second});
      ++next;
    }
  }
  return {};
}

/// Exactly the words that the compiler says may hold pointers. The semaphore table leads to every
/// waiter there is: whoever goes through it has the semaphore's address already.
Result<void> Roots::masked(Address from, Address to, const gosym::PointerMask& mask) {
  const Address table = context_.program.globals().semtable;
  const Address table_end =
      table + std::uint64_t{layout_.sema_root.stride.value()} * layout_.sema_root.count.value();
  const std::uint64_t count = (to - from) / 8;
  if (to < from || to - from > most_data || mask.bit_count < count || !mask.bits)
    return fail(ErrorCode::invalid, "the map of pointers in variables makes no sense", from);
  std::vector<std::uint8_t> bits((count + 7) / 8);
  WEIR_TRY_VOID(context_.memory.read(mask.bits, std::as_writable_bytes(std::span(bits))));
  for (std::uint64_t done = 0; done < count; done += piece / 8) {
    const Address at = from + done * 8;
    WEIR_TRY(const auto read, context_.state.read_words(at, std::min(to, at + piece)));
    for (std::uint64_t i = 0; i < read.size(); ++i) {
      const std::uint64_t bit = done + i;
      if ((bits[bit / 8] >> (bit % 8) & 1) == 0) continue;
      const Address word = at + i * 8;
      if (word >= table && word < table_end) continue;
      marker_.mark(read[i], {RootKind::global, word, {}, 0});
    }
  }
  return {};
}

Result<void> Roots::variables() {
  const Program& program = context_.program;
  const gosym::ReadMemory read = [this](Address at, std::span<std::byte> into) {
    return context_.memory.read(at, into).has_value();
  };
  WEIR_TRY(const auto module,
           gosym::find_live_module_data(read, program.file(), program.table().location().pclntab,
                                        program.bias(), program.go_minor()));
  if (module.next)
    return fail(ErrorCode::unsupported, "the program has loaded plugins or shared Go libraries");
  WEIR_TRY_VOID(masked(module.data, module.edata, module.data_mask));
  return masked(module.bss, module.ebss, module.bss_mask);
}

}  // namespace

Result<void> mark_roots(const ReachContext& context, ReachMarker& marker) {
  Roots roots(context, marker);
  WEIR_TRY_VOID(roots.pinned());
  WEIR_TRY_VOID(roots.finalizer_queue());
  WEIR_TRY_VOID(roots.cleanup_queue());
  WEIR_TRY_VOID(roots.specials());
  WEIR_TRY_VOID(roots.timers());
  WEIR_TRY_VOID(roots.threads());
  WEIR_TRY_VOID(roots.foreign_memory());
  WEIR_TRY_VOID(roots.variables());
  marker.drain();
  return {};
}

}  // namespace weir::gortime
