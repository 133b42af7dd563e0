#include "weir/gortime/heap_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "weir/gortime/reach_threads.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t most_spans = 1 << 27;
constexpr std::uint64_t most_objects = 1U << 31;
constexpr std::size_t batch = 4096;
constexpr std::uint64_t largest_span_struct = 1024;
constexpr std::uint64_t piece = 8 << 20;
constexpr std::uint64_t most_plain = std::uint64_t{1} << 32;  // of a reciprocal
constexpr std::size_t most_sizes = 1 << 16;

struct SliceHeader {
  std::uint64_t data = 0, length = 0, capacity = 0;
};

tl::unexpected<Error> odd_span(Address at, std::string_view what) {
  return fail(ErrorCode::invalid, fmt::format("a heap span {}", what), at);
}

tl::unexpected<Error> too_much(std::uint64_t needed, const HeapBudget& budget) {
  return fail(ErrorCode::limit,
              fmt::format("the proof would take {} MB of memory, more than {} MB: allow more "
                          "with -max-mem",
                          (needed + (1 << 20) - 1) >> 20, budget.bytes >> 20));
}

}  // namespace

HeapMap::HeapMap(HeapMap&&) noexcept = default;
HeapMap& HeapMap::operator=(HeapMap&&) noexcept = default;
HeapMap::~HeapMap() = default;

Result<HeapMap> HeapMap::read(const Layout& layout, const Globals& globals, target::Memory& memory,
                              const HeapBudget& budget) {
  if (!globals.mheap) return fail(ErrorCode::not_found, "runtime.mheap_ was not found");
  HeapMap map;
  WEIR_TRY_VOID(map.read_spans(layout, globals, memory));
  WEIR_TRY_VOID(map.hold_against(budget));
  WEIR_TRY_VOID(map.number_objects());
  WEIR_TRY_VOID(map.read_alloc_bits(memory));
  WEIR_TRY_VOID(map.fill_pages(budget));
  WEIR_TRY_VOID(map.copy_content(memory));
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
  spans_.reserve(pointers.size());
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
        span.reciprocal = ~std::uint64_t{0} / span.element + 1;
        // Swept, or swept and cached: what a sweep changes is then as it leaves it (mgcsweep.go).
        const std::uint64_t sweepgen = l.sweepgen.load(raw);
        span.sure_of_free = sweepgen == heap_sweepgen || sweepgen == heap_sweepgen + 3;
      }
      span.alloc_bits_at = Address{l.alloc_bits.load(raw)};
      spans_.push_back(span);
    }
  }
  return {};
}

/// Refuses, before anything is allocated for it, what would take too much memory.
Result<void> HeapMap::hold_against(const HeapBudget& budget) {
  std::uint64_t objects = 0, pages = 0, followed = 0;
  for (const HeapSpan& span : spans_) {
    objects += span.slots;
    if (span.scan) followed += span.slots;
    pages += (span.end - span.start) / page_size;
    if (span.scan) scan_bytes_ += span.end - span.start;
  }
  if (objects >= most_objects) return fail(ErrorCode::limit, "more than 2^31 heap objects");
  const std::uint64_t needed = scan_bytes_ + (budget.recorded ? scan_bytes_ / 2 : 0) + objects / 2 +
                               followed * 16 + pages * sizeof(Page) +
                               spans_.size() * sizeof(HeapSpan);
  if (needed <= budget.bytes) return {};
  return too_much(needed, budget);
}

/// In order of their addresses.
void HeapMap::sort_spans() {
  std::vector<const HeapSpan*> order;
  order.reserve(spans_.size());
  for (const HeapSpan& span : spans_) order.push_back(&span);
  std::sort(order.begin(), order.end(),
            [](const HeapSpan* a, const HeapSpan* b) { return a->start < b->start; });
  LargeVector<HeapSpan> sorted;
  sorted.reserve(order.size());
  for (const HeapSpan* span : order) sorted.push_back(*span);
  spans_ = std::move(sorted);
}

Result<void> HeapMap::number_objects() {
  sort_spans();
  if (spans_.empty()) return {};
  constexpr std::uint64_t block_bytes = page_size * pages_per_block;
  low_ = spans_.front().start, high_ = spans_.back().end;
  base_ = low_ / block_bytes * block_bytes;
  blocks_.resize((high_ - base_) / block_bytes + 1);
  for (std::uint32_t i = 0; i < spans_.size(); ++i) {
    HeapSpan& span = spans_[i];
    if (i > 0 && spans_[i - 1].end > span.start) return odd_span(span.at, "overlaps another");
    span.first = static_cast<ObjectIndex>(object_count_);
    object_count_ += span.slots;
  }
  return {};
}

