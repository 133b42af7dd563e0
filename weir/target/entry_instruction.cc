#include "weir/target/entry_instruction.h"

#include <bit>
#include <cstring>

namespace weir::target {

namespace {

constexpr std::uint64_t carry = 1u << 0, parity = 1u << 2, adjust = 1u << 4, zero = 1u << 6,
                        sign = 1u << 7, overflow = 1u << 11;

bool starts_with(std::span<const std::byte> code, std::initializer_list<unsigned> pattern,
                 std::size_t operand_size) {
  if (code.size() < pattern.size() + operand_size) return false;
  std::size_t i = 0;
  for (const unsigned byte : pattern)
    if (std::to_integer<unsigned>(code[i++]) != byte) return false;
  return true;
}

template <class T>
std::int64_t operand_at(std::span<const std::byte> code, std::size_t offset) {
  T value{};
  std::memcpy(&value, code.data() + offset, sizeof value);
  return value;
}

/// The arithmetic flags of a - b: Intel SDM volume 1, 3.4.3.1.
std::uint64_t compare_flags(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t difference = a - b;
  std::uint64_t flags = 0;
  if (a < b) flags |= carry;
  if (std::popcount(difference & 0xff) % 2 == 0) flags |= parity;
  if (((a ^ b ^ difference) & 0x10) != 0) flags |= adjust;
  if (difference == 0) flags |= zero;
  if (difference >> 63 != 0) flags |= sign;
  if ((((a ^ b) & (a ^ difference)) >> 63) != 0) flags |= overflow;
  return flags;
}

}  // namespace

std::optional<EntryInstruction> parse_entry_instruction(std::span<const std::byte> code) {
  using Kind = EntryInstruction::Kind;
  if (starts_with(code, {0x49, 0x3b, 0x66}, 1))
    return EntryInstruction{Kind::compare_stack, operand_at<std::int8_t>(code, 3), 4};
  if (starts_with(code, {0x4c, 0x8d, 0x64, 0x24}, 1))
    return EntryInstruction{Kind::load_r12, operand_at<std::int8_t>(code, 4), 5};
  if (starts_with(code, {0x4c, 0x8d, 0xa4, 0x24}, 4))
    return EntryInstruction{Kind::load_r12, operand_at<std::int32_t>(code, 4), 8};
  if (starts_with(code, {0x55}, 0)) return EntryInstruction{Kind::push_bp, 0, 1};
  return std::nullopt;
}

void apply(const EntryInstruction& instruction, std::uint64_t operand,
           user_regs_struct& registers) {
  constexpr std::uint64_t all = carry | parity | adjust | zero | sign | overflow;
  switch (instruction.kind) {
    case EntryInstruction::Kind::compare_stack:
      registers.eflags = (registers.eflags & ~all) | compare_flags(registers.rsp, operand);
      break;
    case EntryInstruction::Kind::load_r12:
      registers.r12 = registers.rsp + static_cast<std::uint64_t>(instruction.displacement);
      break;
    case EntryInstruction::Kind::push_bp:
      registers.rsp -= 8;
      break;
  }
  registers.rip += instruction.size;
}

}  // namespace weir::target
