#include "weir/gortime/injection_site.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace weir::gortime {
namespace {

constexpr std::size_t most_code = 4096;
constexpr std::size_t most_ms = 1 << 16;
constexpr std::uint64_t largest_scratch = 1 << 20;

struct Code {
  Address at;
  std::vector<std::byte> bytes;

  /// The first occurrence from `from` on; the bytes' size if there is none.
  std::size_t find(std::span<const std::uint8_t> pattern, std::size_t from = 0) const {
    const auto found = std::search(
        bytes.begin() + static_cast<std::ptrdiff_t>(std::min(from, bytes.size())), bytes.end(),
        pattern.begin(), pattern.end(),
        [](std::byte a, std::uint8_t b) { return std::to_integer<std::uint8_t>(a) == b; });
    return static_cast<std::size_t>(found - bytes.begin());
  }
};

Result<Code> read_code(const Program& program, target::Memory& memory, std::string_view name) {
  const auto function = program.table().find_function(name);
  if (!function) return fail(ErrorCode::unsupported, "the program has no " + std::string(name));
  Code code;
  code.at = program.bias().to_run(function->entry);
  code.bytes.resize(std::min<std::size_t>(function->end.value - function->entry.value, most_code));
  WEIR_TRY_VOID(memory.read(code.at, code.bytes));
  return code;
}

tl::unexpected<Error> unknown(std::string_view name) {
  return fail(ErrorCode::unsupported,
              std::string(name) + " is not the code that weir knows; no system call is injected");
}

/// MOVL $SYS_clone, AX; SYSCALL … MOVL AX, ret+40(FP); RET … MOVQ SI, SP … CALL R12; MOVL $111, DI.
Result<void> find_clone(const Program& program, target::Memory& memory,
                        target::InjectionSite& site) {
  constexpr std::string_view name = "runtime.clone";
  WEIR_TRY(const Code code, read_code(program, memory, name));
  constexpr std::uint8_t call[] = {0xb8, 56, 0, 0, 0, 0x0f, 0x05};
  constexpr std::uint8_t parent[] = {0x48, 0x83, 0xf8, 0x00, 0x74, 0x05,
                                     0x89, 0x44, 0x24, 0x30, 0xc3};
  constexpr std::uint8_t child[] = {0x48, 0x89, 0xf4, 0x49, 0x83, 0xfd, 0x00, 0x74};
  constexpr std::uint8_t leave[] = {0x41, 0xff, 0xd4, 0xbf, 0x6f, 0, 0, 0};
  const std::size_t at = code.find(call);
  const std::size_t after = at + sizeof call;
  if (code.find(parent, after) != after) return unknown(name);
  if (code.find(child, after + sizeof parent) != after + sizeof parent) return unknown(name);
  const std::size_t exits = code.find(leave);
  if (exits >= code.bytes.size()) return unknown(name);
  site.system_call = code.at + (at + 5);
  site.child_exit = code.at + (exits + 3);
  return {};
}

Result<void> find_signal_return(const Program& program, target::Memory& memory,
                                target::InjectionSite& site) {
  std::string_view name = "runtime.sigreturn__sigaction";
  if (!program.table().find_function(name)) name = "runtime.sigreturn";
  WEIR_TRY(const Code code, read_code(program, memory, name));
  constexpr std::uint8_t long_form[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
  constexpr std::uint8_t short_form[] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};
  if (code.find(long_form) != 0 && code.find(short_form) != 0) return unknown(name);
  site.signal_return = code.at;
  return {};
}

/// The end of some function with a frame: ADDQ $n, SP; POPQ BP; RET, or to 1.20 (where BP is loaded
/// before) ADDQ $n, SP; RET.
Result<void> find_pop_return(const Program& program, target::Memory& memory,
                             target::InjectionSite& site) {
  for (const std::string_view name :
       {"runtime.schedinit", "runtime.mallocinit", "runtime.newproc1", "runtime.gcStart",
        "runtime.findRunnable", "runtime.findrunnable", "runtime.chansend", "runtime.selectgo",
        "runtime.mcommoninit", "runtime.newstack", "runtime.gopark", "runtime.chanrecv"}) {
    const auto code = read_code(program, memory, name);
    if (!code) continue;
    for (std::uint8_t size = 48; size <= 120; size += 8) {
      const std::uint8_t with_bp[] = {0x48, 0x83, 0xc4, size, 0x5d, 0xc3};
      const std::uint8_t without[] = {0x48, 0x83, 0xc4, size, 0xc3};
      const std::size_t at = code->find(with_bp), other = code->find(without);
      if (std::min(at, other) >= code->bytes.size()) continue;
      site.pop_return = code->at + std::min(at, other);
      site.pop_size = size + (at < other ? 8U : 0U);
      return {};
    }
  }
  return fail(ErrorCode::unsupported, "no function of the runtime ends as weir needs it");
}

}  // namespace

Result<target::InjectionSite> find_injection_code(const Program& program, target::Memory& memory) {
  if (program.file().machine() != elf::Machine::amd64)
    return fail(ErrorCode::unsupported, "system calls are injected on amd64 only");
  target::InjectionSite site;
  WEIR_TRY_VOID(find_clone(program, memory, site));
  WEIR_TRY_VOID(find_signal_return(program, memory, site));
  WEIR_TRY_VOID(find_pop_return(program, memory, site));
  return site;
}

Result<target::InjectionSite> choose_injection_thread(
    target::InjectionSite site, const Program& program, target::Memory& memory,
    std::span<const target::StoppedThread> threads, const std::function<int(int tid)>& go_id) {
  std::map<int, const target::StoppedThread*> by_go_id;
  for (const target::StoppedThread& thread : threads) by_go_id[go_id(thread.tid)] = &thread;
  const Layout& layout = program.layout();
  WEIR_TRY(Address m, memory.read_pointer(program.globals().allm));
  int best = 0;  // 2: inside a system call
  for (std::size_t i = 0; m && i < most_ms && best < 2; ++i) {
    const Address at = m;
    WEIR_TRY(m, memory.read_pointer(at + layout.m.alllink));
    WEIR_TRY(const auto id, memory.read<std::uint64_t>(at + layout.m.procid));
    WEIR_TRY(const Address signal_g, memory.read_pointer(at + layout.m.gsignal));
    const auto found = by_go_id.find(static_cast<int>(id));
    if (found == by_go_id.end() || !signal_g) continue;
    const target::StoppedThread& thread = *found->second;
    if (thread.kind != target::StopKind::interrupted || !thread.has_registers) continue;
    WEIR_TRY(const Address low, memory.read_pointer(signal_g + layout.g.stack_lo));
    WEIR_TRY(const Address high, memory.read_pointer(signal_g + layout.g.stack_hi));
    if (!low || high <= low || high - low > largest_scratch) continue;
    if (thread.registers.sp >= low && thread.registers.sp < high) continue;
    const int rank = thread.registers.syscall >= 0 ? 2 : 1;
    if (rank <= best) continue;
    best = rank;
    site.tid = thread.tid;
    site.scratch = low;
    site.scratch_size = high - low;
  }
  if (best == 0)
    return fail(ErrorCode::not_found, "no thread of the process stands where weir can use it");
  return site;
}

}  // namespace weir::gortime
