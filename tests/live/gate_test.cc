// The leak gate on goleak's own scenarios: what `weir test` and `weir exec` say of every package in
// tests/programs/goleak, held against the table beside them (tests/programs/goleak/expected.txt).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using test_support::Completed;
using Leaks = std::map<std::string, std::uint64_t>;

/// One row of expected.txt.
struct Row {
  std::string package;
  std::vector<std::string> flags;
  int code = 0;
  std::optional<Leaks> leaks;  ///< nothing: anything
};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

Row parse_row(const std::string& line) {
  std::istringstream stream(line);
  std::string cells[4];
  for (std::string& cell : cells) std::getline(stream, cell, '|');
  Row row{words_of(cells[0]).at(0), words_of(cells[1]), std::stoi(cells[2]), Leaks{}};
  for (const std::string& word : words_of(cells[3])) {
    if (word == "-") continue;
    if (word == "*") {
      row.leaks.reset();
      break;
    }
    const auto equals = word.rfind('=');
    (*row.leaks)[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
  }
  return row;
}

std::vector<Row> read_rows() {
  std::ifstream file(WEIR_SOURCE_DIR "/tests/programs/goleak/expected.txt");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') rows.push_back(parse_row(line));
  return rows;
}

/// Goroutines left behind, by test. "?": of no test, be it that weir cannot tell.
Leaks leaks_of(const nlohmann::json& program) {
  Leaks leaks;
  for (const auto& finding : program.at("findings")) {
    for (const auto& share : finding.at("tests")) {
      const std::string test = share.value("test", "?");
      leaks[test == "package init" ? "?" : test] += share.at("count").get<std::uint64_t>();
    }
  }
  return leaks;
}

class GateTest : public test_support::GoTest {};

TEST_P(GateTest, ExecSaysOfEachPackageWhatItMust) {
  WEIR_ASSERT_OK(const std::string module, test_support::stage_go_module(go(), "goleak"));
  const TemporaryFolder folder;
  for (const Row& row : read_rows()) {
    SCOPED_TRACE(row.package + " " + testing::PrintToString(row.flags));
    const std::string binary = folder / (row.package + ".test");
    if (!std::filesystem::exists(binary)) {
      WEIR_ASSERT_OK(const Completed built,
                     run_go(go(), module, {"test", "-c", "-o", binary, "./" + row.package}));
      ASSERT_EQ(built.exit.code, 0) << built.err;
    }
    const std::string report = folder / "report.json";
    std::vector<std::string> command = {WEIR_BINARY, "exec", "-json=" + report};
    command.insert(command.end(), row.flags.begin(), row.flags.end());
    command.insert(command.end(), {"--", binary});
    WEIR_ASSERT_OK(const Completed done, test_support::run(command));
    EXPECT_EQ(done.exit.code, row.code) << done.out << done.err;
    WEIR_ASSERT_OK(const nlohmann::json document, read_json(report));
    const auto& program = document.at("programs").at(0);
    EXPECT_EQ(program.value("not_checked", ""), "");
    const Leaks leaks = leaks_of(program);
    EXPECT_EQ(leaks, row.leaks.value_or(leaks)) << done.out << done.err;
  }
}

// All packages in one go, as a user has it. Rows with the same flags share a run.
TEST_P(GateTest, WeirTestSaysTheSame) {
  WEIR_ASSERT_OK(const std::string module, test_support::stage_go_module(go(), "goleak"));
  const TemporaryFolder folder;
  std::map<std::vector<std::string>, std::vector<Row>> runs;
  for (const Row& row : read_rows()) runs[row.flags].push_back(row);
  for (const auto& [flags, rows] : runs) {
    SCOPED_TRACE(testing::PrintToString(flags));
    const std::string report = folder / "report.json";
    std::vector<std::string> words = {"-weir.json=" + report};
    words.insert(words.end(), flags.begin(), flags.end());
    bool fails = false;
    for (const Row& row : rows) {
      words.push_back("./" + row.package);
      fails |= row.code != 0;
    }
    WEIR_ASSERT_OK(const Completed done, run_weir_test(go(), module, words));
    EXPECT_EQ(done.exit.code, fails ? 1 : 0) << done.out << done.err;
    WEIR_ASSERT_OK(const nlohmann::json document, read_json(report));
    std::map<std::string, nlohmann::json> programs;
    for (const auto& program : document.at("programs"))
      programs[program.at("package").get<std::string>()] = program;
    EXPECT_EQ(programs.size(), rows.size());
    for (const Row& row : rows) {
      SCOPED_TRACE(row.package);
      const std::string package = "weir.test/goleak/" + row.package;
      ASSERT_TRUE(programs.contains(package)) << document.dump(1);
      const Leaks leaks = leaks_of(programs[package]);
      EXPECT_EQ(leaks, row.leaks.value_or(leaks)) << done.err;
      // go test's own line for the package is there, and says the same as the code.
      EXPECT_THAT(done.out, testing::HasSubstr((row.code == 0 ? "ok  \t" : "FAIL\t") + package))
          << done.err;
    }
  }
}

TEST(GateTable, HasEveryPackage) {
  std::set<std::string> tabled;
  for (const Row& row : read_rows()) tabled.insert(row.package);
  std::set<std::string> there;
  for (const auto& entry :
       std::filesystem::directory_iterator(WEIR_SOURCE_DIR "/tests/programs/goleak"))
    if (entry.is_directory()) there.insert(entry.path().filename().string());
  EXPECT_EQ(tabled, there);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GateTest);
INSTANTIATE_TEST_SUITE_P(, GateTest, testing::ValuesIn(ends_of_go()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
