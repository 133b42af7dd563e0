#pragma once
// The instructions that Go's compiler puts at a function's entry on amd64, done by hand, so that a
// thread can pass a breakpoint there without a single step.
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weir::target {

/// The longest one, in bytes.
inline constexpr std::size_t entry_instruction_max = 8;

/// Source of truth: stacksplit() and preprocess() in cmd/internal/obj/x86/obj6.go, go1.19–1.27.
struct EntryInstruction {
  enum class Kind : std::uint8_t {
    compare_stack,  ///< CMPQ SP, d(R14): the stack check of a small frame
    load_r12,       ///< LEAQ d(SP), R12: the stack check of a large frame begins
    push_bp,        ///< PUSHQ BP: no stack check
  };
  Kind kind = Kind::compare_stack;
  std::int64_t displacement = 0;
  std::uint8_t size = 0;  ///< bytes
};

/// Empty if `code` begins with anything else.
std::optional<EntryInstruction> parse_entry_instruction(std::span<const std::byte> code);

/// What the instruction does to the registers, flags and program counter included. `operand` is the
/// word at d(R14) for compare_stack. push_bp only moves the stack pointer: the store is the
/// caller's.
void apply(const EntryInstruction& instruction, std::uint64_t operand, user_regs_struct& registers);

}  // namespace weir::target
