#include "weir/sched/agent_image.h"

#include <cstring>

asm(".section .rodata\n"
    ".globl weir_agent_code\n"
    ".globl weir_agent_code_end\n"
    ".balign 16\n"
    "weir_agent_code:\n"
    ".incbin \"" WEIR_AGENT_FILE
    "\"\n"
    "weir_agent_code_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" const std::byte weir_agent_code[];
extern "C" const std::byte weir_agent_code_end[];

namespace weir::sched {

std::span<const std::byte> agent_code() {
  return {weir_agent_code, weir_agent_code_end};
}

AgentEntries agent_entries() {
  AgentEntries entries{};
  std::memcpy(&entries, weir_agent_code, sizeof entries);
  return entries;
}

}  // namespace weir::sched
