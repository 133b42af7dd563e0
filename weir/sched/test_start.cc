#include "weir/sched/test_start.h"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "weir/sched/agent/decider.h"
#include "weir/sched/agent_image.h"
#include "weir/sched/clock.h"
#include "weir/sched/goroutine_state.h"
#include "weir/sched/touched_pages.h"

namespace weir::sched {
namespace {

constexpr std::byte int3{0xcc};
constexpr std::uint64_t word = 8;
constexpr std::size_t message_limit = 4096;
constexpr std::uint64_t goroutine_limit = 1 << 20;
constexpr std::uint32_t status_running = 2, status_syscall = 3;  // runtime2.go

/// The structure of rt_sigaction(2).
struct KernelAction {
  std::uint64_t handler, flags, restorer, mask;
};

bool is_early(HookKind kind) {
  return kind == HookKind::new_thread || kind == HookKind::processors ||
         kind == HookKind::start_thread || kind == HookKind::test_start || kind == HookKind::crash;
}

agent::Frame to_frame(const user_regs_struct& r) {
  return {r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rdi,
          r.rsi, r.rbp, r.rbx, r.rdx, r.rax, r.rcx, r.rsp, r.rip, r.eflags};
}

/// Of programs built with -race (go.dev/doc/articles/race_detector): the first race ends the run,
/// so that what the schedule shows ends with it; both stacks are kept as long as can be; no
/// second of waiting at the end.
const std::string race_detector = fmt::format(
    "GORACE=halt_on_error=1 exitcode={} history_size=7 atexit_sleep_ms=0", race_exit_code);

/// The heap profile draws when it takes a sample, from the random numbers that the scheduler uses
/// too (randomizeScheduler, src/runtime/proc.go), and where it stands when a test begins is chance.
constexpr const char* no_heap_profile = "GODEBUG=memprofilerate=0";

std::vector<std::string> environment() {
  // The whole of it, so that neither the stack's place nor the test depends on the caller's.
  return {"GOMAXPROCS=1",    "GOGC=off",
          "GOTRACEBACK=all", "HOME=/tmp",
          "TMPDIR=/tmp",     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          no_heap_profile,   race_detector};
}

}  // namespace

Result<std::unique_ptr<TestStart>> TestStart::reach(const TestBinary& binary,
                                                    const RunOptions& options, Watchdog& watchdog) {
  WEIR_TRY(auto memory, SharedMemory::make(options.event_limit));
  std::unique_ptr<TestStart> start(new TestStart(binary, options, std::move(memory)));
  WEIR_TRY_VOID(start->launch());
  watchdog.watch(start->process_->pid(), start->memory_.shared().reached);
  auto done = start->run_to_test();
  auto stalled = watchdog.stop();
  if (stalled) start->failure_ = std::move(stalled);
  if (!start->failure_ && !done) return fail(std::move(done).error());
  return start;
}

Result<void> TestStart::launch() {
  ProcessLaunch launch;
  launch.path = binary_.path();
  launch.argv = {binary_.path(), "-test.run=" + options_.pattern, "-test.timeout=0",
                 "-test.parallel=4", "-test.count=1"};
  launch.argv.insert(launch.argv.end(), options_.arguments.begin(), options_.arguments.end());
  launch.environment = environment();
  launch.folder = options_.folder;
  launch.output = output_.fd();
  launch.memory = memory_.fd();
  WEIR_TRY(process_, ControlledProcess::launch(launch));
  thread_ = process_->pid();
  WEIR_TRY_VOID(fix_auxiliary_vector(*process_, options_.seed));
  WEIR_TRY_VOID(install_clock(*process_, binary_.agent().clock,
                              binary_.program().globals().vdso_clock_gettime));
  WEIR_TRY_VOID(map_agent());
  for (const auto& [at, hook] : binary_.hooks().hooks)
    if (is_early(hook.kind)) WEIR_TRY_VOID(poke(hook.at, int3));
  return {};
}

Result<void> TestStart::map_agent() {
  const AgentPlan& plan = binary_.agent();
  constexpr std::uint64_t all = PROT_READ | PROT_WRITE | PROT_EXEC;
  const auto map = [&](Address at, std::uint64_t size, std::uint64_t flags,
                       std::uint64_t fd) -> Result<void> {
    WEIR_TRY(const std::int64_t mapped,
             process_->system_call(thread_, SYS_mmap,
                                   {at.value, size, all, flags | MAP_FIXED_NOREPLACE, fd, 0}));
    if (mapped == static_cast<std::int64_t>(at.value)) return {};
    return fail(ErrorCode::io, "the kernel gives no memory for the agent", at,
                mapped < 0 ? static_cast<int>(-mapped) : 0);
  };
  WEIR_TRY_VOID(map(plan.base, plan.shared - plan.base, MAP_PRIVATE | MAP_ANONYMOUS, ~0ULL));
  WEIR_TRY_VOID(map(plan.shared, memory_.size(), MAP_SHARED, memory_descriptor));
  WEIR_TRY_VOID(process_->system_call(thread_, SYS_close, {memory_descriptor}));
  WEIR_TRY_VOID(process_->write(plan.base, agent_code()));
  return process_->write(plan.base + agent::config_at, plan.memory);
}

Result<void> TestStart::run_to_test() {
  while (!begun_) {
    const ProcessStop stop = process_->let_run(thread_);
    __atomic_fetch_add(&memory_.shared().reached, 1, __ATOMIC_RELAXED);
    if (stop.kind == ProcessStop::Kind::ended) {
      if (!failure_)
        failure_ = WIFSIGNALED(stop.status)
                       ? fmt::format("killed by signal {}", WTERMSIG(stop.status))
                       : fmt::format("exit code {}", WEXITSTATUS(stop.status));
      return {};
    }
    thread_ = stop.thread;
    WEIR_TRY(user_regs_struct registers, process_->read_registers(thread_));
    const Address at{--registers.rip};
    const Hook* hook = binary_.hooks().find(at);
    if (hook == nullptr)
      return fail(ErrorCode::unsupported, "the program has a breakpoint of its own", at);
    WEIR_TRY(const bool pass, on_hook(*hook, registers));
    if (begun_) return {};
    if (pass) registers.rip = binary_.agent().copies.at(at.value).value;
    WEIR_TRY_VOID(process_->write_registers(thread_, registers));
  }
  return {};
}

/// True: the thread goes on as if nothing had been there.
Result<bool> TestStart::on_hook(const Hook& hook, user_regs_struct& registers) {
  switch (hook.kind) {
    case HookKind::new_thread:
      WEIR_TRY_VOID(skip_sysmon(registers));
      return registers.rip == hook.at.value;
    case HookKind::start_thread:
      process_->let_others_settle(thread_);
      return true;
    case HookKind::processors:
      if (static_cast<std::int64_t>(registers.rax) > 1) registers.rax = 1;
      return true;
    case HookKind::crash: {
      std::string text(std::min<std::size_t>(registers.rbx, message_limit), '\0');
      if (process_->read(Address{registers.rax}, std::as_writable_bytes(std::span(text))))
        failure_ = text;
      return true;
    }
    default:
      break;
  }
  constexpr int of_the_test = 2;  // the first runs the tests
  if (runners_ + 1 == of_the_test) {
    WEIR_TRY(const bool yields, let_queued_run(registers));
    if (yields) return true;
  }
  if (++runners_ < of_the_test) return true;
  WEIR_TRY_VOID(begin(registers));
  return false;
}

// Goroutines of the runtime's own that are still queued (the one for finalizers) would be so by
// chance, and change the order in which Go runs the test's. The test's yields to them at its stack
// check, and comes here again. True: it does.
Result<bool> TestStart::let_queued_run(const user_regs_struct& registers) {
  constexpr int most_yields = 16;
  const auto& layout = binary_.program().layout();
  const Address g{registers.r14}, sched = binary_.program().globals().sched;
  WEIR_TRY(const Address m, process_->read_value<Address>(g + layout.g.m));
  WEIR_TRY(const Address p, process_->read_value<Address>(m + layout.m.p));
  WEIR_TRY(const auto head, process_->read_value<std::uint32_t>(p + layout.p.runqhead));
  WEIR_TRY(const auto tail, process_->read_value<std::uint32_t>(p + layout.p.runqtail));
  WEIR_TRY(const auto next, process_->read_value<Address>(p + layout.p.runnext));
  WEIR_TRY(const auto global, process_->read_value<std::int32_t>(sched + layout.schedt.runqsize));
  if ((head == tail && !next && global == 0) || yields_++ == most_yields) return false;
  WEIR_TRY_VOID(process_->write_value(g + layout.g.preempt, std::uint8_t{1}));
  WEIR_TRY_VOID(process_->write_value(g + layout.g.stackguard0, agent::stack_preempt));
  return true;
}

// runtime.sysmon would take the P away and preempt at moments that nobody can repeat.
Result<void> TestStart::skip_sysmon(user_regs_struct& registers) {
  if (registers.rax == 0) return {};
  WEIR_TRY(const Address function, process_->read_value<Address>(Address{registers.rax}));
  if (function != binary_.hooks().sysmon) return {};
  WEIR_TRY(registers.rip, process_->read_value<unsigned long long>(Address{registers.rsp}));
  registers.rsp += word;
  return {};
}

Result<void> TestStart::begin(user_regs_struct registers) {
  const auto& layout = binary_.program().layout();
  registers_ = registers;
  process_->let_others_settle(thread_);
  WEIR_TRY_VOID(process_->write_registers(thread_, registers));
  const Address g{registers.r14};
  WEIR_TRY(const auto own, process_->read_value<std::uint64_t>(g + layout.g.goid));
  WEIR_TRY(const Address m, process_->read_value<Address>(g + layout.g.m));
  WEIR_TRY(const auto all, list_goroutines(process_->pid()));
  for (const Listed& one : all)
    if (one.id.value != own) older_.insert(one.id);
  // Which ready case a select takes, and the order of maps before go1.24, come from a number that
  // belongs to the M.
  const std::uint64_t seed = agent::Random(options_.seed ^ 0x9e3779b97f4a7c15).next() | 1;
  const std::size_t width = std::min<std::size_t>(layout.m.cheaprand.width(), word);
  WEIR_TRY_VOID(
      process_->write(m + layout.m.cheaprand, std::as_bytes(std::span(&seed, 1)).first(width)));
  // How often something was scheduled until here is chance, and every 61st time the global queue
  // comes first (findRunnable, src/runtime/proc.go).
  WEIR_TRY(const Address p, process_->read_value<Address>(m + layout.m.p));
  WEIR_TRY_VOID(process_->write_value(p + layout.p.schedtick, std::uint32_t{0}));
  WEIR_TRY_VOID(look_at_threads(m));
  WEIR_TRY_VOID(install(m));
  begun_ = true;
  return {};
}

Result<void> TestStart::install(Address m) {
  const AgentPlan& plan = binary_.agent();
  for (const auto& [at, hook] : binary_.hooks().hooks) {
    if (!is_early(hook.kind)) continue;
    WEIR_TRY(const bytes::Bytes code,
             binary_.program().file().read(binary_.program().bias().to_link(hook.at), 1));
    WEIR_TRY_VOID(poke(hook.at, code[0]));
  }
  agent::Config config = plan.config();
  WEIR_TRY(config.old_handler, install_handler());
  const auto& layout = binary_.program().layout();
  WEIR_TRY(config.p, process_->read_value<std::uint64_t>(m + layout.m.p));
  WEIR_TRY(config.test,
           process_->read_value<std::uint64_t>(Address{registers_.r14} + layout.g.goid));
  config.extra_threads = extra_threads_;
  config.jitter = static_cast<std::uint64_t>(options_.jitter.value);
  config.start = to_frame(registers_);
  WEIR_TRY_VOID(process_->write_value(plan.base + agent::config_at, config));
  for (const Patch& patch : plan.patches) WEIR_TRY_VOID(process_->write(patch.at, patch.bytes));
  return {};
}

/// The agent's, for SIGTRAP. The handler before it.
Result<std::uint64_t> TestStart::install_handler() {
  const AgentPlan& plan = binary_.agent();
  constexpr std::uint64_t sa_siginfo = 4, sa_restorer = 0x04000000, sa_onstack = 0x08000000;
  const KernelAction action{plan.base.value + agent_entries().trap,
                            sa_siginfo | sa_restorer | sa_onstack,
                            plan.base.value + agent_entries().return_from_signal, ~0ULL};
  const Address at = plan.base + agent::stack_end - 2 * sizeof action;
  WEIR_TRY_VOID(process_->write_value(at, action));
  WEIR_TRY(const std::int64_t done,
           process_->system_call(thread_, SYS_rt_sigaction,
                                 {SIGTRAP, at.value, at.value + sizeof action, word}));
  if (done != 0)
    return fail(ErrorCode::io, "cannot set a signal handler", at, static_cast<int>(-done));
  WEIR_TRY(const auto old, process_->read_value<KernelAction>(at + sizeof action));
  return old.handler;
}

// A thread that is in no system call of a goroutine and has none locked to it is idle, or an extra
// one. How many count as running: checkdead(), src/runtime/proc.go.
Result<void> TestStart::look_at_threads(Address own) {
  const Address sched = binary_.program().globals().sched;
  const auto& layout = binary_.program().layout();
  WEIR_TRY(const auto made, process_->read_value<std::int64_t>(sched + layout.schedt.mnext));
  WEIR_TRY(const auto freed, process_->read_value<std::int64_t>(sched + layout.schedt.nmfreed));
  WEIR_TRY(const auto idle, process_->read_value<std::int32_t>(sched + layout.schedt.nmidle));
  WEIR_TRY(const auto locked,
           process_->read_value<std::int32_t>(sched + layout.schedt.nmidlelocked));
  WEIR_TRY(const auto system, process_->read_value<std::int32_t>(sched + layout.schedt.nmsys));
  const std::int64_t running = made - freed - idle - locked - system;
  if (running < 1) return fail(ErrorCode::invalid, "the count of threads makes no sense", sched);
  may_fork_ = locked == 0;
  WEIR_TRY(Address m, process_->read_value<Address>(binary_.program().globals().allm));
  for (std::int64_t i = 0; m && i < made; ++i) {
    WEIR_TRY(const Address g, process_->read_value<Address>(m + layout.m.curg));
    if (g && m != own) {
      WEIR_TRY(const auto status, process_->read_value<std::uint32_t>(g + layout.g.atomicstatus));
      if (status == status_running || status == status_syscall) may_fork_ = false;
    }
    WEIR_TRY(m, process_->read_value<Address>(m + layout.m.alllink));
  }
  if (may_fork_) extra_threads_ = static_cast<std::uint64_t>(running - 1);
  return {};
}

void TestStart::learn_from(pid_t copy) {
  learned_ = true;
  learn_pages(copy, *process_, thread_, memory_);
}

Result<pid_t> TestStart::fork() {
  user_regs_struct registers = registers_;
  registers.rip = binary_.agent().base.value + agent_entries().fork;
  registers.orig_rax = ~0ULL;
  registers.rax = SYS_clone;
  registers.rdi = CLONE_PARENT | SIGCHLD;
  registers.rsi = registers.rdx = registers.r10 = registers.r8 = 0;
  WEIR_TRY_VOID(process_->write_registers(thread_, registers));
  WEIR_TRY_VOID(process_->run_to_trap(thread_));  // the copy may be done before this has stopped
  WEIR_TRY(const user_regs_struct after, process_->read_registers(thread_));
  const auto pid = static_cast<std::int64_t>(after.rax);
  if (pid < 0) return fail(ErrorCode::io, "cannot copy the process", {}, static_cast<int>(-pid));
  return static_cast<pid_t>(pid);
}

Result<pid_t> TestStart::release() {
  user_regs_struct registers = registers_;
  registers.rip = binary_.agent().base.value + agent_entries().start;
  registers.orig_rax = ~0ULL;
  WEIR_TRY_VOID(process_->release(thread_, registers));
  return process_->pid();
}

Result<std::vector<TestStart::Listed>> TestStart::list_goroutines(pid_t pid) const {
  const auto& globals = binary_.program().globals();
  const auto& layout = binary_.program().layout();
  std::uint64_t count = 0;
  Address first;
  WEIR_TRY_VOID(read_memory(pid, globals.allglen, std::as_writable_bytes(std::span(&count, 1))));
  WEIR_TRY_VOID(read_memory(pid, globals.allgptr, std::as_writable_bytes(std::span(&first, 1))));
  if (count > goroutine_limit) return fail(ErrorCode::limit, "too many goroutines", first);
  std::vector<Address> pointers(count);
  WEIR_TRY_VOID(read_memory(pid, first, std::as_writable_bytes(std::span(pointers))));
  std::vector<std::byte> g(layout.g.size.value());
  std::vector<Listed> all;
  for (const Address at : pointers) {
    WEIR_TRY_VOID(read_memory(pid, at, g));
    const auto status = static_cast<std::uint32_t>(layout.g.atomicstatus.load(g)) & ~scan_bit;
    all.push_back({Goid{layout.g.goid.load(g)}, status,
                   static_cast<std::uint8_t>(layout.g.waitreason.load(g)),
                   binary_.agent().is_system({layout.g.startpc.load(g)})});
  }
  return all;
}

}  // namespace weir::sched
