// weir: argv, exit code, standard output. Everything else is in the parts.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "apps/weir/commands.h"
#include "weir/report/text_safety.h"

namespace weir::app {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& args);
};

constexpr Command commands[] = {
    {"test", "go test, with a leak verdict for every test", run_test},
    {"exec", "run one Go program and look at what it leaves behind", run_exec},
    {"dump", "print every goroutine of a Go program", run_dump},
    {"top", "the largest groups of goroutines that do the same", run_top},
    {"why", "who waits for whom, and where that goes round in a circle", run_why},
    {"diff", "what grew, what is new and what went between looks", run_diff},
    {"prof", "profiles: where time, memory and goroutines are", run_prof},
    {"explore", "search a test's schedules for deadlocks, leaks and panics", run_explore},
    {"replay", "run a schedule that weir explore found, and check every step", run_replay},
    {"shrink", "make a found schedule smaller", run_shrink},
    {"trace", "where goroutines lose time, from an execution trace", run_trace},
    {"schedtrace", "what GODEBUG=schedtrace says of a program's scheduler", run_schedtrace},
    {"watch", "looks again and again, and keeps what it sees", run_watch},
    {"history", "what weir watch has kept", run_history},
};

void print_help() {
  fmt::print(
      "weir finds goroutine leaks and stuck programs in unmodified Go programs, from outside.\n\n"
      "usage: weir COMMAND [flags] [arguments]\n\ncommands:\n");
  for (const Command& command : commands) fmt::print("  {:<11}{}\n", command.name, command.summary);
  fmt::print("  {:<11}{}\n  {:<11}{}\n", "version", "print weir's version", "help",
             "print this, or the help of a command");
  fmt::print(
      "\nexamples:\n"
      "  weir test ./...              a verdict for every test of a module\n"
      "  weir exec -- ./server        what is left when the server ends\n"
      "  weir dump 4711               every goroutine of process 4711\n\n"
      "exit codes: 0 clean, 1 findings, 2 wrong usage or weir's own failure; a failing\n"
      "child's own code is kept. `weir COMMAND -h` has a command's flags.\n");
}

const Command* find_command(const std::string& name) {
  for (const Command& command : commands)
    if (name == command.name) return &command;
  return nullptr;
}

int run(std::vector<std::string> args) {
  if (args.empty()) {
    print_help();
    return code_failed;
  }
  std::string name = args[0];
  args.erase(args.begin());
  if (name == "version" || name == "-version" || name == "--version") {
    fmt::print("weir {}\n", WEIR_VERSION);
    return code_clean;
  }
  if (name == "help" || name == "-h" || name == "-help" || name == "--help") {
    if (args.empty()) {
      print_help();
      return code_clean;
    }
    name = args[0];
    args = {"-h"};
  }
  if (const Command* command = find_command(name)) return command->run(args);
  fmt::print(stderr, "weir: no command \"{}\"; `weir help` lists them\n", name);
  return code_failed;
}

}  // namespace

int complain(const Error& error) {
  std::fflush(stdout);
  fmt::print(stderr, "weir: {}\n", report::printable(to_string(error)));
  return code_failed;
}

int complain_usage(const Error& error, const char* command) {
  fmt::print(stderr, "weir: {}\nweir: `weir {} -h` shows how it is used\n",
             report::printable(to_string(error)), command);
  return code_failed;
}

bool wants_help(const std::vector<std::string>& args) {
  for (const std::string& arg : args) {
    if (arg == "-h" || arg == "-help" || arg == "--help") return true;
    if (arg.empty() || arg[0] != '-' || arg == "--" || arg == "-args" || arg == "--args")
      return false;
  }
  return false;
}

}  // namespace weir::app

int main(int argc, char** argv) {
  try {
    return weir::app::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    fmt::print(stderr, "weir: a mistake of weir itself: {}\n", error.what());
    return weir::app::code_failed;
  }
}
