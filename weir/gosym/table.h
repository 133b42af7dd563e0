#pragma once
// Table: Go's function table (gopclntab): which function, file, line, inlined calls and frame size
// belong to a pc.
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "weir/gosym/func_id.h"
#include "weir/gosym/location.h"
#include "weir/gosym/pcln_header.h"

namespace weir::gosym {

/// A physical function: one record of the table (runtime._func, src/runtime/runtime2.go).
struct Function {
  static constexpr std::int32_t args_unknown = std::numeric_limits<std::int32_t>::min();

  std::uint32_t index = 0;  ///< in the order of addresses
  LinkAddr entry;
  LinkAddr end;           ///< the next function's entry; padding is counted in
  std::string_view name;  ///< as linked: "main.F[go.shape.int]"; see name_for_print()
  FuncId id = FuncId::normal;
  FuncFlags flags;
  std::int32_t start_line = 0;     ///< of the func keyword; 0 before Go 1.20
  std::int32_t args_size = 0;      ///< bytes of stack arguments and results, or args_unknown
  std::uint32_t defer_return = 0;  ///< offset from entry of a deferreturn call, 0 for none

  // Offsets of programs and tables; for Table.
  std::uint32_t sp_program = 0, file_program = 0, line_program = 0;
  std::uint32_t pcdata_count = 0, funcdata_count = 0, unit_offset = 0;
  std::uint64_t tables_offset = 0;  ///< of the pcdata offsets, within the pclntab
};

struct SourceLine {
  std::string_view file = "?";  ///< "?" and 0 when the table does not say
  std::int32_t line = 0;
};

/// One source-level call at a pc.
struct InlineFrame {
  std::string_view function;  ///< as linked
  SourceLine source;
  std::int32_t start_line = 0;
  FuncId id = FuncId::normal;
  bool inlined = false;  ///< inlined into the next frame
  LinkAddr pc;  ///< the pc asked for, or where in the physical function the inlined call stands
};

/// Indices of PCDATA and FUNCDATA tables (runtime/funcdata.h), the same from 1.19 to 1.27.
constexpr std::uint32_t pcdata_unsafe_point = 0, pcdata_stack_map = 1, pcdata_inline_tree = 2,
                        pcdata_arg_live = 3;
constexpr std::uint8_t funcdata_args_maps = 0, funcdata_locals_maps = 1, funcdata_stack_objects = 2,
                       funcdata_inline_tree = 3, funcdata_arg_info = 5, funcdata_arg_live = 6;

/// Values of PCDATA 0.
constexpr std::int32_t unsafe_point_safe = -1, unsafe_point_unsafe = -2;

/// Reads one module's function table. Holds views of the file's bytes, which (and its PageSet) must
/// outlive it and every string_view it gives. Every lookup notes the pages it used: on an image of
/// only those pages the same lookups give the same answers. Copies are cheap. Lookups on bytes that
/// make no sense give "nothing"; none fails, none reads out of range.
class Table {
 public:
  /// Errors: those of parse_pcln_header().
  static Result<Table> open(const elf::File& file, const Location& location);

  std::size_t size() const { return header_.function_count; }
  /// The function at `index` < size(); nothing if its record is broken.
  std::optional<Function> function(std::uint32_t index) const;

  /// The function whose [entry, end) holds `pc`.
  std::optional<Function> find_function(LinkAddr pc) const;
  /// The function of that link name: where several have it (an assembly function and its ABI
  /// wrapper), the first that is not a wrapper. Linear: about a millisecond for a large program.
  std::optional<Function> find_function(std::string_view name) const;

  // What follows takes the exact pc of an instruction, or of a call (return address minus one).

  /// Bytes between the stack pointer at `pc` and where it was at entry, the return address's own
  /// not counted (runtime.funcspdelta). For a return address: that address, not minus one.
  std::optional<std::int32_t> find_sp_delta(const Function& function, LinkAddr pc) const;
  /// The innermost source line.
  SourceLine find_line(const Function& function, LinkAddr pc) const;
  /// The value of PCDATA table `table`; -1 for none, as in the runtime.
  std::int32_t find_pcdata(const Function& function, std::uint32_t table, LinkAddr pc) const;
  /// The link address of FUNCDATA `index`.
  std::optional<LinkAddr> find_funcdata(const Function& function, std::uint8_t index) const;

  /// Appends the calls at `pc`, innermost first, the physical function last, as
  /// runtime.inlineUnwinder does (src/runtime/symtabinl.go). At least one is appended.
  void append_frames(const Function& function, LinkAddr pc, std::vector<InlineFrame>& frames) const;

  const Location& location() const { return location_; }
  const PclnHeader& header() const { return header_; }
  /// Go versions before 1.20: no start lines.
  bool has_start_lines() const { return !header_.go_1_18; }

 private:
  Table() = default;
  std::optional<std::uint32_t> find_index(std::uint32_t text_offset) const;
  std::optional<std::uint32_t> to_text_offset(LinkAddr pc) const;
  LinkAddr to_address(std::uint32_t text_offset) const;
  std::vector<std::uint32_t> find_name_offsets(std::string_view name) const;
  std::string_view name_at(std::uint32_t offset) const;
  std::string_view file_at(const Function& function, std::int32_t file) const;
  std::int32_t run_program(std::uint32_t program, std::uint64_t pc_offset) const;

  Location location_;
  PclnHeader header_;
  bytes::Window table_;  ///< from pcHeader to the end of its segment
  bytes::Window names_, units_, files_, pc_values_, functions_;
  bytes::Window gofunc_;
};

}  // namespace weir::gosym
