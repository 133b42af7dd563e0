#include "weir/report/why_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace weir::report {
namespace {

using model::CodePlace;
using model::ProofVerdict;
using testing::HasSubstr;
using testing::Not;

/// Goroutines 10 to 29 leaked in one place, 30 in another; 40 to 43 held by one variable, 44 by
/// another one.
model::WhyReport leaky() {
  model::WhyReport report;
  report.source.name = "pid 7";
  report.proof.emplace();
  const auto add = [&](std::uint64_t id, const char* function, ProofVerdict verdict,
                       std::vector<std::string> path) {
    report.goroutines.push_back({Goid{id}, "chan send", CodePlace{function, "/src/a.go", 5},
                                 CodePlace{"main.main", "/src/a.go", 9}});
    report.proof->goroutines.push_back({Goid{id}, verdict, "a reason", std::move(path)});
  };
  for (std::uint64_t id = 10; id < 30; ++id) add(id, "main.send", ProofVerdict::proved, {});
  add(30, "main.other", ProofVerdict::proved, {});
  for (std::uint64_t id = 40; id < 44; ++id)
    add(id, "main.send", ProofVerdict::held,
        {"global main.one", fmt::format("{:#x} (8 bytes)", id)});
  add(44, "main.send", ProofVerdict::held, {"global main.two"});
  return report;
}

WhyOptions below_src() {
  WhyOptions options;
  options.root = "/src";
  return options;
}

TEST(WhyText, TellsGoroutinesThatLeakAlikeOnce) {
  const std::string text = render_why(leaky(), below_src());
  EXPECT_THAT(text, HasSubstr("21 proved leaked, 5 held, 0 to which this does not apply\n"));
  EXPECT_THAT(text, HasSubstr("leaked [proved]: 20 goroutines (main.send  a.go:5)\n"
                              "    waits: chan send\n"
                              "    created by main.main  a.go:9\n"
                              "    because a reason\n"
                              "    goroutines 10, 11, 12, 13, 14, 15, 16, 17 and 12 more (-json "
                              "lists all)\n"));
  EXPECT_THAT(text, HasSubstr("leaked [proved]: goroutine 30 (main.other  a.go:5)\n"));
}

TEST(WhyText, TellsGoroutinesThatAreHeldByTheSameOnce) {
  const std::string text = render_why(leaky(), below_src());
  EXPECT_THAT(text, HasSubstr("held: 4 goroutines (main.send  a.go:5)\n"
                              "    because a reason\n"
                              "    global main.one\n"
                              "      -> 0x28 (8 bytes)\n"
                              "    goroutines 40, 41, 42, 43\n"));
  EXPECT_THAT(text, HasSubstr("held: goroutine 44 (main.send  a.go:5)\n"));
}

TEST(WhyText, SaysHowManyAreLeftOut) {
  WhyOptions options = below_src();
  options.top = 1;
  const std::string text = render_why(leaky(), options);
  EXPECT_THAT(text, HasSubstr("held: 4 goroutines"));
  EXPECT_THAT(text, Not(HasSubstr("held: goroutine 44")));
  EXPECT_THAT(text, HasSubstr("1 more that is held (-top 0 shows all)\n"));
  EXPECT_THAT(text, HasSubstr("leaked [proved]: goroutine 30")) << "leaks are always all told";
}

TEST(WhyText, WritesJsonInPiecesThatMakeOne) {
  model::WhyReport report = leaky();
  report.goroutines.assign(30'000, report.goroutines.front());
  std::string all;
  std::size_t pieces = 0;
  write_why_json(report, [&](std::string_view text) {
    ++pieces;
    all += text;
  });
  EXPECT_GT(pieces, 1u);
  EXPECT_TRUE(all.starts_with(R"({"schema":"weir.why/1",)"));
  EXPECT_TRUE(all.ends_with("}\n"));
  EXPECT_EQ(std::count(all.begin(), all.end(), '{'), std::count(all.begin(), all.end(), '}'));
  EXPECT_THAT(all, HasSubstr(R"("proof":{"scanned_bytes":0,"goroutines":[{"goroutine":10,)"));
}

}  // namespace
}  // namespace weir::report
