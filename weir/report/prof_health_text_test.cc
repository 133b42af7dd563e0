#include "weir/report/prof_health_text.h"

#include <gtest/gtest.h>

namespace weir::report {
namespace {

TEST(ClusterText, BarsOfAllValuesHaveOneScale) {
  model::ClusterReport report;
  report.label = "tenant";
  report.type = "cpu";
  report.unit = "nanoseconds";
  report.total = 15'000'000;
  report.rows.resize(3);
  report.rows[0] = {"a", 12'000'000, 3, {}, {{"app.f", 8'000'000}, {"app.g", 1'000'000}}};
  report.rows[1] = {"b", 3'000'000, 1, {}, {{"app.f", 2'000'000}}};
  report.rows[2] = {"", 0, 1, {}, {{"app.h", -4'000'000}}};
  EXPECT_EQ(render_cluster(report, {}),
            "cpu by label tenant: 15ms in all\n"
            "     value  share  samples                tenant\n"
            "      12ms 80.00%        3  ████████████  a\n"
            "                            ████████████     8ms  app.f\n"
            "                            █▌               1ms  app.g\n"
            "       3ms 20.00%        1  ███           b\n"
            "                            ███              2ms  app.f\n"
            "         0     0%        1                (without)\n"
            "                            ██████          -4ms  app.h\n");
}

}  // namespace
}  // namespace weir::report
