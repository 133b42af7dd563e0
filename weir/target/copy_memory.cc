#include "weir/target/copy_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "weir/target/denied.h"
#include "weir/target/process.h"

namespace weir::target {
namespace {

constexpr std::size_t block_size = 16 << 10;
constexpr std::size_t block_count = 128;
constexpr std::size_t largest_small = 4096;  // longer reads gain nothing from blocks

}  // namespace

struct CopyMemory::State {
  State(int of, int opened) : pid(of), file(opened) { starts.fill(none); }
  ~State() { close(file); }

  Result<std::size_t> read_file(std::uint64_t at, std::span<std::byte> into) const;
  Result<std::size_t> read_small(std::uint64_t at, std::span<std::byte> into);

  static constexpr std::uint64_t none = 1;  // no block starts there
  int pid;
  int file;
  std::mutex lock;  // of what follows
  std::array<std::uint64_t, block_count> starts;
  std::unique_ptr<std::byte[]> blocks =
      std::make_unique_for_overwrite<std::byte[]>(block_size * block_count);
};

/// As much as there is from `at` on; 0 if nothing is mapped there.
Result<std::size_t> CopyMemory::State::read_file(std::uint64_t at,
                                                 std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n =
        pread(file, into.data() + done, into.size() - done, static_cast<off_t>(at + done));
    if (n > 0) {
      done += static_cast<std::size_t>(n);
      continue;
    }
    if (n == 0) return fail(ErrorCode::gone, "process " + std::to_string(pid) + " has ended");
    if (errno == EINTR) continue;
    if (errno == EIO || errno == EFAULT || errno == EINVAL) break;
    return fail(ErrorCode::io, "reading the memory of process " + std::to_string(pid), {}, errno);
  }
  return done;
}

/// Up to the end of a block.
Result<std::size_t> CopyMemory::State::read_small(std::uint64_t at, std::span<std::byte> into) {
  const std::uint64_t start = at / block_size * block_size;
  const std::size_t slot = at / block_size % block_count;
  const std::span block(blocks.get() + slot * block_size, block_size);
  const std::scoped_lock hold(lock);
  if (starts[slot] != start) {
    starts[slot] = none;
    WEIR_TRY(const std::size_t got, read_file(start, block));
    if (got < block.size()) return read_file(at, into);  // something in it is not mapped
    starts[slot] = start;
  }
  const std::size_t size = std::min<std::size_t>(into.size(), start + block_size - at);
  std::memcpy(into.data(), block.data() + (at - start), size);
  return size;
}

CopyMemory::CopyMemory(std::unique_ptr<State> state) : state_(std::move(state)) {}
CopyMemory::CopyMemory(CopyMemory&&) noexcept = default;
CopyMemory& CopyMemory::operator=(CopyMemory&&) noexcept = default;
CopyMemory::~CopyMemory() = default;

Result<CopyMemory> CopyMemory::open(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(diagnose_denied(pid, errno));
  return CopyMemory(std::make_unique<State>(pid, file));
}

Result<std::size_t> CopyMemory::read_some(Address at, std::span<std::byte> into) {
  if (into.empty()) return 0;
  WEIR_TRY(const std::size_t got, into.size() <= largest_small ? state_->read_small(at.value, into)
                                                               : state_->read_file(at.value, into));
  if (got == 0) return fail(ErrorCode::unmapped, "no memory is mapped", at);
  return got;
}

std::vector<Region> CopyMemory::regions() {
  auto regions = read_regions(state_->pid);
  return regions ? std::move(*regions) : std::vector<Region>{};
}

}  // namespace weir::target
