// `weir schedtrace` on a program of every Go version.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

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

WEIR_FOR_EACH_GO(SchedTraceTest);

}  // namespace
}  // namespace weir::live
