#pragma once
// AgentPlan: what has to be written into a process of one test binary so that the agent decides
// there: its memory, and the jumps and int3 in the program's code.
#include <map>
#include <vector>

#include "weir/sched/agent/memory.h"
#include "weir/sched/hooks.h"

namespace weir::sched {

struct Patch {
  Address at;
  std::vector<std::byte> bytes;
};

struct AgentPlan {
  Address clock;                   ///< where the page of the virtual clock goes (clock.h)
  Address base;                    ///< where the agent's code goes, right behind it
  std::vector<std::byte> memory;   ///< from base + agent::config_at; Config is at its start
  Address shared;                  ///< where agent::Shared goes: behind all that, page-aligned
  std::vector<const Hook*> hooks;  ///< by number of the site
  std::map<std::uint64_t, Address> copies;  ///< of the instruction at a hook's address
  std::vector<Patch> patches;               ///< for the time of the test
  std::vector<std::string> observations;    ///< by bit of agent::Shared::observations
  std::size_t jumps = 0, traps = 0;         ///< sites that are reached by a jump, by an int3
  std::size_t skipped = 0;                  ///< operations whose instructions cannot be moved

  agent::Config& config() { return *reinterpret_cast<agent::Config*>(memory.data()); }
  const agent::Config& config() const {
    return *reinterpret_cast<const agent::Config*>(memory.data());
  }
  /// A goroutine that starts there is the runtime's own.
  bool is_system(Address start_pc) const;
};

/// Errors: unsupported (something of the runtime
/// cannot be moved), those of reading the file.
Result<AgentPlan> plan_agent(const gortime::Program& program, const HookTable& table);

}  // namespace weir::sched
