#include "weir/run/quiet.h"

#include <gtest/gtest.h>

namespace weir::run {
namespace {

using model::Status;
using model::WaitKind;

constexpr Nanos one_second{1'000'000'000};

model::Goroutine parked(std::uint64_t id, WaitKind kind) {
  model::Goroutine g;
  g.id = {id};
  g.status = Status::waiting;
  g.blocked_on = model::Blocking{};
  g.blocked_on->kind = kind;
  return g;
}

model::Goroutine in_status(std::uint64_t id, Status status) {
  model::Goroutine g;
  g.id = {id};
  g.status = status;
  return g;
}

Stir stir(std::vector<model::Goroutine> goroutines, std::vector<Timer> timers = {}) {
  model::Snapshot snapshot;
  snapshot.goroutines = std::move(goroutines);
  return find_stir(snapshot, {1}, timers, one_second);
}

TEST(Stir, ParkedOnEachOtherIsStill) {
  EXPECT_EQ(stir({in_status(1, Status::running), parked(5, WaitKind::channel_send),
                  parked(6, WaitKind::select), parked(7, WaitKind::mutex)}),
            Stir::nothing);
}

TEST(Stir, WhatRunsIsWorkUnlessItIsTheRuntimes) {
  EXPECT_EQ(stir({in_status(5, Status::runnable)}), Stir::work);
  EXPECT_EQ(stir({in_status(5, Status::running), in_status(6, Status::syscall)}), Stir::work);
  model::Goroutine worker = in_status(2, Status::running);
  worker.system = true;
  EXPECT_EQ(stir({worker}), Stir::nothing);
}

TEST(Stir, SystemCallsAndDescriptorsAreOutside) {
  EXPECT_EQ(stir({in_status(5, Status::syscall)}), Stir::outside);
  EXPECT_EQ(stir({parked(5, WaitKind::io)}), Stir::outside);
  model::Goroutine signals = in_status(5, Status::syscall);
  signals.start_function = "os/signal.loop";
  EXPECT_EQ(stir({signals}), Stir::nothing);
}

TEST(Stir, TimersCountOnlyWithinTheTimeAsked) {
  EXPECT_EQ(stir({}, {{"time.sendTime", "", {one_second.value / 2}}}), Stir::timer);
  EXPECT_EQ(stir({}, {{"time.sendTime", "", {one_second.value * 2}}}), Stir::nothing);
  model::Goroutine sleeper = parked(5, WaitKind::sleep);
  sleeper.blocked_on->wakes_in = Nanos{5};
  EXPECT_EQ(stir({sleeper}), Stir::timer);
  EXPECT_EQ(find_stir({}, {1}, std::nullopt, one_second), Stir::timer);
}

TEST(Patience, WaitsLongerAndLongerUntilItsTimeIsUp) {
  Patience patience(one_second);
  Nanos slept{0};
  std::vector<std::int64_t> waits;
  while (const auto wait = patience.next_wait(slept, {0})) {
    waits.push_back(wait->value);
    slept = *wait;
  }
  ASSERT_GT(waits.size(), 7u);
  EXPECT_EQ((std::vector<std::int64_t>(waits.begin(), waits.begin() + 3)),
            (std::vector<std::int64_t>{1'000'000, 2'000'000, 4'000'000}));
  std::int64_t sum = 0;
  for (const std::int64_t wait : waits) {
    EXPECT_LE(wait, 50'000'000);
    sum += wait;
  }
  EXPECT_EQ(sum, one_second.value);
}

TEST(Patience, DearLooksAreRare) {
  Patience patience(one_second);
  EXPECT_EQ(patience.next_wait({0}, {100'000'000})->value, 400'000'000);
  EXPECT_FALSE(Patience({0}).next_wait({0}, {0}));
}

}  // namespace
}  // namespace weir::run
