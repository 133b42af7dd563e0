#include "weir/analysis/schedule_leaks.h"

#include <gmock/gmock.h>

namespace weir::analysis {
namespace {

using model::Certainty;
using model::ProofVerdict;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

model::Goroutine waiting(std::uint64_t id) {
  model::Goroutine goroutine;
  goroutine.id = Goid{id};
  goroutine.status = model::Status::waiting;
  goroutine.wait_reason = "chan send";
  goroutine.stack = std::make_shared<const model::Stack>();
  return goroutine;
}

/// Goroutines 7 and 8, which look alike.
model::Snapshot two(ProofVerdict first, ProofVerdict second) {
  model::Snapshot snapshot;
  snapshot.goroutines = {waiting(7), waiting(8)};
  snapshot.proof.emplace();
  snapshot.proof->goroutines = {{Goid{7}, first, "seven", {}},
                                {Goid{8}, second, "eight", {"global x", "chan send"}}};
  return snapshot;
}

constexpr std::array both{Goid{7}, Goid{8}};

TEST(ScheduleLeaks, AreProvedIfAllOfThemAre) {
  const auto leaks = schedule_leaks(two(ProofVerdict::proved, ProofVerdict::proved), both);
  ASSERT_THAT(leaks, SizeIs(1));
  EXPECT_EQ(leaks[0].certainty, Certainty::proved);
  EXPECT_THAT(leaks[0].goroutines, ElementsAre(Goid{7}, Goid{8}));
}

TEST(ScheduleLeaks, SayWhyOneIsNotProved) {
  const auto leaks = schedule_leaks(two(ProofVerdict::proved, ProofVerdict::held), both);
  ASSERT_THAT(leaks, SizeIs(1));
  EXPECT_EQ(leaks[0].certainty, Certainty::likely);
  EXPECT_EQ(leaks[0].because, "eight");
  EXPECT_THAT(leaks[0].path, ElementsAre("global x", "chan send"));
}

TEST(ScheduleLeaks, AreOnlyThoseAskedAbout) {
  const auto leaks =
      schedule_leaks(two(ProofVerdict::proved, ProofVerdict::held), std::array{Goid{7}});
  ASSERT_THAT(leaks, SizeIs(1));
  EXPECT_EQ(leaks[0].certainty, Certainty::proved);
  EXPECT_THAT(leaks[0].goroutines, ElementsAre(Goid{7}));
}

TEST(ScheduleLeaks, AreNotProvedWithoutAProof) {
  model::Snapshot snapshot = two(ProofVerdict::proved, ProofVerdict::proved);
  snapshot.proof->refused = "the program uses arenas";
  snapshot.proof->goroutines.clear();
  auto leaks = schedule_leaks(snapshot, both);
  ASSERT_THAT(leaks, SizeIs(1));
  EXPECT_EQ(leaks[0].certainty, Certainty::likely);
  EXPECT_EQ(leaks[0].because, "nothing is proved, because the program uses arenas");
  snapshot.proof.reset();
  leaks = schedule_leaks(snapshot, both);
  EXPECT_EQ(leaks.at(0).certainty, Certainty::likely);
  EXPECT_THAT(leaks.at(0).because, IsEmpty());
}

// A goroutine that the proof does not know is no proved one.
TEST(ScheduleLeaks, AreNotProvedWhereOneIsMissing) {
  model::Snapshot snapshot = two(ProofVerdict::proved, ProofVerdict::proved);
  snapshot.proof->goroutines.pop_back();
  EXPECT_EQ(schedule_leaks(snapshot, both).at(0).certainty, Certainty::likely);
}

}  // namespace
}  // namespace weir::analysis
