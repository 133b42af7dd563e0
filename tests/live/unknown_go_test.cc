// Programs of a Go release that weir has no table row for. They are real ones whose version string
// was overwritten, so what is right is known: what the untouched program gives.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using test_support::Child;
using test_support::Completed;

class UnknownGoTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "weir-unknown-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  /// A copy of `program` that says it is of release `version`, as long as the true one.
  std::string relabel(const std::string& program, const std::string& version) const {
    std::ifstream in(program, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    std::string bytes = text.str();
    const std::string own = "go" + go().version;
    EXPECT_EQ(own.size(), version.size());
    for (auto at = bytes.find(own); at != bytes.npos; at = bytes.find(own, at + 1))
      bytes.replace(at, own.size(), version);
    const fs::path path = folder_ / ("parked-" + version);
    std::ofstream(path, std::ios::binary) << bytes;
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }

  /// The same minor, but no release that there is: patch 99, or "go1.26-8" where that is too long.
  std::string unheard_of() const {
    const std::string minor = fmt::format("go1.{}", go().minor);
    return minor + (go().patch > 9 ? ".99" : fmt::format("-{}", go().patch));
  }

  Completed dump(const std::string& program, const std::vector<std::string>& flags = {}) {
    auto child = Child::start({program, "-n", "50", "-kinds"});
    EXPECT_TRUE(child.has_value());
    EXPECT_TRUE(child->wait_for_line("ready").has_value());
    std::vector<std::string> args{WEIR_BINARY, "dump"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(std::to_string(child->pid()));
    auto done = test_support::run(args, {});
    EXPECT_TRUE(done.has_value());
    return std::move(*done);
  }

  fs::path folder_;
};

std::size_t goroutines_in(const std::string& text) {
  std::size_t found = text.starts_with("goroutine ") ? 1 : 0;
  for (auto at = text.find("\ngoroutine "); at != text.npos; at = text.find("\ngoroutine ", at + 1))
    ++found;
  return found;
}

constexpr std::size_t all_goroutines = 52;  // 50, main, and os/signal's loop

TEST_P(UnknownGoTest, AnotherPatchIsReadWithItsNeighboursLayoutAndSaysSo) {
  WEIR_BUILD_GO(program, go(), "parked", {.ldflags = "-s -w"});
  const std::string recording = (folder_ / "x.weir").string();
  const Completed live = dump(relabel(program, unheard_of()), {"-o", recording});
  EXPECT_EQ(live.exit.code, 0) << live.err;
  WEIR_ASSERT_OK(const Completed read, test_support::run({WEIR_BINARY, "dump", recording}, {}));
  EXPECT_EQ(read.exit.code, 0) << read.err;
  EXPECT_EQ(goroutines_in(read.out), all_goroutines) << read.out.substr(0, 2000);
  for (const std::string& said : {live.err, read.err}) {
    EXPECT_NE(said.find("does not know the runtime of " + unheard_of()), said.npos) << said;
    EXPECT_NE(said.find(fmt::format("with the layout of go1.{}.", go().minor)), said.npos) << said;
  }
}

TEST_P(UnknownGoTest, ForeignMinorIsReadByItsDwarf) {
  WEIR_BUILD_GO(program, go(), "parked");
  const std::string foreign = "go1.3" + std::string(go().version.size() - 3, '3');
  const std::string recording = (folder_ / "x.weir").string();
  const Completed live = dump(relabel(program, foreign), {"-o", recording});
  // The symbol tables have a form for each minor too, so the newest only is sure to be read; what
  // matters is that anything else is refused in one sentence.
  if (live.exit.code != 0) {
    EXPECT_NE(live.err.find(foreign), live.err.npos) << live.err;
    EXPECT_EQ(goroutines_in(live.out), 0u);
    return;
  }
  WEIR_ASSERT_OK(const Completed read, test_support::run({WEIR_BINARY, "dump", recording}, {}));
  EXPECT_EQ(goroutines_in(read.out), all_goroutines) << read.err;
  EXPECT_NE(read.err.find("the program's own DWARF"), read.err.npos) << read.err;
}

// A stripped program of an older Go that claims to be a future one: the newest layout is tried.
TEST_P(UnknownGoTest, WhatDoesNotFitIsRefused) {
  WEIR_BUILD_GO(program, go(), "parked", {.ldflags = "-s -w"});
  const std::string foreign = "go1.3" + std::string(go().version.size() - 3, '3');
  const Completed done = dump(relabel(program, foreign));
  if (go().minor >= 26 && done.exit.code == 0) {  // near enough for all that a dump reads
    EXPECT_EQ(goroutines_in(done.out), all_goroutines);
    return;
  }
  EXPECT_EQ(done.exit.code, 2) << done.err;
  EXPECT_EQ(goroutines_in(done.out), 0u) << "never nonsense";
  EXPECT_NE(done.err.find(foreign), done.err.npos) << done.err;
}

WEIR_FOR_EACH_GO(UnknownGoTest);

}  // namespace
}  // namespace weir::live
