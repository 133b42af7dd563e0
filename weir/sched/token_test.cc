#include "weir/sched/token.h"

#include <gmock/gmock.h>

namespace weir::sched {
namespace {

model::Schedule small_schedule() {
  model::Schedule schedule;
  schedule.build_id = "a/b/c/d";
  schedule.hooks = "00000000deadbeef";
  schedule.package = "example.org/p";
  schedule.test = "TestA";
  schedule.seed = 300;
  schedule.hash = "f123456789abcdef";
  for (const std::uint32_t choice : {0, 0, 2, 0, 1, 0}) {
    model::ScheduleStep step;
    step.operation = "resume";
    step.alternatives = 3;
    step.choice = choice;
    schedule.steps.push_back(step);
  }
  schedule.steps.emplace_back();  // nobody else could run: no choice
  return schedule;
}

TEST(Token, IsReadAsItWasMade) {
  const auto word = make_token(small_schedule());
  ASSERT_TRUE(word.has_value());
  EXPECT_LT(word->size(), 90U);
  const auto token = parse_token(*word);
  ASSERT_TRUE(token.has_value()) << to_string(token.error());
  EXPECT_EQ(token->package, "example.org/p");
  EXPECT_EQ(token->test, "TestA");
  EXPECT_EQ(token->seed, 300U);
  EXPECT_EQ(token->build, hash_of_text("a/b/c/d"));
  EXPECT_EQ(token->hooks, 0xdeadbeefU);
  EXPECT_EQ(token->hash, 0xf123456789abcdefU);
  EXPECT_THAT(token->choices, testing::ElementsAre(0U, 0U, 2U, 0U, 1U));
}

TEST(Token, EveryLetterCounts) {
  const std::string word = *make_token(small_schedule());
  for (std::size_t i = 0; i < word.size(); ++i) {
    std::string other = word;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    // The last letter has bits to spare: only there may a change mean the same.
    if (i + 1 < word.size()) {
      EXPECT_FALSE(parse_token(other).has_value()) << i;
    }
    EXPECT_FALSE(parse_token(word.substr(0, i)).has_value()) << i;
  }
}

TEST(Token, RefusesWhatMakesNoSense) {
  const std::string head =
      std::string(1, '\1') + std::string(24, 'h') + std::string(1, '\1') + std::string("\0\1T", 3);
  EXPECT_TRUE(parse_token(seal_token(head)).has_value());
  EXPECT_FALSE(parse_token(seal_token(head + std::string("\0\0", 2))).has_value());  // choice 0
  EXPECT_FALSE(parse_token(seal_token(head + "\xff\xff\xff\xff\x7f\1")).has_value());
  EXPECT_EQ(parse_token(seal_token("\2" + head.substr(1))).error().code, ErrorCode::unsupported);
  EXPECT_FALSE(parse_token(seal_token("")).has_value());
}

TEST(Token, IsOnlyForSmallSchedules) {
  model::Schedule schedule = small_schedule();
  schedule.arguments = {"-test.short=true"};
  EXPECT_FALSE(make_token(schedule).has_value());
  schedule.arguments.clear();
  for (auto& step : schedule.steps) step.choice = 1;
  for (int i = 0; i < 6; ++i)
    schedule.steps.insert(schedule.steps.end(), schedule.steps.begin(), schedule.steps.end());
  EXPECT_FALSE(make_token(schedule).has_value());
}

}  // namespace
}  // namespace weir::sched
