#pragma once
// HeapMap: every span of a Go heap, read at once, and a copy of all that the collector would scan.
// Source of truth: runtime.mspan, mheap_.allspans, src/runtime/mheap.go, go1.19–1.27.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "weir/base/error.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/layout.h"
#include "weir/target/memory.h"

namespace weir::gortime {

/// A slot of a span: the unit the collector marks. Numbered through the whole heap.
using ObjectIndex = std::uint32_t;

struct HeapSpan {
  std::uint64_t start = 0, end = 0;  ///< of its pages
  std::uint64_t element = 0;         ///< bytes of a slot
  ObjectIndex first = 0;             ///< index of slot 0
  std::uint32_t slots = 0;
  std::uint32_t free_index = 0;  ///< slots below are allocated
  bool in_use = false;           ///< false: a stack or the runtime's own (mSpanManual)
  bool scan = false;             ///< its objects may hold pointers
  bool sure_of_free = false;     ///< alloc_bits tells which slots from free_index on are allocated
  bool user_arena = false;
  Address at;  ///< the mspan itself
  Address specials, pinner_bits;
  std::vector<std::uint8_t> alloc_bits;
  const std::byte* content = nullptr;  ///< of scan spans
};

struct FoundObject {
  const HeapSpan* span = nullptr;
  std::uint32_t slot = 0;
  ObjectIndex index() const { return span->first + slot; }
  Address start() const { return Address{span->start + slot * span->element}; }
};

struct HeapBudget {
  std::uint64_t bytes = 0;
  bool kept_twice = false;  ///< the memory keeps a copy of what is read
};

class HeapMap {
 public:
  /// `memory` must be frozen. Errors: limit when it takes more than the budget, invalid
  /// when spans contradict each other, those of reading: nothing is left out silently.
  static Result<HeapMap> read(const Layout& layout, const Globals& globals, target::Memory& memory,
                              const HeapBudget& budget);
  HeapMap(HeapMap&&) noexcept;
  HeapMap& operator=(HeapMap&&) noexcept;
  ~HeapMap();

  /// The allocated object that `word` points at or into; span null if there is none.
  FoundObject find(std::uint64_t word) const {
    if (word - low_ >= high_ - low_) return {};
    return find_slow(word);
  }
  /// The object of an index.
  FoundObject object(ObjectIndex index) const;
  /// Any span, of a stack too.
  const HeapSpan* find_span(std::uint64_t at) const;

  const std::vector<HeapSpan>& spans() const { return spans_; }
  std::size_t object_count() const { return object_count_; }
  std::uint64_t scan_bytes() const { return scan_bytes_; }

 private:
  HeapMap() = default;
  FoundObject find_slow(std::uint64_t word) const;
  Result<void> read_spans(const Layout& layout, const Globals& globals, target::Memory& memory);
  Result<void> number_objects();
  Result<void> read_alloc_bits(target::Memory& memory);
  Result<void> copy_content(target::Memory& memory, const HeapBudget& budget);

  static constexpr std::size_t pages_per_block = 8192;
  using Block = std::array<std::uint32_t, pages_per_block>;  // span + 1, by page

  struct Unmap {
    Unmap() : size(0) {}
    explicit Unmap(std::size_t bytes) : size(bytes) {}
    std::size_t size;
    void operator()(std::byte* at) const;
  };

  std::uint64_t low_ = 1, high_ = 1;
  std::vector<HeapSpan> spans_;  // ascending
  std::unordered_map<std::uint64_t, std::unique_ptr<Block>> pages_;
  std::vector<std::uint64_t> alloc_bits_at_;
  std::size_t object_count_ = 0;
  std::uint64_t scan_bytes_ = 0;
  std::unique_ptr<std::byte, Unmap> content_;
};

}  // namespace weir::gortime
