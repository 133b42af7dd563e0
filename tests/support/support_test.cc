#include <elf.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/support/go_test_case.h"

namespace weir::test_support {
namespace {

TEST(GoVersion, TakesApartWhatVersionFilesSay) {
  const auto release = parse_go_version("go1.26.8");
  ASSERT_TRUE(release);
  EXPECT_EQ(release->minor, 26);
  EXPECT_EQ(release->patch, 8);
  EXPECT_EQ(release->test_name(), "go1_26_8");
  EXPECT_EQ(parse_go_version("go1.27rc1")->version, "1.27rc1");
  EXPECT_EQ(parse_go_version("go1.27 X:none")->version, "1.27");
  EXPECT_FALSE(parse_go_version("devel go1.27-abc"));
  EXPECT_FALSE(parse_go_version("go1."));
}

TEST(Child, GivesItsOutputAndExit) {
  WEIR_ASSERT_OK(const Completed done, run({"sh", "-c", "echo a; echo b >&2; exit 7"}));
  EXPECT_EQ(done.out, "a\n");
  EXPECT_EQ(done.err, "b\n");
  EXPECT_EQ(to_string(done.exit), "exit 7");
}

TEST(Child, TakesMoreOutputThanAPipeHolds) {
  WEIR_ASSERT_OK(const Completed done, run({"head", "-c", "1000000", "/dev/zero"}));
  EXPECT_EQ(done.out.size(), 1000000u);
}

TEST(Child, WaitsForALineAndDeliversSignals) {
  WEIR_ASSERT_OK(Child child,
                 Child::start({"sh", "-c", "echo first; echo ready now; exec sleep 1000"}));
  WEIR_ASSERT_OK(const std::string line, child.wait_for_line("ready"));
  EXPECT_EQ(line, "ready now");
  EXPECT_TRUE(child.running());
  ASSERT_TRUE(child.signal(SIGTERM));
  WEIR_ASSERT_OK(const ExitStatus exit, child.wait());
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_FALSE(child.running());
}

TEST(Child, SaysWhatItSawWhenTheLineNeverComes) {
  WEIR_ASSERT_OK(Child child, Child::start({"sh", "-c", "echo other; echo why >&2"}));
  const auto line = child.wait_for_line("ready");
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, ErrorCode::gone);
  EXPECT_NE(line.error().what.find("other"), std::string::npos);
  EXPECT_NE(line.error().what.find("why"), std::string::npos);
}

TEST(Child, TimesOutOnALineAndOnTheEnd) {
  WEIR_ASSERT_OK(Child child, Child::start({"sleep", "1000"}));
  EXPECT_EQ(child.wait_for_line("ready", Seconds(0.05)).error().code, ErrorCode::limit);
  EXPECT_EQ(child.wait(Seconds(0.05)).error().code, ErrorCode::limit);
}

TEST(Child, SetsEnvironmentDirectoryAndStdin) {
  WEIR_ASSERT_OK(Child child, Child::start({"sh", "-c", "echo $A-$HOME-$(pwd); cat"},
                                           {.environment = {"A=1", "HOME"}, .directory = "/"}));
  ASSERT_TRUE(child.write("hello\n"));
  child.close_stdin();
  WEIR_ASSERT_OK(const ExitStatus exit, child.wait());
  EXPECT_EQ(exit.code, 0);
  EXPECT_EQ(child.out(), "1--/\nhello\n");
}

TEST(Child, NamesAProgramThatIsNotThere) {
  const auto child = Child::start({"weir-no-such-program"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, ErrorCode::not_found);
}

class BuildTest : public GoTest {};

TEST_P(BuildTest, BuildsAndRuns) {
  WEIR_BUILD_GO(program, go(), "hello.go");
  WEIR_ASSERT_OK(const Completed done, run({program}));
  EXPECT_EQ(done.out, "hello from go" + go().version + "\n");
  WEIR_ASSERT_OK(const std::string again, build_go_program(go(), "hello.go"));
  EXPECT_EQ(again, program);
}

TEST_P(BuildTest, StripsSectionHeadersAndTheProgramStillRuns) {
  WEIR_BUILD_GO(program, go(), "hello.go",
                {.ldflags = "-s -w", .pie = true, .strip_sections = true});
  Elf64_Ehdr header;
  std::ifstream(program, std::ios::binary).read(reinterpret_cast<char*>(&header), sizeof header);
  EXPECT_EQ(header.e_shoff, 0u);
  EXPECT_EQ(header.e_type, ET_DYN);
  WEIR_ASSERT_OK(const Completed done, run({program}));
  EXPECT_EQ(done.exit.code, 0);
}

WEIR_FOR_EACH_GO(BuildTest);

TEST(BuildErrors, CarryTheCompilersWords) {
  const auto go = find_newest_go_toolchain();
  if (!go) WEIR_SKIP("no Go toolchain");
  const auto missing = build_go_program(*go, "no-such-program");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  const std::string broken = testing::TempDir() + "/weir_broken.go";
  std::ofstream(broken) << "package main\nfunc main() { undefinedThing() }\n";
  const auto result = build_go_program(*go, broken);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("undefinedThing"), std::string::npos);
}

}  // namespace
}  // namespace weir::test_support
