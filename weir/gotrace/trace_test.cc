#include <gmock/gmock.h>

#include "weir/gotrace/reader.h"
#include "weir/gotrace/trace_builder.h"
#include "weir/gotrace/wire_text.h"

namespace weir::gotrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t running = 2, waiting = 4;

struct Collector : EventSink {
  void take(std::span<const Event> events) override {
    all.insert(all.end(), events.begin(), events.end());
  }
  std::vector<Event> all;
};

struct Read {
  Dictionary dictionary;
  Collector events;
  Notes notes;
  Result<TraceFacts> facts = TraceFacts{};

  explicit Read(const TraceBuilder& trace) {
    facts = read_trace(trace.bytes(), dictionary, events, {}, notes);
  }
  std::vector<EventType> types() const {
    std::vector<EventType> list;
    for (const Event& event : events.all) list.push_back(event.type);
    return list;
  }
  std::vector<std::int64_t> times() const {
    std::vector<std::int64_t> list;
    for (const Event& event : events.all) list.push_back(event.time);
    return list;
  }
};

/// Thread 7 with P 0 runs goroutine 1, which blocks; thread 8 with P 1 runs goroutine 2, which
/// wakes it. The wake-up is stamped before the block.
TraceBuilder crossed_clocks() {
  TraceBuilder trace;
  trace
      .events(1, 8, 1000,
              {{EventType::proc_status, {0, 1, 1}},
               {EventType::go_status, {0, 2, 8, running}},
               {EventType::go_unblock, {10, 1, 1, 0}}})
      .events(1, 7, 1000,
              {{EventType::proc_status, {1, 0, 1}},
               {EventType::go_status, {0, 1, 7, running}},
               {EventType::go_block, {50, 1, 1}},
               {EventType::go_start, {10, 1, 2}}})
      .sync(1)
      .strings(1, {"chan send", "main.f"})
      .stack(1, 1, 2)
      .end();
  return trace;
}

TEST(Trace, SequenceNumbersDecideNotClocks) {
  const Read read(crossed_clocks());
  ASSERT_TRUE(read.facts) << to_string(read.facts.error());
  EXPECT_THAT(read.notes.all(), IsEmpty());
  EXPECT_THAT(read.types(),
              ElementsAre(EventType::proc_status, EventType::go_status, EventType::proc_status,
                          EventType::go_status, EventType::go_block, EventType::go_unblock,
                          EventType::go_start));
  // Each event keeps its own thread's time, 64 ns a tick: the wake-up stays before the block.
  EXPECT_THAT(read.times(), ElementsAre(0, 0, 64, 64, 51 * 64, 10 * 64, 61 * 64));
  EXPECT_GT(read.facts->held_back, 0u);
}

TEST(Trace, NamesHoldForTheWholeTrace) {
  TraceBuilder trace = crossed_clocks();
  // The second generation numbers its texts anew.
  trace
      .events(2, 7, 2000,
              {{EventType::proc_status, {0, 0, 1}},
               {EventType::go_status, {0, 1, 7, running}},
               {EventType::go_block, {1, 2, 9}}})
      .sync(2)
      .strings(2, {"main.f", "chan send"})
      .stack(2, 9, 1)
      .end();
  const Read read(trace);
  ASSERT_TRUE(read.facts) << to_string(read.facts.error());
  std::vector<std::string> reasons, functions;
  for (const Event& event : read.events.all) {
    if (event.type != EventType::go_block) continue;
    reasons.push_back(read.dictionary.string(event.text));
    ASSERT_EQ(read.dictionary.stack(event.stack).size(), 1u);
    functions.push_back(read.dictionary.string(
        read.dictionary.frame(read.dictionary.stack(event.stack)[0]).function));
  }
  EXPECT_THAT(reasons, ElementsAre("chan send", "chan send"));
  EXPECT_THAT(functions, ElementsAre("main.f", "main.f"));
  EXPECT_EQ(read.facts->generations, 2u);
}

TEST(Trace, LateStatusOfNoThreadMovesNoClock) {
  TraceBuilder trace;
  trace
      .events(1, 7, 1000,
              {{EventType::proc_status, {0, 0, 1}},
               {EventType::go_status, {0, 1, 7, running}},
               {EventType::go_unblock, {100, 3, 1, 0}},
               {EventType::go_block, {100, 1, 0}},
               {EventType::go_start, {100, 3, 2}}})
      .events(1, no_thread, 900000, {{EventType::go_status_stack, {0, 3, no_thread, waiting, 0}}})
      .sync(1)
      .strings(1, {"select"})
      .end();
  const Read read(trace);
  ASSERT_TRUE(read.facts) << to_string(read.facts.error());
  EXPECT_THAT(read.notes.all(), IsEmpty());
  // The status is written last and late, but holds from the beginning; what follows keeps its time.
  ASSERT_EQ(read.types().front(), EventType::go_status_stack);
  EXPECT_EQ(read.events.all.back().type, EventType::go_start);
  EXPECT_EQ(read.events.all.back().time, 300 * 64);
}

