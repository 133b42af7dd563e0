#pragma once
// Memories made of other things than a process: owned bytes, an overlay.
#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "weir/target/memory.h"

namespace weir::target {

/// Owns pieces of an address space: tests, recordings, cores. Frozen.
class SparseMemory final : public Memory {
 public:
  /// One contiguous run of bytes.
  struct Segment {
    Address start;
    std::span<const std::byte> bytes;
  };

  /// Copies `bytes`. Where they overlap earlier ones, the later insert wins. A piece that would run
  /// to the end of the address space is cut one byte before it.
  void insert(Address at, std::span<const std::byte> bytes);
  /// The same for a trivially copyable value.
  template <class T>
  void insert_value(Address at, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    insert(at, std::as_bytes(std::span<const T, 1>(&value, 1)));
  }

  /// Ascending and disjoint; two of them may touch. Valid until the next insert.
  std::vector<Segment> segments() const;
  std::uint64_t size() const { return size_; }  ///< bytes held
  bool empty() const { return segments_.empty(); }

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;
  /// What set_regions() was given, else coverage().
  std::vector<Region> regions() override;
  /// One readable and writable region per run of touching segments.
  std::vector<Region> coverage() override;
  /// The mappings of the process the bytes came from: permissions and names.
  void set_regions(std::vector<Region> regions) { regions_ = std::move(regions); }
  /// What set_regions() was given.
  const std::vector<Region>& known_regions() const { return regions_; }
  Consistency consistency() const override { return Consistency::frozen; }

 private:
  using Segments = std::map<std::uint64_t, std::vector<std::byte>>;
  Segments::const_iterator find(std::uint64_t at) const;
  void insert_gap(std::uint64_t at, std::span<const std::byte> bytes);

  Segments segments_;
  std::uint64_t size_ = 0;
  std::vector<Region> regions_;
};

/// Several memories laid over each other: at each address the first one that has a byte there wins.
class SplicedMemory final : public Memory {
 public:
  /// First = on top. All must outlive the object. Which addresses a layer has is taken from its
  /// coverage() now.
  explicit SplicedMemory(const std::vector<Memory*>& layers);

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;
  std::vector<Region> regions() override;
  std::vector<Region> coverage() override;
  /// frozen if every layer is.
  Consistency consistency() const override;

 private:
  struct Layer {
    Memory* memory;
    std::vector<std::uint64_t> starts;  ///< of its coverage, ascending
  };
  std::vector<Layer> layers_;
};

}  // namespace weir::target
