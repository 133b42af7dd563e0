#pragma once
// CopyMemory: the memory of a process that stands still for good, such as a ForkCopy's child.
#include <memory>
#include <span>
#include <vector>

#include "weir/target/memory.h"

namespace weir::target {

/// Reads through /proc/PID/mem. process_vm_readv() would pin the pages, and before the kernel pins
/// one that a process shares with the one that it was forked from, it gives it a page of its own:
/// each page that is read would be copied twice, and be there twice.
///
/// Since nothing changes, small reads are answered from blocks that are kept. Several threads may
/// read at once. Unlike LiveMemory it also reads what the process itself may not (PROT_NONE).
class CopyMemory final : public Memory {
 public:
  /// Errors: denied. /proc may be mounted such that the file cannot be opened where
  /// process_vm_readv() is allowed.
  static Result<CopyMemory> open(int pid);
  CopyMemory(CopyMemory&&) noexcept;
  CopyMemory& operator=(CopyMemory&&) noexcept;
  ~CopyMemory() override;

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;
  std::vector<Region> regions() override;
  Consistency consistency() const override { return Consistency::racing; }
  bool is_concurrent() const override { return true; }

 private:
  struct State;
  explicit CopyMemory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::target
