#include "weir/gortime/layout_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/gortime/layout_dwarf.h"

namespace weir::gortime {
namespace {

using elf::Machine;
using testing::HasSubstr;

gosym::BuildInfo build_of(const std::string& version, const std::string& experiments = "") {
  gosym::BuildInfo build;
  build.go_version = version;
  build.experiments = experiments;
  build.version = gosym::parse_go_version(version);
  return build;
}

std::string refusal_of(const std::string& version, const std::string& experiments = "") {
  const auto layout = find_layout(build_of(version, experiments), Machine::amd64);
  return layout ? "" : to_string(layout.error());
}

// A few offsets that were read off the runtime's DWARF by another tool (readelf) on another day.
TEST(LayoutTable, HoldsWhatReadelfSays) {
  const auto old = find_layout(build_of("go1.19.13"), Machine::amd64);
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->g.size, Number(392));
  EXPECT_EQ(old->g.goid, Offset(152, 8));
  EXPECT_FALSE(old->g.parent_goid.present());
  EXPECT_FALSE(old->timers.heap.present());
  EXPECT_EQ(old->mspan.nelems.width(), 8u);
  const auto young = find_layout(build_of("go1.27.4"), Machine::amd64);
  ASSERT_TRUE(young.has_value());
  EXPECT_EQ(young->g.tracking_seq, Offset(191, 1));
  EXPECT_EQ(young->sudog.elem, Offset(32, 8)) << "vu of the pair {vp, vu} at 24";
  EXPECT_EQ(young->sudog.c, Offset(96, 8));
  EXPECT_EQ(young->sema_root.stride, Number(64));
  EXPECT_EQ(find_layout(build_of("go1.27.4"), Machine::arm64)->sema_root.stride, Number(128));
  EXPECT_EQ(young->special.kind_finalizer, Number(2));
}

TEST(LayoutTable, CoversEveryPromisedMinorOnBothArchitectures) {
  for (const Machine machine : {Machine::amd64, Machine::arm64}) {
    for (int minor = 19; minor <= 27; ++minor) {
      EXPECT_EQ(nearest_layout({minor, 5}, machine).of.minor, minor);
    }
  }
}

TEST(LayoutTable, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal_of("go1.27.4"), "");
  EXPECT_THAT(refusal_of("go1.28"), HasSubstr("does not know the runtime of go1.28 on amd64"));
  EXPECT_THAT(refusal_of("go1.27.99"), HasSubstr("does not know"));
  EXPECT_THAT(refusal_of("go1.27.4-corp"), HasSubstr("does not know"));
  EXPECT_THAT(refusal_of("go1.27rc1"), HasSubstr("does not know"));
  EXPECT_THAT(refusal_of("devel go1.28-1a2b3c4"), HasSubstr("does not know"));
  EXPECT_THAT(refusal_of("go1.27.4."), HasSubstr("does not know"));
  EXPECT_THAT(refusal_of(""), HasSubstr("does not know"));
}

TEST(LayoutTable, RefusesExperimentsThatMayMoveFields) {
  EXPECT_EQ(refusal_of("go1.19.13", "fieldtrack"), "");
  EXPECT_THAT(refusal_of("go1.19.13", "fieldtrack,staticlockranking"),
              HasSubstr("built with GOEXPERIMENT=staticlockranking"));
}

TEST(LayoutTable, Knows126WithTheLeakProfile) {
  EXPECT_EQ(refusal_of("go1.26.8", "goroutineleakprofile"), "");
  EXPECT_THAT(refusal_of("go1.26.8", "goroutineleakprofile,arenas"), HasSubstr("GOEXPERIMENT"));
}

TEST(LayoutTable, StartsFromTheNearestRelease) {
  EXPECT_EQ(nearest_layout({28, 0}, Machine::amd64).of.minor, 27);
  EXPECT_EQ(nearest_layout({18, 0}, Machine::amd64).of.minor, 19);
  EXPECT_THAT(differences(nearest_layout({27, 99}, Machine::amd64).layout,
                          *find_layout(build_of("go1.27.4"), Machine::amd64)),
              testing::IsEmpty());
  EXPECT_THAT(differences(nearest_layout({26, 0}, Machine::amd64).layout,
                          *find_layout(build_of("go1.27.4"), Machine::amd64)),
              testing::Contains(HasSubstr("m.cheaprand is 1640 (8 bytes)")));
}

}  // namespace
}  // namespace weir::gortime
