#include "weir/target/core_memory.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace weir::target {

using elf::Segment;

namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t vsyscall = 0xffffffffff600000;  // arch/x86: VSYSCALL_ADDR
constexpr std::size_t missing_limit = 100'000;          // pages remembered; more is as bad as that

/// Disjoint ranges that remember what was added.
class Ranges {
 public:
  using Range = std::pair<std::uint64_t, std::uint64_t>;

  /// Adds [start, end), joining what touches, and gives back the parts that are new.
  std::vector<Range> add(std::uint64_t start, std::uint64_t end) {
    std::vector<Range> added;
    auto it = ranges_.upper_bound(start);
    if (it != ranges_.begin() && std::prev(it)->second >= start) --it;
    std::uint64_t low = start, high = end, at = start;
    while (it != ranges_.end() && it->first <= end) {
      if (at < it->first) added.emplace_back(at, it->first);
      at = std::max(at, it->second);
      low = std::min(low, it->first);
      high = std::max(high, it->second);
      it = ranges_.erase(it);
    }
    if (at < end) added.emplace_back(at, end);
    ranges_.emplace(low, high);
    return added;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;
};

std::uint64_t end_of(const Segment& segment) {
  return segment.start.value + segment.memory_size;  // elf::File keeps it below 2^64
}

/// The last of `sorted` that begins at or below `at`, or null.
template <class List, class Start>
auto find_below(List& sorted, std::uint64_t at, Start start) -> decltype(sorted.data()) {
  auto after = std::upper_bound(sorted.begin(), sorted.end(), at,
                                [&](std::uint64_t a, const auto& one) { return a < start(one); });
  return after == sorted.begin() ? nullptr : &*std::prev(after);
}

const Region* find_region(const std::vector<Region>& regions, Address at) {
  const Region* found =
      find_below(regions, at.value, [](const Region& region) { return region.start.value; });
  return found != nullptr && at < found->end ? found : nullptr;
}

}  // namespace

CoreMemory::CoreMemory(const CoreFile& core) : core_(core) {
  const bytes::Bytes file = core.file().bytes();
  Ranges held;
  const auto& segments = core.file().segments();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (segment->type != Segment::load || segment->file_size == 0) continue;
    const std::uint64_t start = segment->start.value;
    for (const auto& [from, to] : held.add(start, start + segment->file_size))
      pieces_.push_back({from, file.subspan(segment->file_offset + (from - start), to - from)});
  }
  std::sort(pieces_.begin(), pieces_.end(),
            [](const Piece& a, const Piece& b) { return a.start < b.start; });
  Address vdso;
  for (const AuxEntry& entry : core.auxv())
    if (entry.type == AT_SYSINFO_EHDR) vdso = Address{entry.value};
  for (const Segment& segment : core.file().loads()) {
    Region region;
    region.start = Address{segment.start.value};
    region.end = Address{end_of(segment)};
    region.readable = segment.readable;
    region.writable = segment.writable;
    region.executable = segment.executable;
    if (const Region* named = find_region(core.file_mappings(), region.start)) {
      region.path = named->path;
      region.file_offset = named->file_offset + (region.start - named->start);
    } else if (region.start.value == vsyscall) {
      region.path = "[vsyscall]";
    } else if (region.start == vdso) {
      region.path = "[vdso]";
    }
    regions_.push_back(std::move(region));
  }
}

void CoreMemory::lay_under(const elf::File& executable, LoadBias bias) {
  Ranges held;
  for (const Piece& piece : pieces_) held.add(piece.start, piece.end());
  const auto& loads = core_.file().loads();
  const auto left_out = [&](std::uint64_t at) {
    const Segment* load =
        find_below(loads, at, [](const Segment& segment) { return segment.start.value; });
    return load != nullptr && at < end_of(*load) && load->file_size == 0 && !load->cut;
  };
  for (const Segment& segment : executable.loads()) {
    const std::uint64_t start = bias.to_run(segment.start).value;
    const bytes::Bytes content =
        executable.file_window(segment.file_offset, segment.file_size).unnoted();
    if (content.empty() || content.size() > ~start) continue;
    if (segment.writable && !left_out(start)) continue;
    lacks_variables_ = lacks_variables_ || segment.writable;
    for (const auto& [from, to] : held.add(start, start + content.size()))
      pieces_.push_back({from, content.subspan(from - start, to - from)});
  }
  std::sort(pieces_.begin(), pieces_.end(),
            [](const Piece& a, const Piece& b) { return a.start < b.start; });
}

Result<std::size_t> CoreMemory::read_some(Address at, std::span<std::byte> into) {
  std::size_t done = 0;
  const Piece* piece = find_below(pieces_, at.value, [](const Piece& one) { return one.start; });
  for (; piece != nullptr && piece != pieces_.data() + pieces_.size(); ++piece) {
    const std::uint64_t pos = at.value + done;
    if (done == into.size() || pos < piece->start || pos >= piece->end()) break;
    const std::size_t n = std::min<std::uint64_t>(into.size() - done, piece->end() - pos);
    std::memcpy(into.data() + done, piece->content.data() + (pos - piece->start), n);
    done += n;
  }
  if (done == 0 && !into.empty()) {
    note_missing(at);
    return fail(ErrorCode::unmapped, "the core does not hold it", at);
  }
  return done;
}

void CoreMemory::note_missing(Address at) {
  const Region* region = find_region(regions_, at);
  if (region == nullptr || !region->writable || missing_.size() >= missing_limit) return;
  missing_.insert(at.value / page_bytes);
}

CoreMemory::Missing CoreMemory::missing() const {
  return {missing_.size(), Address{missing_.empty() ? 0 : *missing_.begin() * page_bytes}};
}

bool CoreMemory::has_program_memory() const {
  const auto& loads = core_.file().loads();
  return std::any_of(loads.begin(), loads.end(), [&](const Segment& load) {
    return load.writable && load.file_size != 0 &&
           find_region(core_.file_mappings(), Address{load.start.value}) == nullptr;
  });
}

std::vector<Region> CoreMemory::coverage() {
  std::vector<Region> out;
  for (const Piece& piece : pieces_) {
    if (!out.empty() && out.back().end.value == piece.start) {
      out.back().end = Address{piece.end()};
      continue;
    }
    Region region;
    region.start = Address{piece.start};
    region.end = Address{piece.end()};
    region.readable = true;
    out.push_back(std::move(region));
  }
  return out;
}

}  // namespace weir::target
