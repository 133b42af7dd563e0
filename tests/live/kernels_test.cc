// A few of the Go toolchain's own leak kernels (bench/kernels runs all of them): weir must find
// every leak that manifested.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using test_support::Completed;

TEST(Kernels, NoLeakThatManifestedIsMissed) {
  const auto go = test_support::find_newest_go_toolchain();
  const std::string kernels = "/src/runtime/testdata/testgoroutineleakprofile";
  if (!go || !std::filesystem::exists(go->root + kernels))
    WEIR_SKIP("no Go with the leak kernels (1.26 or later, with its tests)");
  const std::string only =
      "^(NoCloseRange|DoubleSend|Timeout|NilRecv|SelectNoCases|WaitGroup|MutexHeap|RWMutexLock|"
      "Cond|Cockroach1055|Cockroach35073|Etcd7492|Grpc3017|Kubernetes58107|Moby21233|Serving2137)$";
  WEIR_ASSERT_OK(const Completed done, run_go(*go, WEIR_SOURCE_DIR "/bench/kernels",
                                              {"run", ".", "-weir", WEIR_BINARY, "-go", go->go(),
                                               "-runs", "1", "-only", only}));
  EXPECT_EQ(done.exit.code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, testing::HasSubstr("sum of 16 "));
}

}  // namespace
}  // namespace weir::live
