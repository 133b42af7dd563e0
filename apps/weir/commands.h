#pragma once
// The commands. Each gets its arguments without its own name and returns weir's exit code.
#include <string>
#include <vector>

#include "weir/base/error.h"

namespace weir::app {

constexpr int code_clean = 0;
constexpr int code_findings = 1;
constexpr int code_failed = 2;  ///< wrong usage, or weir itself failed

int run_diff(const std::vector<std::string>& args);
int run_dump(const std::vector<std::string>& args);
int run_explore(const std::vector<std::string>& args);
int run_exec(const std::vector<std::string>& args);
int run_history(const std::vector<std::string>& args);
int run_prof(const std::vector<std::string>& args);
int run_replay(const std::vector<std::string>& args);
int run_shrink(const std::vector<std::string>& args);
int run_schedtrace(const std::vector<std::string>& args);
int run_test(const std::vector<std::string>& args);
int run_top(const std::vector<std::string>& args);
int run_trace(const std::vector<std::string>& args);
int run_watch(const std::vector<std::string>& args);
int run_why(const std::vector<std::string>& args);

/// Prints an error to standard error, with the advice that fits, and gives the exit code.
int complain(const Error& error);
/// The same for wrong usage: adds "weir COMMAND -h" as the place to look.
int complain_usage(const Error& error, const char* command);
/// True if -h, -help or --help comes before anything that is not a flag of weir.
bool wants_help(const std::vector<std::string>& args);

}  // namespace weir::app
