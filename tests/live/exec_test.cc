// `weir exec -- PROGRAM`: the program's exit code, signals, input and output are its own, and what
// it leaves behind is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <cctype>
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/live/gate_run.h"
#include "tests/support/go_test_case.h"

namespace weir::live {
namespace {

using test_support::Child;
using test_support::ChildOptions;
using test_support::Completed;
using test_support::ExitStatus;
using testing::HasSubstr;

constexpr const char* program_source = "underexec.go";

class ExecTest : public test_support::GoTest {
 protected:
  static Result<Completed> exec(const std::vector<std::string>& flags,
                                const std::vector<std::string>& argv,
                                const std::vector<std::string>& environment = {}) {
    std::vector<std::string> command = {WEIR_BINARY, "exec"};
    command.insert(command.end(), flags.begin(), flags.end());
    command.emplace_back("--");
    command.insert(command.end(), argv.begin(), argv.end());
    ChildOptions options;
    options.environment = environment;
    for (const char* name : {"WEIR", "WEIR_SETTLE", "GOLEAK_SKIP", "GITHUB_ACTIONS"})
      options.environment.emplace_back(name);
    return test_support::run(command, options);
  }
};

TEST_P(ExecTest, KeepsExitCodes) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  for (const int code : {0, 1, 2, 3, 77, 255}) {
    for (const char* how : {"exit", "exitelsewhere"}) {
      WEIR_ASSERT_OK(const Completed done, exec({}, {program, how, std::to_string(code)}));
      EXPECT_EQ(done.exit, (ExitStatus{code, 0, false})) << how << "\n" << done.err;
      EXPECT_EQ(done.out + done.err, "");
    }
  }
}

TEST_P(ExecTest, KeepsDeathsBySignal) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  for (const int signal : {SIGKILL, SIGTERM, SIGHUP, SIGINT}) {
    WEIR_ASSERT_OK(const Completed done, exec({}, {program, "die", std::to_string(signal)}));
    EXPECT_EQ(done.exit.signal, signal) << to_string(done.exit) << "\n" << done.err;
  }
}

TEST_P(ExecTest, LeavesInputAndOutputAlone) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7);
  WEIR_ASSERT_OK(Child child, Child::start({WEIR_BINARY, "exec", "--", program, "echo"}));
  ASSERT_TRUE(child.write(bytes));
  child.close_stdin();
  WEIR_ASSERT_OK(const ExitStatus exit, child.wait());
  EXPECT_EQ(exit.code, 0) << child.err();
  EXPECT_TRUE(child.out() == bytes) << child.out().size() << " of " << bytes.size();
  EXPECT_EQ(child.err(), "begins\nends\n");
}

// Ctrl-C reaches weir and the program; `kill` reaches weir alone. Either way the program gets one.
TEST_P(ExecTest, EachSignalComesOnce) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  for (const bool terminal : {true, false}) {
    SCOPED_TRACE(terminal ? "to the group" : "to weir");
    ChildOptions options;
    options.own_process_group = true;
    WEIR_ASSERT_OK(Child child,
                   Child::start({WEIR_BINARY, "exec", "--", program, "count"}, options));
    WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready "));
    const pid_t own = std::stoi(ready.substr(6));
    ASSERT_EQ(kill(terminal ? -child.pid() : child.pid(), SIGINT), 0);
    WEIR_ASSERT_OK(const std::string got, child.wait_for_line("got "));
    EXPECT_EQ(got, "got interrupt");
    ASSERT_EQ(kill(child.pid(), SIGTERM), 0);
    WEIR_ASSERT_OK(const std::string again, child.wait_for_line("got terminated"));
    ASSERT_EQ(kill(own, SIGUSR2), 0);
    WEIR_ASSERT_OK(const ExitStatus exit, child.wait());
    EXPECT_EQ(exit.code, 42) << child.out() << child.err();
  }
}

TEST_P(ExecTest, TellsWhatIsLeftBehind) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  const TemporaryFolder folder;
  const std::string report = folder / "report.json";
  const std::pair<std::vector<std::string>, int> ways[] = {
      {{program, "leak"}, 1},
      {{program, "leakexit", "0"}, 1},
      {{program, "leakexit", "9"}, 9},
      {{program, "again", "leak"}, 1},
  };
  for (const auto& [argv, code] : ways) {
    SCOPED_TRACE(testing::PrintToString(argv));
    WEIR_ASSERT_OK(const Completed done, exec({"-json=" + report}, argv));
    EXPECT_EQ(done.exit.code, code) << done.err;
    EXPECT_THAT(done.err, HasSubstr("select {}"));
    WEIR_ASSERT_OK(const nlohmann::json document, read_json(report));
    EXPECT_EQ(document.at("schema"), "weir.test/1");
    EXPECT_EQ(document.at("exit_code"), code);
    ASSERT_EQ(document.at("findings"), 1);
    const auto& finding = document.at("programs").at(0).at("findings").at(0);
    EXPECT_EQ(finding.at("verdict"), "leaked");
    EXPECT_EQ(finding.at("cause").at("code"), "select-empty");
    EXPECT_EQ(finding.at("created").at("function"), "main.leak");
  }
}

