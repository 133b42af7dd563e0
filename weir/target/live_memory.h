#pragma once
// LiveMemory: the memory of a running process, by pid. FrozenMemory: the same while a stop holds.
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "weir/target/memory.h"

namespace weir::target {

/// Reads another process through process_vm_readv, and through /proc/PID/mem where that call is
/// refused (seccomp filters of older container runtimes). Sees whatever the kernel lets a debugger
/// see; the target needn't be traced or stopped.
///
/// Several threads may read through one object at once. Nothing is cached: every read touches the
/// target. A single system call copies at most 16 MiB, so that a release forced by a signal
/// (stop.h) is never held up for long.
class LiveMemory final : public Memory {
 public:
  /// Checks that the process can be read at all. Errors: gone; denied with cause and remedy
  /// (denied.h); io.
  static Result<LiveMemory> open(int pid);
  LiveMemory(LiveMemory&&) noexcept;
  LiveMemory& operator=(LiveMemory&&) noexcept;
  ~LiveMemory() override;

  int pid() const;

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;

  /// Fast when the requests are in ascending order of address: neighbours less than 4 KiB apart are
  /// fetched as one piece, the gap into a scratch page (a gap never covers a page that neither
  /// neighbour touches, so it cannot fault by itself). Allocates nothing. Sorting, and making
  /// the destination's pages present, are the caller's, before a stop.
  Result<void> read_many(std::span<ReadRequest> requests) override;

  /// /proc/PID/maps; empty when the process is gone.
  std::vector<Region> regions() override;
  Consistency consistency() const override { return Consistency::racing; }
  bool is_concurrent() const override { return true; }

 private:
  struct State;
  explicit LiveMemory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A Memory whose bytes are of one instant, because somebody keeps every thread of the process
/// stopped. Every read is followed by a check that the stop still holds; if it doesn't, the read
/// fails with ErrorCode::limit, so a value that was returned is frozen indeed.
///
/// What no stop of one process can rule out: another process that writes to memory shared with it.
class FrozenMemory final : public Memory {
 public:
  /// Both must outlive the object. `holds` is called after every read, on the reading thread,
  /// and must not allocate.
  FrozenMemory(Memory& inner, std::function<bool()> holds)
      : inner_(inner), holds_(std::move(holds)) {}

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;
  Result<void> read_many(std::span<ReadRequest> requests) override;
  std::vector<Region> regions() override { return inner_.regions(); }
  std::vector<Region> coverage() override { return inner_.coverage(); }
  Consistency consistency() const override { return Consistency::frozen; }
  bool is_concurrent() const override { return inner_.is_concurrent(); }

 private:
  Result<void> check() const;

  Memory& inner_;
  std::function<bool()> holds_;
};

}  // namespace weir::target
