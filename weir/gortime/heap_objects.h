#pragma once
// HeapObjects: which heap object an address points into. Source of truth: spanOf and
// (*mspan).objIndex, src/runtime/mheap.go and mbitmap.go, go1.19–1.27.
#include <optional>
#include <unordered_map>

#include "weir/base/address.h"
#include "weir/elf/file.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/layout.h"
#include "weir/target/memory.h"

namespace weir::gortime {

/// [start, start + size): one slot of a span that is in use. Small objects without pointers share a
/// slot of 16 bytes (the tiny allocator).
struct HeapObject {
  Address start;
  std::uint64_t size = 0;
  bool has_pointers = true;  ///< false: its span is one that the collector does not scan
};

/// Reads span by span as asked, and remembers. All references must outlive it.
class HeapObjects {
 public:
  HeapObjects(const Layout& layout, const Globals& globals, elf::Machine machine,
              target::Memory& memory);

  /// Nothing for what is not in the heap (a global, a stack), or cannot be read.
  std::optional<HeapObject> find(Address at);

 private:
  struct Span {
    std::uint64_t start = 0, limit = 0, element = 0;
    bool in_use = false, has_pointers = true;
  };
  std::optional<Span> find_span(Address at);
  std::optional<Span> read_span(Address span);

  const Layout& layout_;
  target::Memory& memory_;
  Address mheap_;
  std::uint64_t arena_base_;  ///< what is added to an address before it is an arena's index
  std::unordered_map<std::uint64_t, std::optional<Span>> spans_;  ///< by page
};

}  // namespace weir::gortime
