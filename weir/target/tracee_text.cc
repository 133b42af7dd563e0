// Breakpoints: int3 bytes in the program's text, and how a thread gets past one.
#include <errno.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "weir/target/entry_instruction.h"
#include "weir/target/tracee.h"

namespace weir::target {

namespace {

constexpr std::byte int3_byte{0xcc};
constexpr std::size_t word_size = sizeof(long);

Error memory_error(Address at, int error) {
  if (error == ESRCH) return Error{ErrorCode::gone, "the process has ended", at, 0, {}};
  return Error{ErrorCode::unmapped, "no memory", at, 0, {}};
}

Result<long> peek(pid_t tid, Address at) {
  errno = 0;
  const long word = ptrace(PTRACE_PEEKDATA, tid, at.value, 0);
  if (errno != 0) return fail(memory_error(at, errno));
  return word;
}

/// Calls use(word address, first byte within it, count, bytes done before) for each aligned word.
template <class Use>
Result<void> for_words(Address at, std::size_t size, Use use) {
  for (std::size_t done = 0; done < size;) {
    const Address word{(at + done).value & ~(word_size - 1)};
    const std::size_t first = (at + done) - word;
    const std::size_t count = std::min(word_size - first, size - done);
    WEIR_TRY_VOID(use(word, first, count, done));
    done += count;
  }
  return {};
}

}  // namespace

pid_t Tracee::stopped_thread() const {
  for (const auto& [tid, thread] : threads_)
    if (thread.state == State::stopped || thread.state == State::event) return tid;
  return pid_;
}

Result<void> Tracee::read(Address at, std::span<std::byte> into) {
  const pid_t tid = stopped_thread();
  WEIR_TRY_VOID(for_words(
      at, into.size(),
      [&](Address word, std::size_t first, std::size_t count, std::size_t done) -> Result<void> {
        WEIR_TRY(const long value, peek(tid, word));
        std::array<std::byte, word_size> bytes;
        std::memcpy(bytes.data(), &value, word_size);
        std::copy_n(bytes.begin() + static_cast<long>(first), count,
                    into.begin() + static_cast<long>(done));
        return {};
      }));
  for (auto hit = breakpoints_.lower_bound(at);
       hit != breakpoints_.end() && hit->first < at + into.size(); ++hit)
    into[hit->first - at] = hit->second;
  return {};
}

Result<void> Tracee::write(Address at, std::span<const std::byte> bytes) {
  const pid_t tid = stopped_thread();
  return for_words(
      at, bytes.size(),
      [&](Address word, std::size_t first, std::size_t count, std::size_t done) -> Result<void> {
        WEIR_TRY(long value, peek(tid, word));
        std::array<std::byte, word_size> raw;
        std::memcpy(raw.data(), &value, word_size);
        std::copy_n(bytes.begin() + static_cast<long>(done), count,
                    raw.begin() + static_cast<long>(first));
        std::memcpy(&value, raw.data(), word_size);
        if (ptrace(PTRACE_POKEDATA, tid, word.value, value) != 0)
          return fail(memory_error(word, errno));
        return {};
      });
}

Result<void> Tracee::poke_byte(Address at, std::byte value) {
  return write(at, std::span<const std::byte>(&value, 1));
}

Result<void> Tracee::set_breakpoint(Address at) {
  if (breakpoints_.contains(at)) return {};
  std::byte original{};
  WEIR_TRY_VOID(read(at, std::span<std::byte>(&original, 1)));
  WEIR_TRY_VOID(poke_byte(at, int3_byte));
  breakpoints_[at] = original;
  former_.erase(at);
  return {};
}

Result<void> Tracee::remove_breakpoint(Address at) {
  const auto found = breakpoints_.find(at);
  if (found == breakpoints_.end()) return {};
  WEIR_TRY_VOID(poke_byte(at, found->second));
  breakpoints_.erase(found);
  former_.insert(at);
  return {};
}

// Executes the instruction under a breakpoint for one stopped thread.
Result<void> Tracee::step_over(pid_t tid) {
  auto registers = read_registers(tid);
  if (!registers) return {};  // gone; its end will be reported
  const Address at{registers->rip};
  if (!breakpoints_.contains(at)) return {};
  WEIR_TRY(const bool emulated, emulate(tid, *registers));
  if (emulated) return {};
  // A thread that does not stop (limit) sits in the kernel; the worst it can do is to run past this
  // breakpoint once.
  const bool all_stopped = stop_all().has_value();
  if (ended_) return {};
  auto stepped = step_in_place(tid, at);
  if (all_stopped) resume_all();
  if (!stepped && stepped.error().code != ErrorCode::gone) return fail(std::move(stepped).error());
  return {};
}

// The instructions that Go functions begin with are done by hand: nothing else has to stop.
Result<bool> Tracee::emulate(pid_t tid, user_regs_struct registers) {
  std::array<std::byte, entry_instruction_max> code{};
  if (!read(Address{registers.rip}, code)) return false;
  const std::optional<EntryInstruction> entry = parse_entry_instruction(code);
  if (!entry) return false;
  std::uint64_t operand = 0;
  if (entry->kind == EntryInstruction::Kind::compare_stack) {
    const Address limit{registers.r14 + static_cast<std::uint64_t>(entry->displacement)};
    WEIR_TRY_VOID(read(limit, std::as_writable_bytes(std::span(&operand, 1))));
  } else if (entry->kind == EntryInstruction::Kind::push_bp) {
    const std::uint64_t bp = registers.rbp;
    WEIR_TRY_VOID(write(Address{registers.rsp - word_size}, std::as_bytes(std::span(&bp, 1))));
  }
  apply(*entry, operand, registers);
  WEIR_TRY_VOID(write_registers(tid, registers));
  return true;
}

// With all threads stopped: takes the int3 out, steps, puts it back. False: a signal came first. It
// is delivered when the thread goes on; its handler returns to the breakpoint, which is hit anew.
Result<bool> Tracee::step_in_place(pid_t tid, Address at) {
  const auto hidden = breakpoints_.find(at);
  if (hidden == breakpoints_.end()) return true;
  WEIR_TRY_VOID(poke_byte(at, hidden->second));
  stepping_ = tid;
  int status = 0;
  do {
    step_status_.reset();
    if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0) != 0) break;
    while (!step_status_ && !ended_) {
      while (!step_status_ && reap()) {
      }
      if (!step_status_ && !ended_) relay_.wait(pid_, std::nullopt, true);
    }
    status = step_status_.value_or(0);
    // A left-over PTRACE_INTERRUPT ends the step before it began.
  } while (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP);
  stepping_ = 0;
  if (ended_ || !WIFSTOPPED(status)) return fail(ErrorCode::gone, "the thread ended in a step");
  WEIR_TRY_VOID(poke_byte(at, int3_byte));
  const bool stepped = WSTOPSIG(status) == SIGTRAP && status >> 16 == 0;
  threads_[tid].signal = stepped ? 0 : WSTOPSIG(status);
  return stepped;
}

}  // namespace weir::target
