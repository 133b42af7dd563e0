#include "weir/gortime/heap_map.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>

namespace weir::gortime {
namespace {

constexpr std::uint64_t page_size = 8192;
constexpr std::uint64_t most_spans = 1 << 27;
constexpr std::uint64_t most_objects = 1U << 31;
constexpr std::size_t batch = 4096;
constexpr std::uint64_t largest_span_struct = 1024;
constexpr std::uint64_t piece = 8 << 20;

struct SliceHeader {
  std::uint64_t data = 0, length = 0, capacity = 0;
};

tl::unexpected<Error> odd_span(Address at, std::string_view what) {
  return fail(ErrorCode::invalid, fmt::format("a heap span {}", what), at);
}

}  // namespace

void HeapMap::Unmap::operator()(std::byte* at) const {
  munmap(at, size);
}
HeapMap::HeapMap(HeapMap&&) noexcept = default;
HeapMap& HeapMap::operator=(HeapMap&&) noexcept = default;
HeapMap::~HeapMap() = default;

Result<HeapMap> HeapMap::read(const Layout& layout, const Globals& globals, target::Memory& memory,
                              const HeapBudget& budget) {
  if (!globals.mheap) return fail(ErrorCode::not_found, "runtime.mheap_ was not found");
  HeapMap map;
  WEIR_TRY_VOID(map.read_spans(layout, globals, memory));
  WEIR_TRY_VOID(map.number_objects());
  WEIR_TRY_VOID(map.read_alloc_bits(memory));
  WEIR_TRY_VOID(map.copy_content(memory, budget));
  return map;
}

Result<void> HeapMap::read_spans(const Layout& layout, const Globals& globals,
                                 target::Memory& memory) {
  const auto& l = layout.mspan;
  const std::size_t size = l.size.value();
  WEIR_TRY(const auto all, memory.read<SliceHeader>(globals.mheap + layout.mheap.allspans));
  WEIR_TRY(const auto heap_sweepgen,
           memory.read<std::uint32_t>(globals.mheap + layout.mheap.sweepgen));
  if (all.length > most_spans || size > largest_span_struct)
    return fail(ErrorCode::limit, fmt::format("{} heap spans", all.length), globals.mheap);
  std::vector<std::uint64_t> pointers(all.length);
  WEIR_TRY_VOID(memory.read(Address{all.data}, std::as_writable_bytes(std::span(pointers))));
  std::sort(pointers.begin(), pointers.end());
  std::vector<std::byte> bytes(batch * size);
  for (std::size_t done = 0; done < pointers.size(); done += batch) {
    const std::size_t count = std::min(batch, pointers.size() - done);
    std::vector<target::ReadRequest> requests;
    for (std::size_t i = 0; i < count; ++i)
      requests.push_back(
          {Address{pointers[done + i]}, std::span(bytes).subspan(i * size, size), 0});
    WEIR_TRY_VOID(memory.read_many(requests));
    for (std::size_t i = 0; i < count; ++i) {
      if (requests[i].got != size) return odd_span(requests[i].at, "cannot be read");
      const std::span<const std::byte> raw = std::span(bytes).subspan(i * size, size);
      const std::uint64_t state = l.state.load(raw);
      if (l.state_dead.is(state)) continue;
      if (!l.state_in_use.is(state) && !l.state_manual.is(state))
        return odd_span(requests[i].at, "has an unknown state");
      HeapSpan span;
      span.at = requests[i].at;
      span.start = l.start_addr.load(raw);
      span.end = span.start + l.npages.load(raw) * page_size;
      span.in_use = l.state_in_use.is(state);
      span.scan = span.in_use && (l.spanclass.load(raw) & 1) == 0;
      if (span.start % page_size != 0 || span.end <= span.start || span.end >> 48 != 0)
        return odd_span(span.at, "is nowhere");
      if (span.in_use) {
        span.element = l.elemsize.load(raw);
        span.slots = static_cast<std::uint32_t>(l.nelems.load(raw));
        span.free_index = static_cast<std::uint32_t>(l.freeindex.load(raw));
        span.user_arena = l.is_user_arena_chunk.load(raw) != 0;
        span.specials = Address{l.specials.load(raw)};
        span.pinner_bits = Address{l.pinner_bits.load(raw)};
        if (span.element == 0 || span.element % 8 != 0 ||
            span.slots > (span.end - span.start) / span.element)
          return odd_span(span.at, "has more objects than room");
        // Swept, or swept and cached: what a sweep changes is then as it leaves it (mgcsweep.go).
        const std::uint64_t sweepgen = l.sweepgen.load(raw);
        span.sure_of_free = sweepgen == heap_sweepgen || sweepgen == heap_sweepgen + 3;
      }
      spans_.push_back(std::move(span));
      alloc_bits_at_.push_back(l.alloc_bits.load(raw));
    }
  }
  return {};
}

Result<void> HeapMap::number_objects() {
  std::vector<std::uint32_t> order(spans_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return spans_[a].start < spans_[b].start; });
  std::vector<HeapSpan> sorted;
  std::vector<std::uint64_t> bits;
  for (const std::uint32_t i : order) {
    sorted.push_back(std::move(spans_[i]));
    bits.push_back(alloc_bits_at_[i]);
  }
  spans_ = std::move(sorted);
  alloc_bits_at_ = std::move(bits);
  std::uint64_t objects = 0;
  for (std::uint32_t i = 0; i < spans_.size(); ++i) {
    HeapSpan& span = spans_[i];
    if (i > 0 && spans_[i - 1].end > span.start) return odd_span(span.at, "overlaps another");
    span.first = static_cast<ObjectIndex>(objects);
    objects += span.slots;
    if (objects >= most_objects) return fail(ErrorCode::limit, "more than 2^31 heap objects");
    for (std::uint64_t page = span.start / page_size; page < span.end / page_size; ++page) {
      auto& block = pages_[page / pages_per_block];
      if (!block) block = std::make_unique<Block>();
      (*block)[page % pages_per_block] = i + 1;
    }
  }
  object_count_ = objects;
  if (!spans_.empty()) low_ = spans_.front().start, high_ = spans_.back().end;
  return {};
}

