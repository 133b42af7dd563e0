#include "weir/target/sparse_memory.h"

#include <algorithm>
#include <cstring>

namespace weir::target {

// ---- SparseMemory

SparseMemory::Segments::const_iterator SparseMemory::find(std::uint64_t at) const {
  auto next = segments_.upper_bound(at);
  if (next == segments_.begin()) return segments_.end();
  const auto it = std::prev(next);
  return at - it->first < it->second.size() ? it : segments_.end();
}

void SparseMemory::insert(Address at, std::span<const std::byte> bytes) {
  const std::uint64_t room = ~at.value;  // so that an end is never 2^64
  if (bytes.size() > room) bytes = bytes.first(room);
  std::uint64_t pos = at.value;
  while (!bytes.empty()) {
    const auto held = find(pos);
    std::size_t n = bytes.size();
    if (held != segments_.end()) {
      const std::size_t inside = pos - held->first;
      n = std::min<std::uint64_t>(n, held->second.size() - inside);
      std::memcpy(segments_.at(held->first).data() + inside, bytes.data(), n);
    } else {
      const auto next = segments_.upper_bound(pos);
      if (next != segments_.end()) n = std::min<std::uint64_t>(n, next->first - pos);
      insert_gap(pos, bytes.first(n));
    }
    pos += n;
    bytes = bytes.subspan(n);
  }
}

void SparseMemory::insert_gap(std::uint64_t at, std::span<const std::byte> bytes) {
  size_ += bytes.size();
  // Growing the segment before is cheap and common (ascending inserts). Joining the one after would
  // make descending inserts quadratic; two segments may touch instead.
  const auto next = segments_.upper_bound(at);
  if (next != segments_.begin()) {
    auto& [start, before] = *std::prev(next);
    if (start + before.size() == at) {
      before.insert(before.end(), bytes.begin(), bytes.end());
      return;
    }
  }
  segments_.emplace(at, std::vector<std::byte>(bytes.begin(), bytes.end()));
}

std::vector<SparseMemory::Segment> SparseMemory::segments() const {
  std::vector<Segment> out;
  out.reserve(segments_.size());
  for (const auto& [start, bytes] : segments_) out.push_back({Address{start}, bytes});
  return out;
}

Result<std::size_t> SparseMemory::read_some(Address at, std::span<std::byte> into) {
  std::size_t done = 0;
  for (auto it = find(at.value); it != segments_.end() && done < into.size(); ++it) {
    const std::uint64_t pos = at.value + done;
    if (done > 0 && it->first != pos) break;
    const std::size_t inside = pos - it->first;
    const std::size_t n = std::min(into.size() - done, it->second.size() - inside);
    std::memcpy(into.data() + done, it->second.data() + inside, n);
    done += n;
  }
  if (done == 0 && !into.empty()) return fail(ErrorCode::unmapped, "no bytes were kept", at);
  return done;
}

std::vector<Region> SparseMemory::regions() {
  return regions_.empty() ? coverage() : regions_;
}

std::vector<Region> SparseMemory::coverage() {
  std::vector<Region> out;
  for (const auto& [start, bytes] : segments_) {
    const Address end{start + bytes.size()};
    if (!out.empty() && out.back().end == Address{start}) {
      out.back().end = end;
      continue;
    }
    Region region;
    region.start = {start};
    region.end = end;
    region.readable = region.writable = true;
    out.push_back(std::move(region));
  }
  return out;
}

// ---- SplicedMemory

SplicedMemory::SplicedMemory(const std::vector<Memory*>& layers) {
  for (Memory* memory : layers) {
    Layer layer{memory, {}};
    for (const Region& region : memory->coverage()) layer.starts.push_back(region.start.value);
    std::sort(layer.starts.begin(), layer.starts.end());
    layers_.push_back(std::move(layer));
  }
}

Result<std::size_t> SplicedMemory::read_some(Address at, std::span<std::byte> into) {
  for (const Layer& layer : layers_) {
    auto n = layer.memory->read_some(at, into);
    if (n || n.error().code != ErrorCode::unmapped) return n;
    // A lower layer may be read only up to where this one begins again.
    const auto next = std::upper_bound(layer.starts.begin(), layer.starts.end(), at.value);
    if (next != layer.starts.end() && *next - at.value < into.size()) {
      into = into.first(*next - at.value);
    }
  }
  return fail(ErrorCode::unmapped, "no layer has bytes", at);
}

namespace {

/// Those of `lower` that no single one of `upper` holds, and all of `upper`; ascending.
std::vector<Region> lay_over(std::vector<Region> upper, std::vector<Region> lower) {
  const std::size_t count = upper.size();  // ascending and disjoint up to here
  for (Region& region : lower) {
    const auto after = std::upper_bound(
        upper.begin(), upper.begin() + static_cast<std::ptrdiff_t>(count), region.start,
        [](Address at, const Region& other) { return at < other.start; });
    const bool held = after != upper.begin() && region.end <= std::prev(after)->end;
    if (!held) upper.push_back(std::move(region));
  }
  std::sort(upper.begin(), upper.end(),
            [](const Region& a, const Region& b) { return a.start < b.start; });
  return upper;
}

}  // namespace

std::vector<Region> SplicedMemory::regions() {
  std::vector<Region> out;
  for (const Layer& layer : layers_) out = lay_over(std::move(out), layer.memory->regions());
  return out;
}

std::vector<Region> SplicedMemory::coverage() {
  std::vector<Region> out;
  for (const Layer& layer : layers_) out = lay_over(std::move(out), layer.memory->coverage());
  return out;
}

Consistency SplicedMemory::consistency() const {
  const bool frozen = std::all_of(layers_.begin(), layers_.end(), [](const Layer& layer) {
    return layer.memory->consistency() == Consistency::frozen;
  });
  return frozen ? Consistency::frozen : Consistency::racing;
}

}  // namespace weir::target
