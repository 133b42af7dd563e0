// Marking in a made-up heap that is large enough for several threads, against a search that does
// one object after the other.
#include "weir/gortime/reach_marker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "weir/gortime/layout_table.h"
#include "weir/target/sparse_memory.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t page = 8192, mheap_at = 0x10000, spans_at = 0x100000;
constexpr std::uint64_t mspans_at = 0x1000000, bits_at = 0x2000000, heap_at = 0x40000000;
constexpr std::uint64_t budget = std::uint64_t{1} << 30;

Layout layout_of(const std::string& version) {
  gosym::BuildInfo build;
  build.go_version = version;
  build.version = gosym::parse_go_version(version);
  return find_layout(build, elf::Machine::amd64).value();
}

struct MadeSpan {
  std::uint64_t start = 0, pages = 1, element = 0, slots = 0, free_index = 0;
  bool scan = true;
  std::vector<std::uint8_t> alloc_bits = {};  // of all slots
  bool allocated(std::uint64_t slot) const {
    return slot < free_index || (alloc_bits[slot / 8] >> (slot % 8) & 1) != 0;
  }
};

/// A heap whose objects point to each other at random.
class MadeHeap {
 public:
  explicit MadeHeap(const std::string& version) : layout_(layout_of(version)) {}

  void add(std::uint64_t element, std::uint64_t pages, bool scan, bool full = true) {
    MadeSpan span{end_, pages, element, pages * page / element, 0, scan};
    span.free_index = full ? span.slots : span.slots / 2;
    for (std::uint64_t i = 0; i < (span.slots + 7) / 8; ++i)
      span.alloc_bits.push_back(static_cast<std::uint8_t>(random_()));
    end_ += pages * page;
    spans_.push_back(span);
  }

  /// Each word of the spans to scan: mostly an address somewhere in the heap.
  void fill() {
    for (const MadeSpan& span : spans_) {
      std::vector<std::uint64_t> words(span.pages * page / 8);
      for (std::uint64_t& word : words)
        word = random_() % 10 == 0 ? random_() : heap_at + random_() % (end_ - heap_at);
      if (span.scan) memory_.insert(Address{span.start}, std::as_bytes(std::span(words)));
    }
    std::vector<std::uint64_t> pointers;
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      pointers.push_back(mspans_at + i * layout_.mspan.size.value());
      write_span(i, spans_[i]);
    }
    memory_.insert(Address{spans_at}, std::as_bytes(std::span(pointers)));
    const std::array<std::uint64_t, 3> slice{spans_at, pointers.size(), pointers.size()};
    memory_.insert_value(Address{mheap_at} + layout_.mheap.allspans, slice);
    memory_.insert_value(Address{mheap_at} + layout_.mheap.sweepgen, std::uint32_t{4});
  }

  Result<HeapMap> try_map(std::uint64_t most = budget) {
    Globals globals;
    globals.mheap = Address{mheap_at};
    return HeapMap::read(layout_, globals, memory_, {most});
  }
  HeapMap map() {
    auto map = try_map();
    EXPECT_TRUE(map.has_value()) << to_string(map.error());
    return std::move(*map);
  }

  /// The start of the allocated object around an address; 0 if there is none.
  std::uint64_t object_at(std::uint64_t at) const {
    const MadeSpan* span = span_at(at);
    const std::uint64_t slot = span ? (at - span->start) / span->element : 0;
    if (!span || slot >= span->slots || !span->allocated(slot)) return 0;
    return span->start + slot * span->element;
  }
  /// The objects that an object's words point into.
  std::set<std::uint64_t> next_of(std::uint64_t object) {
    std::set<std::uint64_t> next;
    const MadeSpan* span = span_at(object);
    if (!span || !span->scan) return next;
    std::vector<std::uint64_t> words(span->element / 8);
    EXPECT_TRUE(memory_.read(Address{object}, std::as_writable_bytes(std::span(words))));
    for (const std::uint64_t word : words) next.insert(object_at(word));
    next.erase(0);
    return next;
  }
  /// As the mspan with this number.
  void write_span(std::size_t number, const MadeSpan& span) {
    const auto& l = layout_.mspan;
    const Address at{mspans_at + number * l.size.value()}, bits{bits_at + number * page};
    memory_.insert(at, std::vector<std::byte>(l.size.value()));
    put(at, l.start_addr, span.start);
    put(at, l.npages, span.pages);
    put(at, l.elemsize, span.element);
    put(at, l.nelems, span.slots);
    put(at, l.freeindex, span.free_index);
    put(at, l.state, l.state_in_use.value());
    put(at, l.spanclass, span.scan ? 2 : 3);
    put(at, l.sweepgen, 4);
    put(at, l.alloc_bits, bits.value);
    memory_.insert(bits, std::as_bytes(std::span(span.alloc_bits)));
  }
  std::uint64_t end() const { return end_; }

 private:
  const MadeSpan* span_at(std::uint64_t at) const {
    const auto after = std::upper_bound(
        spans_.begin(), spans_.end(), at,
        [](std::uint64_t wanted, const MadeSpan& span) { return wanted < span.start; });
    return after == spans_.begin() || at >= end_ ? nullptr : &*(after - 1);
  }
  void put(Address object, Offset field, std::uint64_t value) {
    memory_.insert(object + field, std::as_bytes(std::span(&value, 1)).first(field.width()));
  }

  Layout layout_;
  target::SparseMemory memory_;
  std::mt19937_64 random_{1};
  std::vector<MadeSpan> spans_;
  std::uint64_t end_ = heap_at;
};

