#pragma once
// Program: a Go program with everything that stays the same while it runs: symbols, layouts, the
// runtime's globals.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/notes.h"
#include "weir/elf/file.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/layout_choice.h"
#include "weir/gosym/table.h"
#include "weir/target/memory.h"

namespace weir::gortime {

class Program {
 public:
  /// `executable` is the file's content, `memory` the process, core or recording, `bias` what the
  /// kernel moved the executable by. `hints`, if not empty, are those an earlier open() of the same
  /// program gave. `touched` as in elf::File::parse. `dwarf_path` is where the executable can be
  /// opened for its DWARF, should the Go version not be a known one; may be empty. The executable's
  /// bytes, and touched, must outlive the Program. Errors: unsupported (not Go; a version too old),
  /// and those of reading.
  static Result<Program> open(bytes::Bytes executable, target::Memory& memory, LoadBias bias,
                              const Hints& hints = {}, bytes::PageSet* touched = nullptr,
                              const std::string& dwarf_path = {});

  const elf::File& file() const { return *file_; }
  const gosym::Table& table() const { return *table_; }
  /// Where the type descriptors are in memory.
  Address types() const { return types_; }
  Address types_end() const { return types_end_; }
  const Layout& layout() const { return choice_.layout; }
  /// It is the table's own for exactly this release.
  bool layout_is_known() const { return !choice_.assumption.has_value(); }
  const Globals& globals() const { return globals_; }
  const std::string& go_version() const { return go_version_; }
  int go_minor() const { return go_minor_; }
  LoadBias bias() const { return bias_; }
  /// What must wait until the program has run its first instructions: reads Go's words for
  /// g.waitreason (they need relocation), and checks an assumed layout against the goroutines.
  /// Errors: unsupported, when the layout does not fit; those of reading.
  Result<void> prepare(target::Memory& memory);
  /// Go's own words for g.waitreason; empty until prepare().
  const std::vector<std::string>& wait_reasons() const { return wait_reasons_; }
  const Hints& hints() const { return hints_; }
  /// How sure the layout is, and what of the runtime was not found; for the snapshot.
  const Notes& notes() const { return notes_; }

  /// The run-time entry of a function by its link name, or 0.
  Address find_entry(std::string_view function) const;

 private:
  Program() = default;

  std::unique_ptr<elf::File> file_;
  std::unique_ptr<gosym::Table> table_;
  Address types_, types_end_;
  LayoutChoice choice_;
  Globals globals_;
  std::string go_version_;
  int go_minor_ = 0;
  LoadBias bias_;
  std::vector<std::string> wait_reasons_;
  Hints hints_;
  Notes notes_;
};

}  // namespace weir::gortime
