// Layout and Globals against what Go's own toolchains say of the programs they build.
#include <gmock/gmock.h>

#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"
#include "weir/elf/dwarf.h"
#include "weir/gortime/layout_dwarf.h"
#include "weir/gortime/layout_table.h"

namespace weir::gortime {
namespace {

class LayoutTest : public test_support::GoTest {};

gosym::BuildInfo build_of(const test_support::GoToolchain& go) {
  gosym::BuildInfo build;
  build.go_version = "go" + go.version;
  build.version = {go.minor, go.patch};
  return build;
}

// The C++ reader on libdw and the generator on debug/dwarf must agree.
TEST_P(LayoutTest, DwarfAndTableAgree) {
  WEIR_BUILD_GO(program, go(), "everywait");
  WEIR_ASSERT_OK(const auto types, elf::DwarfTypes::open(program));
  WEIR_ASSERT_OK(const Layout known, find_layout(build_of(go()), elf::Machine::amd64));
  const DwarfLayout read = layout_from_dwarf(types, nullptr);
  const DwarfLayout completed = layout_from_dwarf(types, &known);
  EXPECT_THAT(differences(completed.layout, known), testing::IsEmpty());
  EXPECT_LT(read.not_described.size(), 120u) << "hardly anything was compared";
  EXPECT_TRUE(read.layout.g.goid.present());
  EXPECT_TRUE(types.find_variable("runtime.allgs").has_value());
}

TEST_P(LayoutTest, DwarfAndTableAgreeOnArm64) {
  WEIR_BUILD_GO(program, go(), "still", {.arch = "arm64"});
  WEIR_ASSERT_OK(const auto types, elf::DwarfTypes::open(program));
  WEIR_ASSERT_OK(const Layout known, find_layout(build_of(go()), elf::Machine::arm64));
  EXPECT_THAT(differences(layout_from_dwarf(types, &known).layout, known), testing::IsEmpty());
}

WEIR_FOR_EACH_GO(LayoutTest);

}  // namespace
}  // namespace weir::gortime
