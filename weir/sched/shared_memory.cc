#include "weir/sched/shared_memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace weir::sched {
namespace {

constexpr std::size_t page_size = 4096;

std::size_t round_up(std::size_t size) {
  return (size + page_size - 1) / page_size * page_size;
}

}  // namespace

Result<SharedMemory> SharedMemory::make(std::size_t points) {
  const std::size_t choices_at = round_up(sizeof(agent::Shared));
  const std::size_t points_at = choices_at + round_up(points * sizeof(std::uint32_t));
  SharedMemory memory;
  const std::size_t log_at = points_at + round_up(points * sizeof(agent::Point));
  const std::size_t log_words = points * agent::log_words_per_point;
  memory.size_ = log_at + round_up(log_words * sizeof(std::uint64_t));
  memory.fd_ = memfd_create("weir-schedule", MFD_CLOEXEC);
  if (memory.fd_ < 0 || ftruncate(memory.fd_, static_cast<off_t>(memory.size_)) != 0)
    return fail(ErrorCode::io, "cannot make memory to share", {}, errno);
  void* const at = mmap(nullptr, memory.size_, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd_, 0);
  if (at == MAP_FAILED) return fail(ErrorCode::io, "cannot map memory to share", {}, errno);
  memory.at_ = at;
  agent::Shared& shared = memory.shared();
  shared.choices_at = choices_at;
  shared.points_at = points_at;
  shared.log_at = log_at;
  shared.most_log_words = log_words;
  shared.most_points = static_cast<std::uint32_t>(points);
  return memory;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      at_(std::exchange(other.at_, nullptr)),
      size_(other.size_) {}

SharedMemory::~SharedMemory() {
  if (at_ != nullptr) munmap(at_, size_);
  if (fd_ >= 0) close(fd_);
}

std::span<std::uint32_t> SharedMemory::choices() const {
  auto* const start = static_cast<std::byte*>(at_) + shared().choices_at;
  return {reinterpret_cast<std::uint32_t*>(start), shared().most_points};
}

// The number comes from the process: it counts as untrusted.
std::span<const agent::Point> SharedMemory::points() const {
  const auto* const start = static_cast<const std::byte*>(at_) + shared().points_at;
  return {reinterpret_cast<const agent::Point*>(start),
          std::min(shared().points, shared().most_points)};
}

std::span<const std::uint64_t> SharedMemory::log() const {
  const auto* const start = static_cast<const std::byte*>(at_) + shared().log_at;
  return {reinterpret_cast<const std::uint64_t*>(start),
          std::min(shared().log_words, shared().most_log_words)};
}

}  // namespace weir::sched
