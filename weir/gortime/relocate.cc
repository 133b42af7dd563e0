#include "weir/gortime/relocate.h"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>

namespace weir::gortime {
namespace {

constexpr std::byte near_jump{0xe9}, two_byte{0x0f}, near_condition{0x80}, int3{0xcc};

struct Decoded {
  ZydisDecodedInstruction instruction{};
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands{};
};

class Decoder {
 public:
  Decoder() { ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64); }
  bool decode(bytes::Bytes code, Decoded& into) const {
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, code.data(), code.size(),
                                               &into.instruction, into.operands.data()));
  }

 private:
  ZydisDecoder decoder_{};
};

bool is_branch(const ZydisDecodedInstruction& instruction) {
  return instruction.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE;
}

/// The target of a relative branch, or nothing.
std::optional<std::uint64_t> target_of(const Decoded& one, std::uint64_t pc) {
  const ZydisDecodedOperand& operand = one.operands[0];
  if (operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !operand.imm.is_relative) return std::nullopt;
  ZyanU64 target = 0;
  if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&one.instruction, &operand, pc, &target)))
    return std::nullopt;
  return target;
}

/// Whether the function may come to an instruction in (from, to) other than from the one before.
/// What a jump table names is unknown: a function with one may.
bool may_enter(const Decoder& decoder, bytes::Bytes function, LinkAddr start, std::uint64_t from,
               std::uint64_t to) {
  Decoded one;
  for (std::size_t pos = 0; pos < function.size(); pos += one.instruction.length) {
    if (!decoder.decode(function.subspan(pos), one)) return true;
    if (!is_branch(one.instruction) || one.instruction.mnemonic == ZYDIS_MNEMONIC_RET) continue;
    const auto target = target_of(one, start.value + pos);
    if (target && *target > from && *target < to) return true;
    if (!target && one.instruction.mnemonic == ZYDIS_MNEMONIC_JMP) return true;
  }
  return false;
}

class Writer {
 public:
  explicit Writer(std::uint64_t to) : to_(to) {}

  void put(std::byte byte) { code_.push_back(byte); }
  void put(std::span<const std::byte> bytes) {
    code_.insert(code_.end(), bytes.begin(), bytes.end());
  }
  void put_int(std::int32_t value) { put(std::as_bytes(std::span(&value, 1))); }
  /// False if `target` is too far from here.
  bool put_distance(std::uint64_t target) {
    const auto distance =
        static_cast<std::int64_t>(target - (to_ + code_.size() + sizeof(std::int32_t)));
    if (!fits(distance)) return false;
    put_int(static_cast<std::int32_t>(distance));
    return true;
  }
  /// An instruction as it is, but for a distance to data (from `pc`).
  bool put_instruction(const Decoded& one, bytes::Bytes code, std::uint64_t pc) {
    const std::size_t at = code_.size();
    code_.insert(code_.end(), code.begin(), code.begin() + one.instruction.length);
    if ((one.instruction.attributes & ZYDIS_ATTRIB_IS_RELATIVE) == 0) return true;
    const auto& displacement = one.instruction.raw.disp;
    if (displacement.size != 32) return false;
    const std::int64_t moved = displacement.value + static_cast<std::int64_t>(pc - (to_ + at));
    if (!fits(moved)) return false;
    const auto value = static_cast<std::int32_t>(moved);
    std::memcpy(code_.data() + at + displacement.offset, &value, sizeof value);
    return true;
  }
  std::vector<std::byte> take() { return std::move(code_); }

 private:
  static bool fits(std::int64_t value) {
    return value >= std::numeric_limits<std::int32_t>::min() &&
           value <= std::numeric_limits<std::int32_t>::max();
  }

  std::uint64_t to_;
  std::vector<std::byte> code_;
};

