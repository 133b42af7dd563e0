// `weir dump` from the command line: every kind of source, every output, and bad input.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"
#include "weir/dump/goroutine_text.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using test_support::Child;
using test_support::Completed;

constexpr int parked_count = 300;
constexpr int all_count = parked_count + 2;  // main, and os/signal's loop

Result<Completed> weir(std::vector<std::string> args,
                       const test_support::ChildOptions& options = {}) {
  args.insert(args.begin(), WEIR_BINARY);
  return test_support::run(args, options);
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++found;
  return found;
}

/// A running program with `parked_count` parked goroutines, and a folder for files.
class DumpTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_BUILD_GO(program, go(), "parked", {.ldflags = "-s -w"});
    program_ = program;
    auto child = Child::start({program, "-n", std::to_string(parked_count), "-kinds"});
    ASSERT_TRUE(child.has_value()) << to_string(child.error());
    child_.emplace(std::move(*child));
    ASSERT_TRUE(child_->wait_for_line("ready").has_value());
    pid_ = std::to_string(child_->pid());
    std::string folder = (fs::temp_directory_path() / "weir-dump-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  std::string file(const char* name) const { return (folder_ / name).string(); }

  std::string program_, pid_;
  std::optional<Child> child_;
  fs::path folder_;
};

TEST_P(DumpTest, TextIsGosOwn) {
  WEIR_ASSERT_OK(const Completed done, weir({"dump", pid_}));
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_EQ(count(done.out, "\ngoroutine ") + 1, std::size_t{all_count})
      << done.out.substr(0, 2000);
  EXPECT_NE(done.err.find("stopped "), std::string::npos) << done.err;
  EXPECT_NE(done.out.find("main.descend("), std::string::npos);
  EXPECT_EQ(done.out.find('\x1b'), std::string::npos) << "colour into a pipe";
}

TEST_P(DumpTest, RecordingDecodesToTheSame) {
  WEIR_ASSERT_OK(const Completed live, weir({"dump", "-json", "-o", file("a.weir"), pid_}));
  ASSERT_EQ(live.exit.code, 0) << live.err;
  child_.reset();  // the process is not needed any more
  WEIR_ASSERT_OK(const Completed again, weir({"dump", "-json", file("a.weir")}));
  ASSERT_EQ(again.exit.code, 0) << again.err;
  auto first = nlohmann::json::parse(live.out);
  auto second = nlohmann::json::parse(again.out);
  for (auto* one : {&first, &second}) {
    (*one)["source"].erase("kind");
    (*one)["source"].erase("name");
  }
  EXPECT_EQ(first, second);
}

TEST_P(DumpTest, ProfileIsReadByGosPprof) {
  WEIR_ASSERT_OK(const Completed done, weir({"dump", "-pprof", file("p.pb.gz"), pid_}));
  ASSERT_EQ(done.exit.code, 0) << done.err;
  WEIR_ASSERT_OK(const Completed top, test_support::run({go().go(), "tool", "pprof", "-top",
                                                         "-nodecount=1000", file("p.pb.gz")}));
  ASSERT_EQ(top.exit.code, 0) << top.err;
  EXPECT_NE(top.out.find("Type: goroutine"), std::string::npos) << top.out;
  EXPECT_NE(top.out.find(fmt::format("{} total", all_count)), std::string::npos) << top.out;
  EXPECT_NE(top.out.find("main.descend"), std::string::npos) << top.out;
}

TEST_P(DumpTest, LightSeesTheSameParkedGoroutines) {
  WEIR_ASSERT_OK(const Completed full, weir({"dump", pid_}));
  WEIR_ASSERT_OK(const Completed light, weir({"dump", "-light", pid_}));
  EXPECT_EQ(full.out, light.out);
}

TEST_P(DumpTest, CutRecordingsAreRefusedInOneLine) {
  WEIR_ASSERT_OK(const Completed made, weir({"dump", "-o", file("a.weir"), pid_}));
  ASSERT_EQ(made.exit.code, 0) << made.err;
  const std::string whole = read_file(file("a.weir"));
  ASSERT_GT(whole.size(), 1000u);
  for (std::size_t part = 0; part < 16; ++part) {
    std::ofstream(file("cut.weir"), std::ios::binary) << whole.substr(0, whole.size() * part / 16);
    WEIR_ASSERT_OK(const Completed cut, weir({"dump", file("cut.weir")}));
    EXPECT_EQ(cut.exit.code, 2) << part;
    EXPECT_EQ(cut.out, "") << part;
    EXPECT_EQ(count(cut.err, "\n"), 1u) << cut.err;
  }
}