/// Sizes that are no powers of two, spans with a rest at their end, free slots, an object of many
/// pages, objects without pointers.
MadeHeap made_heap(const std::string& version, int spans) {
  MadeHeap heap(version);
  for (int i = 0; i < spans; ++i) {
    heap.add(16, 1, true, i % 4 != 0);
    heap.add(i % 2 == 0 ? 96 : 112, 1, i % 3 != 0, i % 5 != 0);
    if (i % 50 == 0) heap.add(10 * page, 10, true);
  }
  heap.fill();
  return heap;
}

std::set<std::uint64_t> reference(MadeHeap& heap, std::uint64_t root) {
  std::set<std::uint64_t> seen{root};
  for (std::vector<std::uint64_t> left{root}; !left.empty();) {
    const std::uint64_t object = left.back();
    left.pop_back();
    for (const std::uint64_t next : heap.next_of(object))
      if (seen.insert(next).second) left.push_back(next);
  }
  return seen;
}

class MarkerTest : public testing::TestWithParam<std::string> {};

TEST_P(MarkerTest, MarksWhatIsReachedAndNothingElse) {
  MadeHeap heap = made_heap(GetParam(), 200);
  const HeapMap map = heap.map();
  ReachMarker marker(map);
  const auto expected = reference(heap, heap_at);
  ASSERT_GT(expected.size(), 70'000u) << "several threads begin after 64,000";
  marker.watch(map.find(*expected.rbegin()));
  marker.mark(heap_at + 8, {RootKind::global, Address{7}, {}, 0});
  marker.drain();
  EXPECT_EQ(marker.marked(), expected.size());
  EXPECT_THAT(marker.take_seen(), testing::ElementsAre(map.find(*expected.rbegin()).index));
  std::set<std::uint64_t> marked;
  for (std::uint64_t at = heap_at; at < heap.end(); at += 16) {
    const FoundObject object = map.find(at);
    ASSERT_EQ(object.span ? object.start().value : 0, heap.object_at(at)) << std::hex << at;
    if (object.span && marker.is_marked(object)) marked.insert(object.start().value);
  }
  EXPECT_TRUE(marked == expected);
}

TEST_P(MarkerTest, KnowsAWayToEachObject) {
  MadeHeap heap = made_heap(GetParam(), 200);
  const HeapMap map = heap.map();
  ReachMarker marker(map);
  std::vector<FoundObject> watched;
  for (std::uint64_t at = heap_at; at < heap.end(); at += 50'400)
    if (const FoundObject object = map.find(at); object.span) watched.push_back(object);
  for (const FoundObject& object : watched) marker.watch(object);
  marker.mark(heap_at, {RootKind::global, Address{7}, {}, 0});
  marker.drain();
  int looked_at = 0, without_pointers = 0;
  for (const FoundObject& object : watched) {
    if (!marker.is_marked(object)) continue;
    ++looked_at;
    if (!object.span->scan) ++without_pointers;
    ReachRoot root;
    const auto path = marker.path_to(object, root);
    EXPECT_EQ(root.at, Address{7});
    EXPECT_EQ(path.front().start.value, heap_at);
    EXPECT_EQ(path.back().start, object.start());
    for (std::size_t i = 0; i + 1 < path.size(); ++i)
      EXPECT_TRUE(heap.next_of(path[i].start.value).contains(path[i + 1].start.value));
  }
  EXPECT_GT(looked_at, 25);
  EXPECT_GT(without_pointers, 5) << "they are not followed, and remembered in another way";
}

INSTANTIATE_TEST_SUITE_P(Versions, MarkerTest, testing::Values("go1.19.13", "go1.27.4"));

// What a span says of itself is bytes of the target: it sizes nothing before it is held against the
// budget.
TEST(HeapMap, RefusesWhatTakesTooMuchMemory) {
  MadeHeap heap("go1.27.4");
  heap.add(page, 1, true);
  heap.fill();
  heap.write_span(0, {heap_at, std::uint64_t{1} << 30, page, 1, 1, false, {1}});
  const auto map = heap.try_map();
  ASSERT_FALSE(map.has_value());
  EXPECT_EQ(map.error().code, ErrorCode::limit);
}

TEST(HeapMap, RefusesSpansThatAreTooFarApart) {
  MadeHeap heap("go1.27.4");
  constexpr std::uint64_t spans = 100, apart = std::uint64_t{64} << 20;
  for (std::uint64_t i = 0; i < spans; ++i) heap.add(page, 1, false);
  heap.fill();
  for (std::uint64_t i = 0; i < spans; ++i)
    heap.write_span(i, {heap_at + i * apart, 1, page, 1, 1, false, {1}});
  EXPECT_TRUE(heap.try_map().has_value());
  const auto map = heap.try_map(std::uint64_t{8} << 20);
  ASSERT_FALSE(map.has_value());
  EXPECT_EQ(map.error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace weir::gortime
