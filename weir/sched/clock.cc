#include "weir/sched/clock.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

#include "weir/sched/agent/decider.h"

namespace weir::sched {
namespace {

constexpr std::uint64_t epoch_at = 264;
constexpr std::uint64_t start = 1'000'000'000;  // a monotonic clock of 0 means "never"
constexpr std::uint64_t epoch = 1'700'000'000ULL * 1'000'000'000;  // CLOCK_REALTIME at 0: Nov 2023
constexpr std::size_t stack_limit = 1 << 20;                       // arguments and environment

/// int clock_gettime(clockid_t, timespec*): System V ABI; changes only RAX, RCX, RDX and flags.
constexpr std::array<unsigned char, 53> clock_code{
    0x48, 0x8b, 0x05, 0xf9, 0x00, 0x00, 0x00,  // 00 mov rax, [rip + counter]
    0x48, 0x83, 0xc0, 0x32,                    // 07 add rax, 50
    0x48, 0x89, 0x05, 0xee, 0x00, 0x00, 0x00,  // 0b mov [rip + counter], rax
    0x85, 0xff,                                // 12 test edi, edi
    0x75, 0x07,                                // 14 jnz +7: only CLOCK_REALTIME has an epoch
    0x48, 0x03, 0x05, 0xeb, 0x00, 0x00, 0x00,  // 16 add rax, [rip + epoch]
    0x31, 0xd2,                                // 1d xor edx, edx
    0xb9, 0x00, 0xca, 0x9a, 0x3b,              // 1f mov ecx, 1000000000
    0x48, 0xf7, 0xf1,                          // 24 div rcx
    0x48, 0x89, 0x06,                          // 27 mov [rsi], rax
    0x48, 0x89, 0x56, 0x08,                    // 2a mov [rsi + 8], rdx
    0x31, 0xc0,                                // 2e xor eax, eax
    0xc3,                                      // 30 ret
    0xcc, 0xcc, 0xcc, 0xcc};
static_assert(clock_step.value == 0x32);

}  // namespace

Result<void> install_clock(ControlledProcess& process, Address page, Address vdso_clock_gettime) {
  if (!vdso_clock_gettime)
    return fail(ErrorCode::unsupported, "runtime.vdsoClockgettimeSym was not found");
  constexpr std::uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  WEIR_TRY(const std::int64_t mapped,
           process.system_call(
               process.pid(), SYS_mmap,
               {page.value, clock_size, PROT_READ | PROT_WRITE | PROT_EXEC, flags, ~0ULL, 0}));
  if (mapped != static_cast<std::int64_t>(page.value))
    return fail(ErrorCode::io, "the kernel gives no page for the virtual clock", page,
                static_cast<int>(-mapped));
  WEIR_TRY_VOID(process.write(page, std::as_bytes(std::span(clock_code))));
  WEIR_TRY_VOID(process.write_value(page + clock_counter_at, start));
  WEIR_TRY_VOID(process.write_value(page + epoch_at, epoch));
  return process.write_value(vdso_clock_gettime, page);
}

// The stack at the first instruction: argc, argv, 0, environment, 0, auxiliary vector (System V ABI
// for amd64, 3.4.1).
Result<void> fix_auxiliary_vector(const ControlledProcess& process, std::uint64_t seed) {
  WEIR_TRY(const auto registers, process.read_registers(process.pid()));
  Address at{registers.rsp};
  const Address limit = at + stack_limit;
  WEIR_TRY(const auto argc, process.read_value<std::uint64_t>(at));
  at = at + (argc + 2) * sizeof(std::uint64_t);
  std::uint64_t word = 1;
  for (; word != 0 && at < limit; at = at + sizeof word) {
    WEIR_TRY(word, process.read_value<std::uint64_t>(at));
  }
  agent::Random random(seed);
  while (at < limit) {
    WEIR_TRY(const auto entry, process.read_value<Elf64_auxv_t>(at));
    if (entry.a_type == AT_NULL) return {};
    if (entry.a_type == AT_SYSINFO_EHDR)
      WEIR_TRY_VOID(process.write_value(at, std::uint64_t{AT_IGNORE}));
    if (entry.a_type == AT_RANDOM) {
      const std::array bytes{random.next(), random.next()};
      WEIR_TRY_VOID(process.write(Address{entry.a_un.a_val}, std::as_bytes(std::span(bytes))));
    }
    at = at + sizeof entry;
  }
  return fail(ErrorCode::limit, "the auxiliary vector was not found", at);
}

}  // namespace weir::sched
