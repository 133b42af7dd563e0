#pragma once
// RecordingMemory: a decorator that keeps what is read, packed as it will stand in a .weir file.
#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "weir/target/sparse_memory.h"

namespace weir::target {

/// Memory as sections of a recording (docs/recording-format.md), which were packed one by one.
/// Where they overlap, the later wins.
struct PackedMemory {
  std::vector<std::string> sections;
};

/// Whether a RecordingMemory packs what it keeps.
enum class Packing : std::uint8_t {
  none,     ///< a stop is not made longer by it
  as_read,  ///< a whole heap can be kept
};

/// Passes reads through to another Memory and keeps a copy of every byte that came: a .weir file, a
/// test fixture.
class RecordingMemory final : public Memory {
 public:
  /// `inner` must outlive the object.
  /// Once more than `most_packed` bytes are kept packed, reading fails: limit.
  RecordingMemory(Memory& inner, Packing packing, std::uint64_t most_packed = ~std::uint64_t{0});

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;
  Result<void> read_many(std::span<ReadRequest> requests) override;
  std::vector<Region> regions() override { return inner_.regions(); }
  std::vector<Region> coverage() override { return inner_.coverage(); }
  Consistency consistency() const override { return inner_.consistency(); }
  /// Where bytes change, which of two readers' values is the later one would not be known.
  bool is_concurrent() const override {
    return inner_.is_concurrent() && inner_.consistency() == Consistency::frozen;
  }

  /// What was packed; to be taken first. Errors: limit, and those of packing.
  Result<PackedMemory> take_packed();
  /// What was read since, or all of it without packing. Of a byte read twice the later value.
  SparseMemory take_latest();

 private:
  struct Piece {
    Address at;
    std::size_t offset = 0;  ///< in log_
    std::size_t size = 0;
  };
  Result<void> note(Address at, std::span<const std::byte> bytes);
  void put_down(Address at, std::span<const std::byte> bytes);
  void fold();
  void pack_latest();
  void pack_alone(Address at, std::span<const std::byte> bytes);
  void keep(Result<PackedMemory> packed);

  Memory& inner_;
  const Packing packing_;
  const std::uint64_t most_packed_;
  std::mutex lock_;             // of what follows
  std::vector<std::byte> log_;  ///< bytes in reading order, not yet in latest_
  std::vector<Piece> pieces_;
  std::size_t fold_at_;
  SparseMemory latest_;  ///< not yet in packed_
  PackedMemory packed_;
  std::uint64_t packed_size_ = 0;
  Result<void> result_;  ///< the first failure
};

}  // namespace weir::target
