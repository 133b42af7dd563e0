#pragma once
// SharedMemory: what the agent and weir both see: agent::Shared with its choices, points and log.
#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/base/error.h"
#include "weir/sched/agent/memory.h"

namespace weir::sched {

class SharedMemory {
 public:
  /// For runs of at most `points` points. Errors: io.
  static Result<SharedMemory> make(std::size_t points);
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  /// To be mapped by the process (MAP_SHARED).
  int fd() const { return fd_; }
  std::size_t size() const { return size_; }
  agent::Shared& shared() const { return *static_cast<agent::Shared*>(at_); }
  /// Room for the choices of a run.
  std::span<std::uint32_t> choices() const;
  /// What a run has noted.
  std::span<const agent::Point> points() const;
  /// agent::LogHead and what follows each.
  std::span<const std::uint64_t> log() const;

 private:
  SharedMemory() = default;
  int fd_ = -1;
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weir::sched
