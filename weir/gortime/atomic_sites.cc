#include "weir/gortime/atomic_sites.h"

#include <Zydis/Zydis.h>

#include <optional>

namespace weir::gortime {
namespace {

/// The System V ABI's numbers of the general registers, in Zydis' order rax rcx rdx rbx rsp …
constexpr std::array<std::uint8_t, 16> dwarf_numbers{0, 2, 1,  3,  7,  6,  4,  5,
                                                     8, 9, 10, 11, 12, 13, 14, 15};

std::uint8_t dwarf_number(ZydisRegister reg) {
  if (reg < ZYDIS_REGISTER_RAX || reg > ZYDIS_REGISTER_R15) return AtomicSite::no_register;
  return dwarf_numbers[static_cast<std::size_t>(reg - ZYDIS_REGISTER_RAX)];
}

bool is_atomic(const ZydisDecodedInstruction& instruction) {
  if ((instruction.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0) return true;
  return instruction.mnemonic == ZYDIS_MNEMONIC_XCHG;  // with memory it locks by itself
}

std::optional<AtomicSite> site_of(const ZydisDecodedInstruction& instruction,
                                  const ZydisDecodedOperand* operands, std::uint64_t at) {
  for (std::size_t i = 0; i < instruction.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = operands[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    AtomicSite site;
    site.at = LinkAddr{at};
    site.size = instruction.length;
    if (operand.mem.base == ZYDIS_REGISTER_RIP) {
      ZyanU64 target = 0;
      if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, &operand, at, &target)))
        return std::nullopt;
      site.fixed = LinkAddr{target};
      return site;
    }
    site.base = dwarf_number(operand.mem.base);
    site.index = dwarf_number(operand.mem.index);
    site.scale = operand.mem.scale;
    site.displacement = operand.mem.disp.has_displacement ? operand.mem.disp.value : 0;
    return site;
  }
  return std::nullopt;
}

/// Hands each instruction, its operands and its offset to `visit`, up to bytes that are none.
template <class Visit>
void for_each_instruction(bytes::Bytes text, elf::Machine machine, const Visit& visit) {
  if (machine != elf::Machine::amd64) return;
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  for (std::size_t pos = 0; pos < text.size(); pos += instruction.length) {
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, text.data() + pos, text.size() - pos,
                                             &instruction, operands.data())))
      return;
    visit(instruction, operands, pos);
  }
}

}  // namespace

Address AtomicSite::operand(const std::array<std::uint64_t, 31>& general, LoadBias bias) const {
  if (fixed.value != 0) return bias.to_run(fixed);
  Address word{static_cast<std::uint64_t>(displacement)};
  if (base != no_register) word = word + general[base];
  if (index != no_register) word = word + general[index] * scale;
  return word;
}

std::vector<AtomicSite> find_atomic_sites(bytes::Bytes text, LinkAddr start, elf::Machine machine) {
  std::vector<AtomicSite> found;
  for_each_instruction(text, machine, [&](const auto& instruction, const auto& operands, auto pos) {
    if (!is_atomic(instruction)) return;
    if (const auto site = site_of(instruction, operands.data(), start.value + pos))
      found.push_back(*site);
  });
  return found;
}

std::vector<CallSite> find_calls(bytes::Bytes text, LinkAddr start, elf::Machine machine) {
  std::vector<CallSite> found;
  for_each_instruction(text, machine, [&](const auto& instruction, const auto& operands, auto pos) {
    if (instruction.mnemonic != ZYDIS_MNEMONIC_CALL) return;
    if (operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) return;
    ZyanU64 target = 0;
    const std::uint64_t at = start.value + pos;
    if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, operands.data(), at, &target)))
      found.push_back({LinkAddr{at}, LinkAddr{target}});
  });
  return found;
}

}  // namespace weir::gortime
