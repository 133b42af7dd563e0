// `weir schedtrace` on a program of every Go version.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using nlohmann::json;
using test_support::Completed;

class SchedTraceTest : public test_support::GoTest {};

TEST_P(SchedTraceTest, ReportsAndPassesEverythingThrough) {
  WEIR_BUILD_GO(program, go(), "schedcmd.go");
  for (const bool detail : {false, true}) {
    std::vector<std::string> command{WEIR_BINARY, "schedtrace", "-every", "20ms", "-json"};
    if (detail) command.emplace_back("-detail");
    command.insert(command.end(), {"--", program});
    WEIR_ASSERT_OK(const Completed done, test_support::run(command, {}));
    EXPECT_EQ(done.exit.code, 3) << done.err;
    EXPECT_THAT(done.err, testing::StartsWith("own line\n"));
    EXPECT_THAT(done.err, testing::Not(testing::HasSubstr("SCHED ")));
    EXPECT_THAT(done.err, testing::Not(testing::HasSubstr("status=")));
    const json report = json::parse(done.out, nullptr, false);
    ASSERT_FALSE(report.is_discarded()) << done.out;
    EXPECT_EQ(report.at("schema"), "weir.schedtrace/1");
    EXPECT_EQ(report.at("detailed"), detail);
    EXPECT_EQ(report.at("gomaxprocs"), 2);
    EXPECT_GT(report.at("samples_seen"), 2);
    // 50 goroutines never stop, and two run.
    EXPECT_GE(report.at("run_queue").at("most").get<int>() +
                  report.at("local_queues").at("most").get<int>(),
              40);
    if (detail) {
      EXPECT_FALSE(report.at("samples").back().at("waiting_for").empty());
    }
  }
}

TEST_P(SchedTraceTest, IsToldByWeirTest) {
  WEIR_ASSERT_OK(const std::string module, test_support::stage_go_module(go(), "gatesched"));
  const TemporaryFolder folder;
  WEIR_ASSERT_OK(const Completed done, run_weir_test(go(), module,
                                                     {"-schedtrace", "20", "-weir.json",
                                                      folder / "r.json", "./busy", "./pointers"}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;  // too few CPUs is no fault of the program
  EXPECT_THAT(done.out + done.err, testing::Not(testing::HasSubstr("SCHED ")));
  EXPECT_THAT(done.err, testing::ContainsRegex("weir: .*/busy: scheduler: [0-9]+ samples over "));
  EXPECT_THAT(done.err, testing::HasSubstr("  starved from "));
  WEIR_ASSERT_OK(const json report, read_json(folder / "r.json"));
  for (const json& program : report.at("programs")) {
    if (!program.at("package").get<std::string>().ends_with("/busy")) continue;
    EXPECT_GT(program.at("scheduler").at("samples_seen"), 3);
    EXPECT_EQ(program.at("scheduler").at("gomaxprocs"), 2);
    EXPECT_FALSE(program.contains("pointer_fault"));
  }
}

WEIR_FOR_EACH_GO(SchedTraceTest);

/// Of one toolchain: what it says.
void check_pointers(const test_support::GoToolchain& go) {
  WEIR_ASSERT_OK(const std::string module, test_support::stage_go_module(go, "gatesched"));
  const TemporaryFolder folder;
  WEIR_ASSERT_OK(const Completed without, run_weir_test(go, module, {"./pointers"}));
  EXPECT_EQ(without.exit.code, 0) << without.out << without.err;
  WEIR_ASSERT_OK(const Completed done,
                 run_weir_test(go, module,
                               {"-checkptr", "-junit", folder / "r.xml", "-weir.json",
                                folder / "r.json", "./pointers"}));
  EXPECT_EQ(done.exit.code, 1) << done.out << done.err;
  EXPECT_THAT(done.out, testing::HasSubstr("own line\n"));
  EXPECT_THAT(done.out, testing::HasSubstr("fatal error: checkptr: converted pointer straddles"));
  EXPECT_THAT(done.err, testing::ContainsRegex(
                            "weir: .*/pointers: unsafe pointer: checkptr: converted pointer "
                            "straddles multiple allocations\n    at: +[^ ]*pointers.widen"));
  WEIR_ASSERT_OK(const json report, read_json(folder / "r.json"));
  const json& fault = report.at("programs")[0].at("pointer_fault");
  EXPECT_THAT(fault.at("stack")[0].at("function").get<std::string>(),
              testing::EndsWith("pointers.widen"));
  EXPECT_EQ(fault.at("stack")[0].at("line"), 14);
  WEIR_ASSERT_OK(const std::string xml, read_text(folder / "r.xml"));
  EXPECT_THAT(xml, testing::HasSubstr("type=\"checkptr\""));
  WEIR_ASSERT_OK(const Completed twice,
                 run_weir_test(go, module, {"-checkptr", "-gcflags=all=-l", "./pointers"}));
  EXPECT_EQ(twice.exit.code, 2);
  EXPECT_THAT(twice.err, testing::HasSubstr("of which go test takes one"));
}

// Only of the oldest and the newest: each builds Go's own packages anew.
TEST(CheckPointers, AreToldByWeirTest) {
  const auto toolchains = ends_of_go();
  if (toolchains.empty()) WEIR_SKIP("no Go here");
  for (const test_support::GoToolchain& go : toolchains) {
    SCOPED_TRACE(go.version);
    check_pointers(go);
  }
}

}  // namespace
}  // namespace weir::live
