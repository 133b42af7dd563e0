#include "weir/run/detour.h"

#include <fmt/format.h>

namespace weir::run {

namespace {

constexpr std::uint64_t word_size = 8;

Result<std::uint64_t> read_word(target::Tracee& tracee, Address at) {
  std::uint64_t value = 0;
  WEIR_TRY_VOID(tracee.read(at, std::as_writable_bytes(std::span(&value, 1))));
  return value;
}

}  // namespace

Result<Detour::Frame> Detour::read_frame(const user_regs_struct& registers) {
  const Address g{registers.r14};  // ABIInternal keeps the current g in R14
  WEIR_TRY(const std::uint64_t id, read_word(*tracee_, g + fields_->g_id));
  WEIR_TRY(const std::uint64_t low, read_word(*tracee_, g + fields_->g_stack_low));
  WEIR_TRY(const std::uint64_t high, read_word(*tracee_, g + fields_->g_stack_high));
  return Frame{{id}, high - registers.rsp, registers.rsp > low && registers.rsp < high && id != 0};
}

Result<Detour> Detour::begin(target::Tracee& tracee, const Fields& fields,
                             const DetourFunctions& functions, ExitKind kind, pid_t thread) {
  Detour detour(tracee, fields, functions);
  WEIR_TRY(const user_regs_struct registers, tracee.read_registers(thread));
  WEIR_TRY(const Frame frame, detour.read_frame(registers));
  if (!frame.on_stack)
    return fail(ErrorCode::unsupported,
                "the thread that ends the program runs on no goroutine's stack");
  detour.kind_ = kind;
  detour.goroutine_ = frame.goroutine;
  detour.at_entry_ = kind == ExitKind::exit_called;
  if (detour.at_entry_) {
    WEIR_TRY(const std::uint64_t return_to, read_word(tracee, Address{registers.rsp}));
    detour.return_to_ = {return_to};
    detour.caller_depth_ = frame.depth - word_size;
    detour.code_ = static_cast<int>(registers.rax);
  } else {
    detour.return_to_ = {registers.rip};
    detour.caller_depth_ = frame.depth;
  }
  return detour;
}

Result<void> Detour::push_return(user_regs_struct& registers) {
  if (at_entry_) return {};
  registers.rsp -= word_size;
  const std::uint64_t return_to = return_to_.value;
  WEIR_TRY_VOID(tracee_->write(Address{registers.rsp}, std::as_bytes(std::span(&return_to, 1))));
  at_entry_ = true;
  return {};
}

Result<void> Detour::leave(pid_t thread, Nanos length) {
  WEIR_TRY(user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY_VOID(push_return(registers));
  registers.rip = functions_.sleep.value_or(functions_.yield).value;
  registers.rax = static_cast<std::uint64_t>(length.value);
  WEIR_TRY_VOID(tracee_->write_registers(thread, registers));
  at_entry_ = false;  // the callee returns, and pops the return address
  return {};
}

Result<bool> Detour::is_back(pid_t thread) {
  WEIR_TRY(const user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY(const Frame frame, read_frame(registers));
  return frame.on_stack && frame.goroutine == goroutine_ && frame.depth == caller_depth_;
}

Result<bool> Detour::is_same_exit(pid_t thread) {
  WEIR_TRY(const user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY(const Frame frame, read_frame(registers));
  return frame.on_stack && frame.goroutine == goroutine_ &&
         frame.depth == caller_depth_ + word_size;
}

Result<void> Detour::finish(pid_t thread) {
  if (kind_ == ExitKind::main_returned) return {};  // it stands there by itself
  WEIR_TRY(user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY_VOID(push_return(registers));
  registers.rip = functions_.exit.value;
  registers.rax = static_cast<std::uint64_t>(static_cast<std::int64_t>(code_));
  return tracee_->write_registers(thread, registers);
}

}  // namespace weir::run