/// For each page what its span says. After the allocation bits are read.
Result<void> HeapMap::fill_pages(const HeapBudget& budget) {
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint16_t> known;
  for (std::uint32_t i = 0; i < spans_.size(); ++i) {
    const HeapSpan& span = spans_[i];
    Page page{i + 1, span.first, 0, 0, span.scan, false};
    const bool all_allocated = span.free_index >= span.slots || !span.alloc_bits;
    const bool small = span.end - span.start <= most_plain;
    const auto size = known.find({span.reciprocal, span.slots});
    if (span.in_use && all_allocated && small &&
        (size != known.end() || sizes_.size() < most_sizes)) {
      page.plain = true;
      if (size == known.end()) {
        page.size = static_cast<std::uint16_t>(sizes_.size());
        known[{span.reciprocal, span.slots}] = page.size;
        sizes_.push_back({span.reciprocal, span.slots});
      } else {
        page.size = size->second;
      }
    }
    set_pages(span, page);
    // Spans that are far apart take more than hold_against() counted.
    if (pages_.size() * sizeof(Block) > budget.bytes)
      return too_much(pages_.size() * sizeof(Block), budget);
  }
  return {};
}

void HeapMap::set_pages(const HeapSpan& span, Page content) {
  const std::uint64_t last = (span.end - base_) / page_size;
  for (std::uint64_t page = (span.start - base_) / page_size; page < last; ++page) {
    std::uint32_t& block = blocks_[page / pages_per_block];
    if (block == 0) {
      pages_.emplace_back();
      block = static_cast<std::uint32_t>(pages_.size());
    }
    pages_[block - 1][page % pages_per_block] = content;
    ++content.before;
  }
}

/// Which slots above free_index are allocated.
Result<void> HeapMap::read_alloc_bits(target::Memory& memory) {
  const auto bytes_of = [](const HeapSpan& span) { return (span.slots + std::size_t{7}) / 8; };
  const auto has_bits = [](const HeapSpan& span) {
    return span.in_use && span.sure_of_free && span.free_index < span.slots && span.alloc_bits_at;
  };
  std::size_t total = 0;
  for (const HeapSpan& span : spans_)
    if (has_bits(span)) total += bytes_of(span);
  alloc_bits_.resize(total);
  std::span<std::uint8_t> room(alloc_bits_);
  std::vector<target::ReadRequest> requests;
  const auto flush = [&]() -> Result<void> {
    WEIR_TRY_VOID(memory.read_many(requests));
    for (const target::ReadRequest& request : requests)
      if (request.got != request.into.size())
        return fail(ErrorCode::unmapped, "the allocation bits of a span", request.at);
    requests.clear();
    return {};
  };
  for (HeapSpan& span : spans_) {
    if (!has_bits(span)) continue;
    const auto bits = room.first(bytes_of(span));
    room = room.subspan(bits.size());
    span.alloc_bits = bits.data();
    requests.push_back({span.alloc_bits_at, std::as_writable_bytes(bits), 0});
    if (requests.size() == batch) WEIR_TRY_VOID(flush());
  }
  return flush();
}

/// Neighbours are read together, up to this size: what one thread takes at a time.
struct HeapMap::Piece {
  Address from;
  std::span<std::byte> into;
};

std::vector<HeapMap::Piece> HeapMap::plan_content() {
  std::vector<Piece> pieces;
  std::byte* room = content_.data();
  for (std::size_t i = 0; i < spans_.size();) {
    if (!spans_[i].scan) {
      ++i;
      continue;
    }
    const std::uint64_t start = spans_[i].start;
    std::uint64_t end = start;
    for (; i < spans_.size() && spans_[i].scan && spans_[i].start == end && end - start < piece;
         ++i) {
      spans_[i].content = room + (end - start);
      end = spans_[i].end;
    }
    pieces.push_back({Address{start}, std::span(room, end - start)});
    room += end - start;
  }
  return pieces;
}

Result<void> HeapMap::copy_content(target::Memory& memory) {
  WEIR_TRY(content_, LargeMemory::make(scan_bytes_));
  const std::vector<Piece> pieces = plan_content();
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex lock;
  Result<void> result;
  const bool together = memory.is_concurrent() && pieces.size() > 1;
  on_threads(together ? reach_threads() : 1, [&](unsigned) {
    for (std::size_t i = next++; i < pieces.size() && !failed; i = next++) {
      auto read = memory.read(pieces[i].from, pieces[i].into);
      if (read) continue;
      const std::scoped_lock hold(lock);
      if (!failed.exchange(true)) result = std::move(read);
    }
  });
  return result;
}

FoundObject HeapMap::object(ObjectIndex index) const {
  const auto after = std::upper_bound(
      spans_.begin(), spans_.end(), index,
      [](ObjectIndex wanted, const HeapSpan& span) { return wanted < span.first; });
  // Spans without objects share `first` with the next one: the last such one is the right one.
  const HeapSpan& span = *(after - 1);
  return {&span, index - span.first, index, span.scan};
}

}  // namespace weir::gortime
