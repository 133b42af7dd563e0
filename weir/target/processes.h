#pragma once
// The processes of one program.
#include <string>
#include <vector>

namespace weir::target {

/// The file that `pid` runs, also when it has been replaced or removed since; empty if that cannot
/// be told (gone, denied).
std::string executable_of(int pid);

/// The processes that run that file and whose link to it may be read; ascending. weir's own is left
/// out.
std::vector<int> processes_of(const std::string& executable);

}  // namespace weir::target
