// The variables that locate_globals() finds by their uses, against the symbol tables of the same
// builds.
#include "weir/gortime/globals.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"
#include "weir/elf/dwarf.h"
#include "weir/gortime/layout_dwarf.h"
#include "weir/gortime/layout_table.h"
#include "weir/gosym/build_info.h"
#include "weir/gosym/table.h"

namespace weir::gortime {
namespace {

using test_support::BuildOptions;

class GlobalsTest : public test_support::GoTest {};

using Places = std::map<std::string, std::uint64_t>;

Places places_of(const Globals& globals) {
  return {
      {"runtime.allglen", globals.allglen.value},
      {"runtime.allgptr", globals.allgptr.value},
      {"runtime.allm", globals.allm.value},
      {"runtime.allp", globals.allp.value},
      {"runtime.sched", globals.sched.value},
      {"runtime.semtable", globals.semtable.value},
      {"runtime.waitReasonStrings", globals.wait_reason_strings.value},
      {"runtime.mheap_", globals.mheap.value},
      {"runtime.allfin", globals.allfin.value},
      {"runtime.gcCleanups", globals.gc_cleanups.value},
      {"runtime.persistentChunks", globals.persistent_chunks.value},
      {"runtime.vdsoClockgettimeSym", globals.vdso_clock_gettime.value},
      {"runtime.panicking", globals.panicking.value},
      {"debug.tracebackancestors", globals.traceback_ancestors.value},
      {"wait reasons", globals.wait_reason_count},
  };
}

// The addresses in the program's own symbol table (DWARF for what has no symbol).
Places symbols_of(const std::string& path, const elf::DwarfTypes& dwarf) {
  Places places;
  for (const auto& [name, unused] : places_of({})) {
    if (const auto at = dwarf.find_variable(name))
      places[name] = at->value;
    else if (name == "runtime.gcCleanups")
      places[name] = 0;  // from 1.25 on
  }
  const auto debug = dwarf.find_variable("runtime.debug");
  const auto ancestors = dwarf.find_part("runtime.debug", "tracebackancestors");
  if (debug && ancestors) places["debug.tracebackancestors"] = debug->value + ancestors->offset;
  const auto reasons = dwarf.find_part("runtime.waitReasonStrings", "");
  if (reasons && reasons->count) places["wait reasons"] = *reasons->count;
  EXPECT_EQ(places.size(), places_of({}).size()) << path;
  return places;
}

Result<Globals> globals_of(const std::string& path, LoadBias bias, Notes& notes) {
  WEIR_TRY(const auto mapped, bytes::MappedFile::open(path));
  WEIR_TRY(const auto file, elf::File::parse(mapped.bytes()));
  WEIR_TRY(const auto build, gosym::find_build_info(file));
  WEIR_TRY(const auto location, gosym::locate(file, build.version.minor));
  WEIR_TRY(const auto table, gosym::Table::open(file, location));
  WEIR_TRY(const Layout layout, find_layout(build, file.machine()));
  return locate_globals(file, table, bias, layout, notes);
}

TEST_P(GlobalsTest, AreWhereTheSymbolTableSays) {
  const BuildOptions builds[] = {
      {}, {.pie = true}, {.cgo = true}, {.pie = true, .cgo = true}, {.race = true, .cgo = true}};
  for (const BuildOptions& options : builds) {
    SCOPED_TRACE(to_string(options));
    WEIR_BUILD_GO(program, go(), "still", options);
    WEIR_ASSERT_OK(const auto dwarf, elf::DwarfTypes::open(program));
    Notes notes;
    WEIR_ASSERT_OK(const Globals globals, globals_of(program, {}, notes));
    EXPECT_EQ(places_of(globals), symbols_of(program, dwarf));
    EXPECT_TRUE(notes.empty());
  }
}

// A stripped program is linked like its twin that is not, if only the flags, which it carries in
// its build information, are as long.
TEST_P(GlobalsTest, AreFoundInStrippedPrograms) {
  for (const bool pie : {false, true}) {
    for (const bool no_sections : {false, true}) {
      const BuildOptions stripped{.ldflags = "-s -w", .pie = pie, .strip_sections = no_sections};
      SCOPED_TRACE(to_string(stripped));
      WEIR_BUILD_GO(twin, go(), "still", {.ldflags = "-w=0 ", .pie = pie});
      EXPECT_TRUE(elf::DwarfTypes::open(twin).has_value());
      WEIR_BUILD_GO(program, go(), "still", stripped);
      EXPECT_FALSE(elf::DwarfTypes::open(program).has_value());
      Notes notes;
      WEIR_ASSERT_OK(const Globals expected, globals_of(twin, {}, notes));
      WEIR_ASSERT_OK(const Globals globals, globals_of(program, {}, notes));
      EXPECT_EQ(places_of(globals), places_of(expected));
    }
  }
}

// Cross-built: read here, never run.
TEST_P(GlobalsTest, AreFoundInArm64Programs) {
  for (const BuildOptions& options :
       {BuildOptions{.arch = "arm64"}, {.pie = true, .arch = "arm64"}}) {
    SCOPED_TRACE(to_string(options));
    WEIR_BUILD_GO(program, go(), "still", options);
    WEIR_ASSERT_OK(const auto dwarf, elf::DwarfTypes::open(program));
    Notes notes;
    WEIR_ASSERT_OK(const Globals globals, globals_of(program, {}, notes));
    Places expected = symbols_of(program, dwarf);
    expected["runtime.persistentChunks"] = 0;  // for proofs, which are made on amd64
    EXPECT_EQ(places_of(globals), expected);
    EXPECT_TRUE(notes.empty());
  }
}

TEST_P(GlobalsTest, CountTheLoadBias) {
  WEIR_BUILD_GO(program, go(), "still", {.pie = true});
  Notes notes;
  WEIR_ASSERT_OK(const Globals linked, globals_of(program, {}, notes));
  WEIR_ASSERT_OK(const Globals loaded, globals_of(program, LoadBias{0x555555554000}, notes));
  for (const auto& [name, at] : places_of(linked)) {
    // A count, or a variable that this version does not have.
    const bool no_place = name == "wait reasons" || at == 0;
    const std::uint64_t bias = no_place ? 0 : 0x555555554000;
    EXPECT_EQ(places_of(loaded).at(name), at + bias) << name;
  }
}

WEIR_FOR_EACH_GO(GlobalsTest);

}  // namespace
}  // namespace weir::gortime
