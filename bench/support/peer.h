#pragma once
// Go programs as inputs and as peers of benchmarks.
#include <string>
#include <vector>

#include "tests/support/go_toolchain.h"

namespace weir::bench {

/// The newest Go here; ends the program with exit code 0 and a word about it when there is none.
const test_support::GoToolchain& need_go();

/// The path of a program of tests/programs ("parked"), built. Ends the program when that fails.
std::string build_program(const std::string& name);

/// Runs bench/peers/NAME with these arguments. It prints its own measurement, seconds, as the last
/// line. 0 when it fails, which is told on standard error.
double peer_seconds(const std::string& name, const std::vector<std::string>& arguments);

/// Seconds that one run of a command takes; 0 when it fails.
double command_seconds(const std::vector<std::string>& argv);

}  // namespace weir::bench
