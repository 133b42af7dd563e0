#include "weir/sched/touched_pages.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "weir/target/process.h"

namespace weir::sched {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t most = 1 << 16;  // 256 MB; a larger region is no heap that a test fills
/// A system call more costs as much as some pages that nobody reads.
constexpr std::uint64_t smallest_gap = 16 * page;
constexpr std::uint64_t populate_read = 22;  // Linux 5.14

struct Learner {
  ControlledProcess& original;
  pid_t thread;
  agent::Shared& shared;
  int map;

  /// Entries of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).
  std::vector<std::uint64_t> entries_of(const target::Region& region) const {
    const std::uint64_t pages = (region.end.value - region.start.value) / page;
    if (pages > most) return {};
    std::vector<std::uint64_t> entries(pages);
    const ssize_t got = pread(map, entries.data(), pages * sizeof entries[0],
                              static_cast<off_t>(region.start.value / page * sizeof entries[0]));
    entries.resize(got > 0 ? static_cast<std::size_t>(got) / sizeof entries[0] : 0);
    return entries;
  }

  void learn(const target::Region& region) const {
    constexpr std::uint64_t present = 1ULL << 63, of_file = 1ULL << 61, own = 1ULL << 56;
    const auto entries = entries_of(region);
    const bool of_weir = region.path.starts_with("/memfd:weir-schedule");  // SharedMemory
    std::vector<agent::Pages> read;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if ((entries[i] & present) == 0) continue;
      const std::uint64_t at = region.start.value + i * page;
      if (of_weir) {
        add_written(at);
        continue;
      }
      // What a copy still shares with its original is mapped twice.
      if ((entries[i] & of_file) != 0)
        add(read, at);
      else if (region.writable && (entries[i] & own) != 0)
        add_written(at);
    }
    if (!region.writable && region.path.starts_with('/')) map_in_original(read);
  }

  static void add(std::vector<agent::Pages>& all, std::uint64_t at) {
    if (!all.empty() && at - (all.back().at + all.back().size) <= smallest_gap)
      all.back().size = at + page - all.back().at;
    else
      all.push_back({at, page});
  }

  void add_written(std::uint64_t at) const {
    agent::Pages* const last =
        shared.pages_count == 0 ? nullptr : &shared.pages[shared.pages_count - 1];
    if (last != nullptr && last->at + last->size == at)
      last->size += page;
    else if (shared.pages_count < agent::most_pages)
      shared.pages[shared.pages_count++] = {at, page};
  }

  // fork() leaves out the page tables of a mapping of which the process has nothing of its own, and
  // each copy would map it anew: so it gets one page of its own, by a byte that stays what it was.
  void map_in_original(const std::vector<agent::Pages>& read) const {
    if (read.empty()) return;
    std::byte byte{};
    const Address at{read.front().at};
    if (!original.read(at, std::span(&byte, 1)) || !original.write_value(at, byte)) return;
    for (const agent::Pages& one : read)
      if (!original.system_call(thread, SYS_madvise, {one.at, one.size, populate_read})) return;
  }
};

}  // namespace

void learn_pages(pid_t copy, ControlledProcess& original, pid_t thread, SharedMemory& memory) {
  const auto regions = target::read_regions(copy);
  const int map = ::open(fmt::format("/proc/{}/pagemap", copy).c_str(), O_RDONLY | O_CLOEXEC);
  if (!regions || map < 0) return;
  const Learner learner{original, thread, memory.shared(), map};
  for (const target::Region& region : *regions) learner.learn(region);
  ::close(map);
}

}  // namespace weir::sched
