#include "weir/gortime/heap_objects.h"

#include <vector>

namespace weir::gortime {
namespace {

// src/runtime/malloc.go: linux, 64 bits. The first level of mheap_.arenas has one entry.
constexpr std::uint64_t page_size = 8192;
constexpr std::uint64_t arena_size = std::uint64_t{64} << 20;
constexpr std::uint64_t pages_per_arena = arena_size / page_size;
constexpr std::uint64_t arenas = std::uint64_t{1} << 22;
constexpr std::uint64_t amd64_base = 0x800000000000;  // -arenaBaseOffset
constexpr std::uint64_t largest_span_struct = 1024;

}  // namespace

HeapObjects::HeapObjects(const Layout& layout, const Globals& globals, elf::Machine machine,
                         target::Memory& memory)
    : layout_(layout),
      memory_(memory),
      mheap_(globals.mheap),
      arena_base_(machine == elf::Machine::amd64 ? amd64_base : 0) {}

std::optional<HeapObject> HeapObjects::find(Address at) {
  if (!mheap_) return std::nullopt;
  const auto span = find_span(at);
  if (!span || !span->in_use || span->element == 0) return std::nullopt;
  if (at.value < span->start || at.value >= span->limit) return std::nullopt;
  const std::uint64_t index = (at.value - span->start) / span->element;
  return HeapObject{Address{span->start + index * span->element}, span->element,
                    span->has_pointers};
}

std::optional<HeapObjects::Span> HeapObjects::find_span(Address at) {
  const std::uint64_t page = at.value / page_size;
  if (const auto known = spans_.find(page); known != spans_.end()) return known->second;
  const auto pointer = [this](Address where) {
    return memory_.read<std::uint64_t>(where).value_or(0);
  };
  const auto look = [&]() -> std::optional<Span> {
    const std::uint64_t arena = (at.value + arena_base_) / arena_size;
    if (arena >= arenas) return std::nullopt;
    const Address level{pointer(mheap_ + layout_.mheap.arenas)};
    if (!level) return std::nullopt;
    const Address heap_arena{pointer(level + arena * 8)};
    if (!heap_arena) return std::nullopt;
    const Address span{pointer(heap_arena + layout_.heap_arena.spans + page % pages_per_arena * 8)};
    return span ? read_span(span) : std::nullopt;
  };
  return spans_[page] = look();
}

std::optional<HeapObjects::Span> HeapObjects::read_span(Address at) {
  const auto& mspan = layout_.mspan;
  if (mspan.size.value() > largest_span_struct) return std::nullopt;
  std::vector<std::byte> bytes(mspan.size.value());
  if (!memory_.read(at, bytes)) return std::nullopt;
  Span span;
  span.start = mspan.start_addr.load(bytes);
  span.limit = span.start + mspan.npages.load(bytes) * page_size;
  span.element = mspan.elemsize.load(bytes);
  span.has_pointers = (mspan.spanclass.load(bytes) & 1) == 0;
  span.in_use = mspan.state.load(bytes) == mspan.state_in_use.value();
  return span;
}

}  // namespace weir::gortime