TEST_P(DumpTest, WritesIntoDevicesAndThroughLinks) {
  std::ofstream(file("real.weir")) << "old";
  fs::create_symlink("real.weir", file("link.weir"));
  for (const std::string& to : {std::string("/dev/null"), file("link.weir")}) {
    WEIR_ASSERT_OK(const Completed done, weir({"dump", "-o", to, pid_}));
    EXPECT_EQ(done.exit.code, 0) << done.err;
  }
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_symlink(file("link.weir")));
}

TEST_P(DumpTest, DamagedRecordingsAreRefused) {
  WEIR_ASSERT_OK(const Completed made, weir({"dump", "-o", file("a.weir"), pid_}));
  std::string damaged = read_file(file("a.weir"));
  damaged[damaged.size() / 2] ^= 0x40;
  std::ofstream(file("b.weir"), std::ios::binary) << damaged;
  WEIR_ASSERT_OK(const Completed done, weir({"dump", file("b.weir")}));
  EXPECT_EQ(done.exit.code, 2);
  // Which bytes are in the middle differs: zstd sees by itself, or by its checksum.
  EXPECT_NE(done.err.find("of the recording is damaged: "), std::string::npos) << done.err;
}

TEST_P(DumpTest, StartsAProgram) {
  WEIR_ASSERT_OK(const Completed done,
                 weir({"dump", "-after", "500ms", "--", program_, "-n", "7"}));
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_NE(done.out.find("goroutine 1 ["), std::string::npos) << done.out;
  WEIR_ASSERT_OK(const Completed ended, weir({"dump", "-after", "5s", "--", "/bin/true"}));
  EXPECT_EQ(ended.exit.code, 2);
  EXPECT_NE(ended.err.find("ended before"), std::string::npos) << ended.err;
}

TEST_P(DumpTest, ReadsAProgramWhoseFileIsGone) {
  const fs::path copy = folder_ / "gone";
  fs::copy_file(program_, copy);
  WEIR_ASSERT_OK(Child child, Child::start({copy.string(), "-n", "5"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  fs::remove(copy);
  WEIR_ASSERT_OK(const Completed done, weir({"dump", std::to_string(child.pid())}));
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_EQ(count(done.out, "main.descend("), 25u) << done.out;
}

TEST_P(DumpTest, LeavesAStoppedProgramStopped) {
  ASSERT_TRUE(child_->signal(SIGSTOP));
  const auto state = [&] {
    std::ifstream stat("/proc/" + pid_ + "/stat");
    std::string pid, name, word;
    stat >> pid >> name >> word;
    return word;
  };
  while (state() != "T") usleep(1000);
  WEIR_ASSERT_OK(const Completed done, weir({"dump", pid_}));
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_EQ(count(done.out, "\ngoroutine ") + 1, std::size_t{all_count});
  EXPECT_EQ(state(), "T");
}

TEST_P(DumpTest, SaysWhoIsInTheWay) {
  WEIR_ASSERT_OK(
      const Completed as_nobody,
      test_support::run({"setpriv", "--reuid=65534", "--clear-groups", WEIR_BINARY, "dump", pid_}));
  if (geteuid() != 0 || as_nobody.err.find("setpriv:") != std::string::npos)
    WEIR_SKIP("needs root and setpriv to become another user");
  EXPECT_EQ(as_nobody.exit.code, 2);
  EXPECT_EQ(as_nobody.out, "");
  EXPECT_NE(as_nobody.err.find(pid_), std::string::npos) << as_nobody.err;
  EXPECT_EQ(count(as_nobody.err, "\n"), 1u) << as_nobody.err;
}

// Without Go: the command line alone.
TEST(DumpCommand, BadInputIsOneClearError) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"dump"}, "no process"},
      {{"dump", "-nosuch", "1"}, "unknown flag -nosuch"},
      {{"dump", "-max-stop", "soon", "1"}, "no duration"},
      {{"dump", "1", "2"}, "one process"},
      {{"dump", "4194304"}, "4194304"},
      {{"dump", "/nowhere"}, "neither a process"},
      {{"dump", "/etc/passwd"}, "not a weir recording"},
      {{"dump", "-o", "/dev/null", "/etc/passwd"}, "recording already"},
      {{"dump", std::to_string(getpid())}, "not a Go program"},
  };
  for (const auto& [args, words] : cases) {
    WEIR_ASSERT_OK(const Completed done, weir(args));
    EXPECT_EQ(done.exit.code, 2) << words;
    EXPECT_EQ(done.out, "") << words;
    EXPECT_NE(done.err.find(words), std::string::npos) << done.err;
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DumpTest);
// The formats are the same for all versions; the oracle test has all of them.
INSTANTIATE_TEST_SUITE_P(, DumpTest, testing::ValuesIn(ends_of_go()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