/// Which slots above free_index are allocated. Without it, all count as allocated.
Result<void> HeapMap::read_alloc_bits(target::Memory& memory) {
  std::vector<target::ReadRequest> requests;
  const auto flush = [&]() -> Result<void> {
    WEIR_TRY_VOID(memory.read_many(requests));
    for (const target::ReadRequest& request : requests)
      if (request.got != request.into.size())
        return fail(ErrorCode::unmapped, "the allocation bits of a span", request.at);
    requests.clear();
    return {};
  };
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    HeapSpan& span = spans_[i];
    if (!span.in_use || !span.sure_of_free || span.free_index >= span.slots) continue;
    if (alloc_bits_at_[i] == 0) {
      span.sure_of_free = false;
      continue;
    }
    span.alloc_bits.resize((span.slots + 7) / 8);
    requests.push_back(
        {Address{alloc_bits_at_[i]}, std::as_writable_bytes(std::span(span.alloc_bits)), 0});
    if (requests.size() == batch) WEIR_TRY_VOID(flush());
  }
  return flush();
}

Result<void> HeapMap::copy_content(target::Memory& memory, const HeapBudget& budget) {
  for (const HeapSpan& span : spans_)
    if (span.scan) scan_bytes_ += span.end - span.start;
  const std::uint64_t needed = scan_bytes_ * (budget.kept_twice ? 2 : 1) + object_count_ * 5 +
                               spans_.size() * sizeof(HeapSpan);
  if (needed > budget.bytes)
    return fail(ErrorCode::limit,
                fmt::format("the proof would take {} MB of memory, more than {} MB: allow more "
                            "with -max-mem",
                            needed >> 20, budget.bytes >> 20));
  if (scan_bytes_ == 0) return {};
  void* room = mmap(nullptr, scan_bytes_, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return fail(ErrorCode::io, "no memory for the heap's copy", {}, errno);
  content_ = {static_cast<std::byte*>(room), Unmap{scan_bytes_}};
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < spans_.size();) {
    if (!spans_[i].scan) {
      ++i;
      continue;
    }
    const std::uint64_t start = spans_[i].start;
    std::uint64_t end = start;
    for (; i < spans_.size() && spans_[i].scan && spans_[i].start == end && end - start < piece;
         ++i) {
      spans_[i].content = content_.get() + used + (end - start);
      end = spans_[i].end;
    }
    WEIR_TRY_VOID(memory.read(Address{start}, std::span(content_.get() + used, end - start)));
    used += end - start;
  }
  return {};
}

const HeapSpan* HeapMap::find_span(std::uint64_t at) const {
  const std::uint64_t page = at / page_size;
  const auto block = pages_.find(page / pages_per_block);
  if (block == pages_.end()) return nullptr;
  const std::uint32_t number = (*block->second)[page % pages_per_block];
  return number == 0 ? nullptr : &spans_[number - 1];
}

FoundObject HeapMap::find_slow(std::uint64_t word) const {
  const HeapSpan* span = find_span(word);
  if (!span || !span->in_use) return {};
  const std::uint64_t slot = (word - span->start) / span->element;
  if (slot >= span->slots) return {};
  if (slot >= span->free_index && span->sure_of_free &&
      (span->alloc_bits[slot / 8] >> (slot % 8) & 1) == 0)
    return {};
  return {span, static_cast<std::uint32_t>(slot)};
}

FoundObject HeapMap::object(ObjectIndex index) const {
  const auto after = std::upper_bound(
      spans_.begin(), spans_.end(), index,
      [](ObjectIndex wanted, const HeapSpan& span) { return wanted < span.first; });
  // Spans without objects share `first` with the next one: the last such one is the right one.
  const HeapSpan& span = *(after - 1);
  return {&span, index - span.first};
}

}  // namespace weir::gortime
