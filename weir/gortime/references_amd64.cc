#include "weir/gortime/references_amd64.h"

#include <Zydis/Zydis.h>

#include <array>
#include <functional>

namespace weir::gortime::amd64 {
namespace {

using Kind = Reference::Kind;

struct Instruction {
  ZydisDecodedInstruction decoded;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  std::uint64_t at;
};

void for_each_instruction(bytes::Bytes text, LinkAddr start,
                          const std::function<void(const Instruction&)>& visit) {
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  Instruction instruction;
  std::size_t pos = 0;
  while (pos < text.size()) {
    const ZyanStatus status =
        ZydisDecoderDecodeFull(&decoder, text.data() + pos, text.size() - pos, &instruction.decoded,
                               instruction.operands.data());
    if (!ZYAN_SUCCESS(status)) return;
    instruction.at = start.value + pos;
    visit(instruction);
    pos += instruction.decoded.length;
  }
}

std::optional<std::uint64_t> immediate_of(const Instruction& instruction) {
  for (std::size_t i = 0; i < instruction.decoded.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = instruction.operands[i];
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) return operand.imm.value.u;
  }
  return {};
}

Kind kind_of(const Instruction& instruction, const ZydisDecodedOperand& operand) {
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_LEA) return Kind::address;
  const bool reads = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
  const bool writes = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  if (reads && writes) return Kind::update;
  return writes ? Kind::store : Kind::load;
}

}  // namespace

std::vector<Reference> find_references(bytes::Bytes text, LinkAddr start) {
  std::vector<Reference> found;
  for_each_instruction(text, start, [&](const Instruction& instruction) {
    for (std::size_t i = 0; i < instruction.decoded.operand_count_visible; ++i) {
      const ZydisDecodedOperand& operand = instruction.operands[i];
      if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
      if (operand.mem.base != ZYDIS_REGISTER_RIP) continue;
      ZyanU64 target = 0;
      if (!ZYAN_SUCCESS(
              ZydisCalcAbsoluteAddress(&instruction.decoded, &operand, instruction.at, &target))) {
        continue;
      }
      const Kind kind = kind_of(instruction, operand);
      found.push_back({kind, LinkAddr{target}, kind == Kind::address ? 0u : operand.size / 8u,
                       immediate_of(instruction), LinkAddr{instruction.at}});
    }
  });
  return found;
}

std::vector<Comparison> find_comparisons(bytes::Bytes text, LinkAddr start) {
  std::vector<Comparison> found;
  for_each_instruction(text, start, [&](const Instruction& instruction) {
    if (instruction.decoded.mnemonic != ZYDIS_MNEMONIC_CMP) return;
    if (const auto constant = immediate_of(instruction))
      found.push_back({*constant, LinkAddr{instruction.at}});
  });
  return found;
}

}  // namespace weir::gortime::amd64
