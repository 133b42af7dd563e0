#pragma once
// CoreMemory: the memory in a core file, and what the core left out because it is in the
// executable.
#include <cstdint>
#include <set>
#include <vector>

#include "weir/elf/file.h"
#include "weir/target/core_file.h"
#include "weir/target/memory.h"

namespace weir::target {

/// Frozen. Where PT_LOAD segments overlap, the later one in the file wins. Bytes that the file does
/// not hold, since its writer filtered them or it was cut, are unmapped, unless lay_under() gave
/// them.
class CoreMemory final : public Memory {
 public:
  /// `core` must outlive it.
  explicit CoreMemory(const CoreFile& core);

  /// Below what the core holds: the executable's segments that the program cannot write, and
  /// writable ones of which the core has nothing at all (the kernel leaves a mapping of a file out
  /// only if nothing was ever written to it). The executable's bytes must outlive this.
  void lay_under(const elf::File& executable, LoadBias bias);

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override;
  /// The PT_LOAD segments, with the names of NT_FILE, and "[vdso]" and "[vsyscall]".
  std::vector<Region> regions() override { return regions_; }
  std::vector<Region> coverage() override;
  Consistency consistency() const override { return Consistency::frozen; }

  /// lay_under() gave bytes for variables that the program had surely changed: the core lacks them.
  bool lacks_variables() const { return lacks_variables_; }

  /// Some mapping that no file backs, other than the kernel's own, has bytes: the program's heap is
  /// there.
  bool has_program_memory() const;

  /// Pages of writable mappings that were asked for and are not there.
  struct Missing {
    std::size_t pages = 0;
    Address first;
  };
  Missing missing() const;

 private:
  struct Piece {
    std::uint64_t start = 0;
    bytes::Bytes content;
    std::uint64_t end() const { return start + content.size(); }
  };
  void note_missing(Address at);

  const CoreFile& core_;
  std::vector<Piece> pieces_;  ///< ascending, disjoint
  std::vector<Region> regions_;
  bool lacks_variables_ = false;
  std::set<std::uint64_t> missing_;  ///< page numbers, at most missing_limit
};

}  // namespace weir::target
