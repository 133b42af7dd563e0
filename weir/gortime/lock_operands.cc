#include "weir/gortime/lock_operands.h"

namespace weir::gortime {
namespace {

ZydisRegister whole(ZydisRegister part) {
  return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, part);
}

bool is_word_register(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.size == 64;
}

bool is_slot(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_RSP &&
         operand.mem.index == ZYDIS_REGISTER_NONE;
}

std::int64_t displacement(const ZydisDecodedOperand& operand) {
  return operand.mem.disp.has_displacement ? operand.mem.disp.value : 0;
}

bool writes(const ZydisDecodedOperand& operand) {
  return (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
}

CodeValue plus(CodeValue value, std::int64_t more) {
  value.plus += static_cast<std::uint64_t>(more);
  return value;
}

}  // namespace

std::int64_t LockOperands::slot_of(const ZydisDecodedOperand& operand, LinkAddr at) const {
  return displacement(operand) - depth_(at);
}

std::optional<CodeValue> LockOperands::operand(const ZydisDecodedInstruction& decoded,
                                               const ZydisDecodedOperand* operands,
                                               LinkAddr at) const {
  for (std::size_t i = 0; i < decoded.operand_count_visible; ++i) {
    const ZydisDecodedOperand& one = operands[i];
    if (one.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    ZyanU64 absolute = 0;
    if (one.mem.base == ZYDIS_REGISTER_RIP &&
        ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&decoded, &one, at.value, &absolute)))
      return CodeValue{0, absolute};
    const auto known = registers_.find(one.mem.base);
    if (known == registers_.end() || one.mem.index != ZYDIS_REGISTER_NONE) return {};
    return plus(known->second, displacement(one));
  }
  return {};
}

std::optional<CodeValue> LockOperands::argument() const {
  const auto known = registers_.find(ZYDIS_REGISTER_RAX);
  if (known == registers_.end()) return {};
  return known->second;
}

std::optional<KeptAddress> LockOperands::kept(const CodeValue& value) const {
  std::optional<KeptAddress> best;
  for (const auto& [at, slot] : slots_) {
    if (slot.changes || slot.value.unknown != value.unknown) continue;
    if (!best || at > best->slot) best = KeptAddress{at, value.plus - slot.value.plus};
  }
  return best;
}

bool LockOperands::lasts(const KeptAddress& kept) const {
  const auto slot = slots_.find(kept.slot);
  return slot != slots_.end() && !slot->second.changes;
}

CodeValue LockOperands::value_of(ZydisRegister named) {
  const auto [entry, fresh] = registers_.try_emplace(named);
  if (fresh) entry->second.unknown = ++last_;
  return entry->second;
}

void LockOperands::store(std::int64_t slot, const CodeValue& value) {
  const auto [entry, fresh] = slots_.try_emplace(slot, Slot{value});
  if (!fresh && entry->second.value != value) entry->second.changes = true;
}

void LockOperands::move(const ZydisDecodedOperand* operands, LinkAddr at) {
  if (is_slot(operands[0])) {
    // Without a frame it is on its way to morestack, and saves its arguments to begin anew.
    if (depth_(at) == 0) return;
    store(slot_of(operands[0], at), value_of(operands[1].reg.value));
  } else if (is_slot(operands[1])) {
    const auto [slot, fresh] = slots_.try_emplace(slot_of(operands[1], at));
    if (fresh) slot->second.value.unknown = ++last_;
    registers_[operands[0].reg.value] =
        slot->second.changes ? CodeValue{++last_, 0} : slot->second.value;
  } else {
    registers_[operands[0].reg.value] = value_of(operands[1].reg.value);
  }
}

void LockOperands::forget_written(const ZydisDecodedInstruction& decoded,
                                  const ZydisDecodedOperand* operands, LinkAddr at) {
  for (std::size_t i = 0; i < decoded.operand_count; ++i) {
    const ZydisDecodedOperand& one = operands[i];
    if (!writes(one)) continue;
    if (one.type == ZYDIS_OPERAND_TYPE_REGISTER) registers_.erase(whole(one.reg.value));
    if (i >= decoded.operand_count_visible || !is_slot(one)) continue;
    const std::int64_t begin = slot_of(one, at);
    for (std::int64_t word = begin & ~std::int64_t{7}; word < begin + one.size / 8; word += 8)
      store(word, CodeValue{++last_, 0});
  }
}

void LockOperands::follow(const ZydisDecodedInstruction& decoded,
                          const ZydisDecodedOperand* operands, LinkAddr at) {
  const auto category = decoded.meta.category;
  if (category == ZYDIS_CATEGORY_CALL || category == ZYDIS_CATEGORY_UNCOND_BR ||
      category == ZYDIS_CATEGORY_RET) {
    registers_.clear();
    return;
  }
  const bool moves =
      decoded.mnemonic == ZYDIS_MNEMONIC_MOV &&
      (is_word_register(operands[0]) || is_slot(operands[0])) &&
      (is_word_register(operands[1]) || (is_word_register(operands[0]) && is_slot(operands[1])));
  if (moves) return move(operands, at);
  std::optional<CodeValue> made;
  if (decoded.mnemonic == ZYDIS_MNEMONIC_LEA) made = operand(decoded, operands, at);
  if (decoded.mnemonic == ZYDIS_MNEMONIC_ADD && is_word_register(operands[0]) &&
      operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
    made = plus(value_of(operands[0].reg.value), operands[1].imm.value.s);
  forget_written(decoded, operands, at);
  if (made) registers_[operands[0].reg.value] = *made;
}

}  // namespace weir::gortime
