#pragma once
// HeapMap: every span of a Go heap, read at once, and a copy of all that the collector would scan.
// Source of truth: runtime.mspan, mheap_.allspans, src/runtime/mheap.go, go1.19–1.27.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/base/error.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/large_memory.h"
#include "weir/gortime/layout.h"
#include "weir/target/memory.h"

namespace weir::gortime {

/// A slot of a span: the unit the collector marks. Numbered through the whole heap.
using ObjectIndex = std::uint32_t;

/// Of the product: the quotient, if `reciprocal` is 2^64 / divisor, rounded up, and offset < 2^32.
inline std::uint64_t high_half(std::uint64_t offset, std::uint64_t reciprocal) {
  __extension__ using Product = unsigned __int128;
  return static_cast<std::uint64_t>(Product{offset} * reciprocal >> 64);
}

struct HeapSpan {
  std::uint64_t start = 0;       ///< of its pages
  std::uint64_t element = 0;     ///< bytes of a slot
  std::uint64_t reciprocal = 0;  ///< 2^64 / element, rounded up
  std::byte* content = nullptr;  ///< of scan spans
  /// Which slots from free_index on are allocated; null: all count as allocated.
  const std::uint8_t* alloc_bits = nullptr;
  ObjectIndex first = 0;  ///< index of slot 0
  std::uint32_t slots = 0;
  std::uint32_t free_index = 0;  ///< slots below are allocated
  bool in_use = false;           ///< false: a stack or the runtime's own (mSpanManual)
  bool scan = false;             ///< its objects may hold pointers
  bool sure_of_free = false;     ///< it is swept: the allocation bits are to be trusted
  bool user_arena = false;

  std::uint64_t end = 0;  ///< of its pages
  Address at;             ///< the mspan itself
  Address specials, pinner_bits, alloc_bits_at;

  /// The slot with the byte `offset`, which is counted from `start`.
  std::uint64_t slot_of(std::uint64_t offset) const {
    return offset >> 32 != 0 ? offset / element : high_half(offset, reciprocal);
  }
};

struct FoundObject {
  const HeapSpan* span = nullptr;
  std::uint32_t slot = 0;
  ObjectIndex index = 0;
  bool scan = false;  ///< the span's
  Address start() const { return Address{span->start + slot * span->element}; }
};

struct HeapBudget {
  std::uint64_t bytes = 0;
  bool recorded = false;  ///< the memory keeps what is read, packed
};

class HeapMap {
 public:
  /// 8 KB of the heap, and what marking asks of their span: so little that what is known of a large
  /// heap fits into the processor's cache.
  struct Page {
    std::uint32_t span = 0;    ///< number + 1; 0: none
    ObjectIndex first = 0;     ///< index of the span's slot 0
    std::uint32_t before = 0;  ///< pages of the span before this one
    std::uint16_t size = 0;    ///< of its slots: sizes_
    bool scan = false;         ///< as HeapSpan has it
    bool plain = false;  ///< all slots count as allocated; else the span itself is to be asked
  };

  /// `memory` must be frozen. Errors: limit when it takes more than the budget, invalid
  /// when spans contradict each other, those of reading: nothing is left out silently.
  static Result<HeapMap> read(const Layout& layout, const Globals& globals, target::Memory& memory,
                              const HeapBudget& budget);
  HeapMap(HeapMap&&) noexcept;
  HeapMap& operator=(HeapMap&&) noexcept;
  ~HeapMap();

  /// The allocated object that `word` points at or into; span null if there is none.
  FoundObject find(std::uint64_t word) const {
    const Page* page = find_page(word);
    return page ? find_in(*page, word) : FoundObject{};
  }
  /// What is known of the 8 KB around an address; null outside of the heap. Does not touch it, so
  /// that it can be fetched ahead.
  const Page* find_page(std::uint64_t at) const {
    if (at - low_ >= high_ - low_) return nullptr;
    const std::uint64_t page = (at - base_) / page_size;
    const std::uint32_t block = blocks_[page / pages_per_block];
    return block == 0 ? nullptr : &pages_[block - 1][page % pages_per_block];
  }
  /// As find(), of a word that find_page() gave this page for.
  FoundObject find_in(const Page& page, std::uint64_t word) const {
    if (page.span == 0) return {};
    const HeapSpan* span = &spans_[page.span - 1];
    if (!page.plain) return find_in(*span, word);
    const Size& size = sizes_[page.size];
    const std::uint64_t offset = page.before * page_size + (word - base_) % page_size;
    const auto slot = static_cast<std::uint32_t>(high_half(offset, size.reciprocal));
    if (slot >= size.slots) return {};
    return {span, slot, page.first + slot, page.scan};
  }
  /// The copy of an object of a scan span. Valid as long as the map. Who needs the content no more
  /// may keep something else there.
  static std::span<std::uint64_t> words_of(const FoundObject& object) {
    std::byte* content = object.span->content + object.slot * object.span->element;
    return {reinterpret_cast<std::uint64_t*>(content), object.span->element / 8};
  }
  /// The object of an index.
  FoundObject object(ObjectIndex index) const;

  /// Ascending.
  const LargeVector<HeapSpan>& spans() const { return spans_; }
  std::size_t object_count() const { return object_count_; }
  std::uint64_t scan_bytes() const { return scan_bytes_; }

 private:
  HeapMap() = default;
  static FoundObject find_in(const HeapSpan& span, std::uint64_t word) {
    if (!span.in_use) return {};
    const std::uint64_t slot = span.slot_of(word - span.start);
    if (slot >= span.slots) return {};
    const bool known = slot >= span.free_index && span.alloc_bits;
    if (known && (span.alloc_bits[slot / 8] >> (slot % 8) & 1) == 0) return {};
    const auto number = static_cast<std::uint32_t>(slot);
    return {&span, number, span.first + number, span.scan};
  }
  Result<void> read_spans(const Layout& layout, const Globals& globals, target::Memory& memory);
  Result<void> hold_against(const HeapBudget& budget);
  void sort_spans();
  Result<void> number_objects();
  Result<void> fill_pages(const HeapBudget& budget);
  void set_pages(const HeapSpan& span, Page content);
  Result<void> read_alloc_bits(target::Memory& memory);
  struct Piece;
  std::vector<Piece> plan_content();
  Result<void> copy_content(target::Memory& memory);

  static constexpr std::uint64_t page_size = 8192;
  static constexpr std::size_t pages_per_block = 8192;
  using Block = std::array<Page, pages_per_block>;
  /// Of the slots of a span. There are a few dozen in a heap.
  struct Size {
    std::uint64_t reciprocal = 0;
    std::uint32_t slots = 0;
  };

  std::uint64_t low_ = 1, high_ = 1, base_ = 0;
  LargeVector<HeapSpan> spans_;        // ascending
  std::vector<std::uint32_t> blocks_;  // index in pages_ + 1, from base_ on
  LargeVector<Block> pages_;
  std::vector<Size> sizes_;
  std::vector<std::uint8_t> alloc_bits_;  // of all spans
  std::size_t object_count_ = 0;
  std::uint64_t scan_bytes_ = 0;
  LargeMemory content_;
};

}  // namespace weir::gortime