TEST_P(ExecTest, OffIsAsIfWeirWereNotThere) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  for (const char* off : {"WEIR=off", "GOLEAK_SKIP=1"}) {
    WEIR_ASSERT_OK(const Completed done, exec({}, {program, "tracer"}, {off}));
    EXPECT_EQ(done.out, "0\n") << done.err;
    WEIR_ASSERT_OK(const Completed leak, exec({}, {program, "leak"}, {off}));
    EXPECT_EQ(leak.exit.code, 0);
    EXPECT_EQ(leak.err, "");
  }
  WEIR_ASSERT_OK(const Completed on, exec({}, {program, "tracer"}));
  EXPECT_NE(on.out, "0\n");
}

TEST_P(ExecTest, EndsAStuckProgram) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  WEIR_ASSERT_OK(const Completed done, exec({"-stuck-after=1s"}, {program, "stuck"}));
  EXPECT_EQ(done.exit, (ExitStatus{2, 0, false})) << done.err;
  EXPECT_THAT(done.err, HasSubstr("Nothing in the process can make progress"));
  EXPECT_THAT(done.err, HasSubstr("sync.WaitGroup 0x"));
  EXPECT_THAT(done.err, HasSubstr("SIGQUIT: quit"));  // Go's own goroutines come after it
}

TEST_P(ExecTest, ExplainsAllGoroutinesAsleep) {
  WEIR_BUILD_GO(program, go(), "asleep.go", {});
  WEIR_ASSERT_OK(const Completed alone, test_support::run({program}));
  WEIR_ASSERT_OK(const Completed done, exec({}, {program}));
  EXPECT_EQ(done.exit, alone.exit);
  EXPECT_THAT(done.err, HasSubstr("fatal error: all goroutines are asleep - deadlock!"));
  EXPECT_THAT(done.err, HasSubstr("Nothing in the process can make progress"));
  EXPECT_THAT(done.err, HasSubstr("sync.WaitGroup 0x"));
}

/// Offsets in functions and goroutine ids differ from run to run; other numbers go with them.
std::string without_numbers(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (isdigit(static_cast<unsigned char>(text[i])) == 0) {
      out += text[i++];
      continue;
    }
    while (i < text.size() && isalnum(static_cast<unsigned char>(text[i])) != 0) ++i;
    out += 'N';
  }
  return out;
}

TEST_P(ExecTest, APanicLooksAsEver) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  WEIR_ASSERT_OK(const Completed alone,
                 test_support::run({program, "panic"}, {.environment = {"GOTRACEBACK=all"}}));
  WEIR_ASSERT_OK(const Completed done, exec({}, {program, "panic"}, {"GOTRACEBACK=all"}));
  EXPECT_EQ(done.exit, alone.exit);
  EXPECT_EQ(without_numbers(done.err), without_numbers(alone.err));
}

TEST_P(ExecTest, WrongUse) {
  WEIR_BUILD_GO(program, go(), program_source, {});
  const TemporaryFolder folder;
  const std::vector<std::string> wrong[] = {
      {"exec"},
      {"exec", "--"},
      {"exec", "-setle=1s", "--", program, "exit", "0"},
      {"exec", "-settle=1", "--", program, "exit", "0"},
      {"exec", "-json", "--", program, "exit", "0"},
      {"exec", "-update-baseline", "--", program, "exit", "0"},
      {"exec", "-baseline=" + folder / "none.json", "--", program, "exit", "0"},
      {"exec", "--", folder / "nothing-here"},
  };
  for (auto words : wrong) {
    SCOPED_TRACE(testing::PrintToString(words));
    words.insert(words.begin(), WEIR_BINARY);
    WEIR_ASSERT_OK(const Completed done, test_support::run(words));
    EXPECT_EQ(done.exit.code, 2);
    EXPECT_EQ(done.out, "");
    EXPECT_THAT(done.err, HasSubstr("weir"));
  }
}

// No Go program: it runs as ever, weir says that nobody looked, and that is no success.
TEST(Exec, AProgramThatIsNotGo) {
  WEIR_ASSERT_OK(const Completed fails,
                 test_support::run({WEIR_BINARY, "exec", "--", "/bin/sh", "-c", "echo x; exit 7"}));
  EXPECT_EQ(fails.exit.code, 7);
  EXPECT_EQ(fails.out, "x\n");
  WEIR_ASSERT_OK(const Completed done, test_support::run({WEIR_BINARY, "exec", "--", "/bin/true"}));
  EXPECT_EQ(done.exit.code, 2);
  EXPECT_THAT(done.err, HasSubstr("not checked"));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ExecTest);
INSTANTIATE_TEST_SUITE_P(, ExecTest, testing::ValuesIn(ends_of_go()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
