#pragma once
// AgentImage: the agent's code, as it is put into a process (agent/agent.cc).
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::sched {

/// Offsets from the code's start.
struct AgentEntries {
  std::uint64_t trap;                ///< a handler for SIGTRAP
  std::uint64_t return_from_signal;  ///< sa_restorer
  std::uint64_t jump;                ///< with the number of a site on the stack
  std::uint64_t fork;                ///< with registers for clone(); stops at an int3
  std::uint64_t start;               ///< the test goes on
  std::uint64_t poll;                ///< as jump, for a thread that waits without the P
};

std::span<const std::byte> agent_code();
AgentEntries agent_entries();

}  // namespace weir::sched
