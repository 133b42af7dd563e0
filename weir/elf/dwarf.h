#pragma once
// DwarfTypes: where fields, variables and constants of a Go program are according to its own DWARF.
// Go's linker puts all types, and the runtime's variables and constants, into the compile unit
// "runtime" (cmd/link/internal/ld/dwarf.go), so that only that one is read.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/address.h"
#include "weir/base/error.h"

namespace weir::elf {

/// A part of a type: `offset` bytes from its start, `size` bytes long.
struct TypePart {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::optional<std::uint64_t> count;  ///< number of elements, if it is an array
};

/// Owns the opened file. Types are looked up by their Go names ("runtime.g"). DWARF 4 and 5,
/// compressed or not. Answers "nothing" for names that are not there and for DWARF that makes no
/// sense.
class DwarfTypes {
 public:
  /// Errors: not_found (no DWARF, or no compile unit "runtime"), invalid, and those of opening a
  /// file.
  static Result<DwarfTypes> open(const std::string& path);
  DwarfTypes(DwarfTypes&&) noexcept;
  DwarfTypes& operator=(DwarfTypes&&) noexcept;
  ~DwarfTypes();

  bool has_type(std::string_view type) const;
  /// The part of `type` at the dotted `path` of field names, where "[]" is an array's element; the
  /// whole type for an empty path. `type` may also be a variable, which stands for its type.
  std::optional<TypePart> find_part(std::string_view type, std::string_view path) const;
  /// Where a package-level variable ("runtime.allgs") is linked to.
  std::optional<LinkAddr> find_variable(std::string_view name) const;
  std::optional<std::int64_t> find_constant(std::string_view name) const;

 private:
  struct State;
  explicit DwarfTypes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::elf
