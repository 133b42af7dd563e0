#include "weir/ingest/holder_search.h"

#include <algorithm>
#include <span>

namespace weir::ingest {
namespace {

constexpr int most_levels = 3;
constexpr std::uint64_t largest_read = 4096;  // of one object
constexpr std::uint64_t lowest_heap = 1 << 16;
constexpr std::size_t batch = 256;
constexpr unsigned piece_bits = 6;  // 64 bytes of the program's memory share a bit
constexpr std::size_t touched_bits = std::size_t{1} << 22;

std::size_t bit_of(std::uint64_t piece) {
  return piece * 0x9e3779b97f4a7c15 >> (64 - 22);
}

}  // namespace

/// With the heap object around it: a Mutex is mostly a field of something, and that is what others
/// have a pointer to. One word where there is none.
void HolderSearch::add_extent(Address object) {
  if (!object) return;
  const auto around = heap_.find(object);
  extents_.push_back(around
                         ? Extent{around->start.value, around->start.value + around->size, object}
                         : Extent{object.value, object.value + 1, object});
}

HolderSearch::HolderSearch(const std::vector<model::Goroutine>& goroutines,
                           gortime::HeapObjects& heap, target::Memory& memory)
    : heap_(heap), memory_(memory) {
  for (const model::Goroutine& goroutine : goroutines) {
    if (!goroutine.blocked_on) continue;
    add_extent(goroutine.blocked_on->object);
    for (const model::ChannelCase& one : goroutine.blocked_on->cases)
      add_extent(one.channel.address);
  }
  const auto key = [](const Extent& extent) { return std::pair(extent.start, extent.object); };
  std::sort(extents_.begin(), extents_.end(),
            [&](const Extent& a, const Extent& b) { return key(a) < key(b); });
  extents_.erase(std::unique(extents_.begin(), extents_.end(),
                             [](const Extent& a, const Extent& b) { return a.object == b.object; }),
                 extents_.end());
  if (extents_.empty()) return;
  touched_.resize(touched_bits);
  for (const Extent& extent : extents_)
    for (std::uint64_t piece = extent.start >> piece_bits; piece <= (extent.end - 1) >> piece_bits;
         ++piece)
      touched_[bit_of(piece)] = true;
}

bool HolderSearch::may_be_in_extent(std::uint64_t word) const {
  return touched_[bit_of(word >> piece_bits)];
}

void HolderSearch::make_opaque(Address at) {
  const auto object = heap_.find(at);
  if (!object) return;
  opaque_.push_back(object->start.value);
  opaque_sorted_ = false;
}

bool HolderSearch::is_opaque(Address start) {
  if (!opaque_sorted_) std::sort(opaque_.begin(), opaque_.end());
  opaque_sorted_ = true;
  return std::binary_search(opaque_.begin(), opaque_.end(), start.value);
}

/// Extents are equal or apart, since heap objects are; so those that hold a word stand together.
void HolderSearch::add_hits(const HolderRoot& root, std::vector<HolderHit>& hits) const {
  if (!may_be_in_extent(root.word)) return;
  auto after = std::upper_bound(extents_.begin(), extents_.end(), root.word,
                                [](std::uint64_t at, const Extent& e) { return at < e.start; });
  while (after != extents_.begin()) {
    const Extent& extent = *--after;
    if (root.word >= extent.end) break;
    hits.push_back({extent.object, root.source});
  }
}

/// The words of the heap objects that `level` points into and that were not seen yet.
std::vector<HolderRoot> HolderSearch::next_level(const std::vector<HolderRoot>& level,
                                                 std::unordered_set<std::uint64_t>& seen,
                                                 std::size_t most, std::size_t& left) {
  struct Found {
    Address start;
    std::size_t words = 0;
    std::uint32_t source = 0;
  };
  std::vector<Found> objects;
  for (const HolderRoot& root : level) {
    if (root.word < lowest_heap || seen.size() >= most || left == 0) continue;
    const auto object = heap_.find(Address{root.word});
    if (!object || !object->has_pointers || is_opaque(object->start)) continue;
    if (!seen.insert(object->start.value).second) continue;
    --left;
    objects.push_back(
        {object->start, std::min<std::uint64_t>(object->size, largest_read) / 8, root.source});
  }
  std::vector<HolderRoot> next;
  for (std::size_t done = 0; done < objects.size(); done += batch) {
    const std::size_t end = std::min(done + batch, objects.size());
    std::vector<std::vector<std::uint64_t>> content;
    std::vector<target::ReadRequest> requests;
    for (std::size_t i = done; i < end; ++i) content.emplace_back(objects[i].words);
    for (std::size_t i = done; i < end; ++i)
      requests.push_back(
          {objects[i].start, std::as_writable_bytes(std::span(content[i - done])), 0});
    if (!memory_.read_many(requests)) break;
    for (std::size_t i = done; i < end; ++i)
      if (requests[i - done].got == requests[i - done].into.size())
        for (const std::uint64_t word : content[i - done])
          next.push_back({word, objects[i].source});
  }
  return next;
}

std::vector<HolderHit> HolderSearch::follow(std::vector<HolderRoot> roots, std::size_t most,
                                            std::size_t& left) {
  std::vector<HolderHit> hits;
  if (empty()) return hits;
  std::unordered_set<std::uint64_t> seen;
  for (int depth = 0; !roots.empty(); ++depth) {
    for (const HolderRoot& root : roots) add_hits(root, hits);
    if (depth == most_levels) break;
    roots = next_level(roots, seen, most, left);
  }
  std::vector<HolderHit> once;
  std::unordered_set<std::uint64_t> known;
  for (const HolderHit& hit : hits)
    if (known.insert(hit.object.value * 0x9e3779b97f4a7c15 + hit.source).second)
      once.push_back(hit);
  return once;
}

}  // namespace weir::ingest