TEST(Trace, ATruncatedTraceGivesWhatIsThere) {
  TraceBuilder whole = crossed_clocks();
  const std::string text = whole.text().substr(0, whole.text().size() - 12);
  Dictionary dictionary;
  Collector events;
  Notes notes;
  const auto facts = read_trace(bytes::as_bytes(text), dictionary, events, {}, notes);
  ASSERT_TRUE(facts);
  EXPECT_EQ(events.all.size(), 7u);
  ASSERT_FALSE(notes.empty());
  EXPECT_THAT(notes.all()[0].text, HasSubstr("the file ends within a batch"));
  EXPECT_EQ(notes.all()[0].severity, Severity::loss);
}

TEST(Trace, AnImpossibleOrderIsTakenByTimeAndCounted) {
  TraceBuilder trace;
  trace
      .events(1, 7, 1000,
              {{EventType::proc_status, {0, 0, 1}},
               {EventType::go_start, {5, 42, 9}},
               {EventType::go_block, {5, 0, 0}}})
      .sync(1)
      .end();
  const Read read(trace);
  ASSERT_TRUE(read.facts);
  EXPECT_EQ(read.facts->irregularities.forced, 1u);
  EXPECT_EQ(read.events.all.size(), 3u);
  ASSERT_FALSE(read.notes.empty());
  EXPECT_THAT(read.notes.all()[0].text, HasSubstr("fits no order"));
}

TEST(Trace, ABadEventCostsTheRestOfItsBatch) {
  TraceBuilder trace;
  trace.batch(1, 7, 1000, std::string("\x0d\x00\x00\x01\xff\xff", 6))
      .events(1, 8, 1000, {{EventType::proc_status, {0, 1, 1}}})
      .sync(1)
      .end();
  const Read read(trace);
  ASSERT_TRUE(read.facts);
  EXPECT_EQ(read.facts->irregularities.bad_batches, 1u);
  EXPECT_EQ(read.events.all.size(), 2u);
}

TEST(Trace, WhatIsNoTraceIsSaidSo) {
  Dictionary dictionary;
  Collector events;
  Notes notes;
  const auto text =
      read_trace(bytes::as_bytes("goroutine 1 [running]:\nmain"), dictionary, events, {}, notes);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::invalid);
  const auto newer = read_trace(TraceBuilder("1.99").bytes(), dictionary, events, {}, notes);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::unsupported);
}

TEST(GoroutineTable, FindsWhatIsThereAfterManyChanges) {
  // Squares: numbers in a row are spread so well that none is in another's place.
  const auto id_of = [](std::uint64_t i) { return i * i; };
  constexpr std::uint64_t most = 20000;
  GoroutineTable table;
  std::vector<std::uint64_t> alive;
  for (std::uint64_t i = 1; i < most; ++i) {
    table.add(id_of(i));
    alive.push_back(i);
    if (i % 3 != 0) continue;
    const auto middle = alive.begin() + static_cast<std::ptrdiff_t>(alive.size() / 2);
    table.remove(table.find(id_of(*middle)));
    alive.erase(middle);
  }
  EXPECT_EQ(table.size(), alive.size());
  std::vector<bool> is_alive(most, false);
  for (const std::uint64_t i : alive) is_alive[i] = true;
  for (std::uint64_t i = 1; i < most; ++i)
    ASSERT_EQ(table.find(id_of(i)) != no_slot, is_alive[i]) << i;
}

// What Go's own traces look like is compared with go tool trace in tests/live.
TEST(WireText, EventsAsTheyStandUpToTheDamage) {
  TraceBuilder trace;
  trace.events(1, 8, 1000, {{EventType::proc_status, {0, 1, 1}}}).strings(1, {"a\n\"\x01"});
  std::string bytes(bytes::as_text(trace.bytes()));
  bytes += '\x7e';
  std::string text;
  const auto written = write_wire_text(std::as_bytes(std::span(bytes)),
                                       [&](std::string_view part) { text += part; });
  EXPECT_EQ(text,
            "EventBatch gen=1 m=8 time=1000 size=4\nProcStatus dt=0 p=1 pstatus=1\n"
            "EventBatch gen=1 m=18446744073709551615 time=1 size=8\nStrings\n"
            "String id=1\n\tdata=\"a\\n\\\"\\x01\"\n");
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(to_string(written.error()), HasSubstr("no event has the number 126"));
}

}  // namespace
}  // namespace weir::gotrace