/// A call, as what it is made of: the return address stays the function's own, `returns`. What puts
/// it on the stack changes no register and no flag.
bool put_call(Writer& writer, std::uint64_t target, std::uint64_t returns) {
  constexpr std::array push{std::byte{0x48}, std::byte{0x8d}, std::byte{0x64}, std::byte{0x24},
                            std::byte{0xf8}};  // LEA RSP, [RSP - 8]
  constexpr std::array low{std::byte{0xc7}, std::byte{0x04},
                           std::byte{0x24}};  // MOV DWORD [RSP], …
  constexpr std::array high{std::byte{0xc7}, std::byte{0x44}, std::byte{0x24},
                            std::byte{0x04}};  // MOV DWORD [RSP + 4], …
  writer.put(push);
  writer.put(low);
  writer.put_int(static_cast<std::int32_t>(returns));
  writer.put(high);
  writer.put_int(static_cast<std::int32_t>(returns >> 32));
  writer.put(near_jump);
  return writer.put_distance(target);
}

/// What the linker fills up with behind a function's last instruction: nothing goes there.
std::size_t padding_at(bytes::Bytes code) {
  const auto end = std::find_if(code.begin(), code.end(), [](std::byte b) { return b != int3; });
  return static_cast<std::size_t>(end - code.begin());
}

/// Jumps and conditional jumps of one condition code (Intel SDM, Jcc: 0F 80+cc; short: 70+cc).
bool put_branch(Writer& writer, const Decoded& one, std::uint64_t target) {
  constexpr std::uint8_t condition = 0x0f;
  const std::uint8_t opcode = one.instruction.opcode;
  const bool is_short = one.instruction.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
  if (one.instruction.mnemonic == ZYDIS_MNEMONIC_JMP) {
    writer.put(near_jump);
  } else if ((is_short && opcode >> 4 == 7) ||
             (one.instruction.opcode_map == ZYDIS_OPCODE_MAP_0F && opcode >> 4 == 8)) {
    writer.put(two_byte);
    writer.put(near_condition | std::byte(opcode & condition));
  } else {
    return false;  // loop, jrcxz
  }
  return writer.put_distance(target);
}

}  // namespace

std::optional<Relocated> relocate(bytes::Bytes function, LinkAddr start, LinkAddr at,
                                  std::size_t least, Address to, LoadBias bias) {
  const Decoder decoder;
  // Everything at run-time addresses, since distances count from there.
  const std::uint64_t base = bias.to_run(start).value;
  const std::size_t first = at.value - start.value;
  Writer writer(to.value);
  Decoded one;
  std::size_t pos = first, count = 0;
  bool returns = false;
  for (; pos - first < least || count == 0; pos += one.instruction.length, ++count) {
    if (pos >= function.size() || !decoder.decode(function.subspan(pos), one)) return std::nullopt;
    if (one.instruction.mnemonic == ZYDIS_MNEMONIC_RET) {
      writer.put(function.subspan(pos, one.instruction.length));
      pos += one.instruction.length, ++count;
      returns = true;
      break;
    }
    if (!is_branch(one.instruction)) {
      if (!writer.put_instruction(one, function.subspan(pos), base + pos)) return std::nullopt;
      continue;
    }
    const auto target = target_of(one, base + pos);
    const bool call = one.instruction.mnemonic == ZYDIS_MNEMONIC_CALL;
    if (!target || !(call ? put_call(writer, *target, base + pos + one.instruction.length)
                          : put_branch(writer, one, *target)))
      return std::nullopt;
  }
  if (returns) {
    const std::size_t padding = padding_at(function.subspan(pos));
    if (pos + padding - first < least) return std::nullopt;
    pos = std::max(pos, first + least);
  }
  if (count > 1 && may_enter(decoder, function, LinkAddr{base}, base + first, base + pos))
    return std::nullopt;
  Relocated moved;
  moved.covered = static_cast<std::uint8_t>(pos - first);
  if (!returns) {
    writer.put(near_jump);
    if (!writer.put_distance(base + pos)) return std::nullopt;
  }
  moved.code = writer.take();
  return moved;
}

}  // namespace weir::gortime
