// The agent: what weir puts into a test process so that the schedule is decided there, without a
// stop. Built on its own into position-independent bytes (weir/sched/CMakeLists.txt), and entered
// either by a jump that stands in the place of an instruction, or by an int3. Only one thread runs
// Go code (GOMAXPROCS=1), and only it comes in by a jump. No library, no floating point, no
// relocations: whatever is called here is defined here.
#include "weir/sched/agent/log.h"
#include "weir/sched/agent/queue.h"
#include "weir/sched/agent/select.h"

inline void* operator new(decltype(sizeof 0), void* at) noexcept {
  return at;
}

namespace weir::sched::agent {
namespace {

/// Lets weir look at the process as it is now.
void stop_here(const Frame& frame) {
  shared().registers = frame;
  shared().thread = static_cast<U32>(call(sys_gettid));
  constexpr U64 sigstop = 19;
  // To this thread: one sent to the process may stop it some time later only.
  call(sys_tgkill, call(sys_getpid), shared().thread, sigstop);
}

void finish(End end, U32 site, const Frame& frame) {
  shared().end = end;
  shared().end_site = site;
  state().ended = true;
  if (shared().request.look == Look::finding) stop_here(frame);
}

/// Where weir wants the process to stand, it stops as if nobody had come in here; when it goes on,
/// it comes in again.
bool stands_here(const Site& site, Frame& frame) {
  Shared& s = shared();
  if (s.request.stop_at == 0 || s.points + 1 < s.request.stop_at || s.stands != 0) return false;
  frame.rip = site.at;
  s.stands = 1;
  stop_here(frame);
  return true;
}

// ---- points ------------------------------------------------------------------------------------

void note(const Point& point) {
  Shared& s = shared();
  if (s.points >= s.most_points) give_up(End::endless);
  at<Point>(config().shared + s.points_at + s.points * sizeof(Point)) = point;
  ++s.points;
}

/// When the next timer of the P is due, if that is within the jitter of the clock; else 0.
U64 due_timer() {
  const Offsets& o = config().offsets;
  if (o.p_when == 0 || config().jitter == 0) return 0;
  U64 when = at<U64>(config().p + o.p_when);
  const U64 modified = o.p_when_modified == 0 ? 0 : at<U64>(config().p + o.p_when_modified);
  if (when == 0 || (modified != 0 && modified < when)) when = modified;
  return when != 0 && when <= at<U64>(config().clock) + config().jitter ? when : 0;
}

/// Chooses among the enabled goroutines, and, if `timer`, the timer as the last.
U32 ask(Point& point, bool timer) {
  State& s = state();
  point.alternatives = s.enabled_count + (timer ? 1 : 0);
  point.timer = timer ? 1 : 0;
  if (timer) s.goids[s.enabled_count] = 0;
  point.choice =
      point.alternatives < 2 ? 0 : decider().choose(point.kind, s.goids, point.alternatives);
  point.runs = s.goids[point.choice < s.enabled_count ? point.choice : 0];
  return point.choice;
}

// execute(gp, inheritTime): RAX, RBX.
void on_execute(const Site& site, Frame& frame) {
  State& s = state();
  if (s.settled_at != 0) {
    // Something goes round and round for ever; the others have had their time.
    if (++s.settle_stops > settle_stops) at<U64>(config().clock) += settle_time;
    return;
  }
  const U64 own = frame.rax;
  if (is_system(own) || at<U64>(own + config().offsets.g_lockedm) != 0) return;
  list_enabled(own);
  U32 choice = 0;
  if (s.switching) {
    s.switching = false;
    while (choice < s.enabled_count && s.goids[choice] != s.switch_to) ++choice;
    if (choice == s.enabled_count) {
      ++shared().refused;
      choice = 0;
    }
  } else if (s.enabled_count > 1) {
    if (stands_here(site, frame)) return;
    Point point{};
    point.goroutine = s.goids[0];
    point.kind = PointKind::resume;
    log_moment(true);
    choice = ask(point, false);
    note(point);
  } else {
    log_moment(false);
  }
  if (choice == 0) return;
  swap(own, s.enabled[choice]);
  frame.rax = s.enabled[choice].g;
  frame.rbx = 0;
}

// netpoll(delay): RAX. Nothing can run: time passes until the next timer. Where file descriptors
// are waited for, the outside world gets a moment first.
void on_poll(Frame& frame) {
  State& s = state();
  const auto delay = static_cast<std::int64_t>(frame.rax);
  if (delay <= 0) return;
  if (s.uses_poller && !s.real_polled) {
    s.real_polled = true;
    if (frame.rax > real_poll) frame.rax = real_poll;
    return;
  }
  s.real_polled = false;
  frame.rax = 0;
  at<U64>(config().clock) += static_cast<U64>(delay);
}

// ---- select ------------------------------------------------------------------------------------

// selectgo(cases, order, pcs, sends, receives, block): RAX, RBX, RCX, RDI, RSI, R8. A case is
// {channel, element}; the sends come first.
void on_select(const Frame& frame, Point point) {
  Cases cases;
  const U64 count = frame.rdi + frame.rsi;
  Random random(0x9e3779b97f4a7c15 * (shared().points + 1));
  const U64 m = at<U64>(frame.r14 + config().offsets.g_m);
  write_random(m, random.next() | 1);
  if (count > most_cases) return;
  for (U32 i = 0; i < count; ++i) {
    const U64 channel = at<U64>(frame.rax + i * case_size);
    if (channel == 0) continue;
    const U32 position = cases.count++;
    cases.index[position] = static_cast<U8>(i);
    cases.ready[position] = is_ready(channel, i < frame.rdi);
    if (cases.ready[position]) cases.ready_at[cases.ready_count++] = static_cast<U8>(position);
  }
  if (cases.ready_count < 2) return;
  point.kind = PointKind::select;
  point.alternatives = cases.ready_count;
  point.timer = 0;
  point.runs = point.goroutine;
  point.choice = decider().choose(PointKind::select, nullptr, cases.ready_count);
  const U32 wanted = cases.ready_at[point.choice];
  point.object = at<U64>(frame.rax + cases.index[wanted] * case_size);
  note(point);
  U64 seed = 0;
  do seed = random.next() | 1;
  while (first_ready(cases, seed) != wanted);
  write_random(m, seed);
}

// ---- operations --------------------------------------------------------------------------------

U64 reg(const Frame& frame, U8 position) {
  return reinterpret_cast<const U64*>(&frame)[position];
}

U64 operand_of(const Site& site, const Frame& frame) {
  switch (site.operand) {
    case Operand::none:
      return 0;
    case Operand::first:
      return frame.rax;
    case Operand::second:
      return frame.rbx;
    case Operand::memory:
      break;
  }
  if (site.fixed != 0) return site.fixed;
  U64 address = site.displacement;
  if (site.base != no_register) address += reg(frame, site.base);
  if (site.index != no_register) address += reg(frame, site.index) * site.scale;
  return address;
}

Passing* find_passing(U64 goid) {
  State& s = state();
  for (U32 i = 0; i < s.passing_count; ++i)
    if (s.passing[i].goid == goid) return &s.passing[i];
  return nullptr;
}

void remember_passing(U64 goid, const Site& site) {
  State& s = state();
  Passing* entry = find_passing(goid);
  if (entry == nullptr) {
    if (s.passing_count == most_passing) give_up(End::crowded);
    entry = &s.passing[s.passing_count++];
  }
  *entry = {goid, site.at};
}

/// canPreemptM(), src/runtime/preempt.go, and room on the stack.
bool is_preemptible(U64 g, U64 m, U64 sp) {
  const Offsets& o = config().offsets;
  const U64 low = at<U64>(g + o.g_stack_lo);
  return at<U32>(m + o.m_locks) == 0 && at<U32>(m + o.m_mallocing) == 0 &&
         at<U64>(m + o.m_preemptoff + word) == 0 && sp > low && sp - low > preempt_stack;
}

void overwrite(U64 code, const U8* bytes, U32 count) {
  const U64 from = code & ~(page - 1);
  constexpr U64 read_write_execute = 7;
  call(sys_mprotect, from, (code + count - from + page - 1) & ~(page - 1), read_write_execute);
  for (U32 i = 0; i < count; ++i) at<U8>(code + i) = bytes[i];
}

// Both ways are the runtime's own: a function's stack check calls the scheduler (preemptone,
// src/runtime/proc.go); in the middle of a function it is the call of asyncPreempt that the
// runtime's signal handler would insert (doSigPreempt, src/runtime/signal_unix.go).
void preempt(const Site& site, Frame& frame, U64 g, U64 goid) {
  const Offsets& o = config().offsets;
  if (site.kind == SiteKind::atomic) {
    remember_passing(goid, site);
    frame.rsp -= word;
    at<U64>(frame.rsp) = site.at;
    frame.rip = config().async_preempt;
    return;
  }
  if (site.checks_stack) remember_passing(goid, site);
  at<U8>(g + o.g_preempt) = 1;
  at<U64>(g + o.g_stackguard0) = stack_preempt;
}

/// Where the function of `site` was called from; if by another one of package sync, where that one
/// was (Mutex.Lock by RWMutex.Lock): the frame pointers say, which compiled functions that call
/// others keep (cmd/internal/obj/x86/obj6.go).
U64 find_caller(const Site& site, const Frame& frame) {
  const U64 own = frame.rsp + static_cast<U64>(site.caller);
  U64 pc = at<U64>(own) - 1;
  U64 base = frame.rbp + word == own ? at<U64>(frame.rbp) : frame.rbp;
  for (U32 depth = 0; depth < most_sync_calls && bit(config().sync, pc); ++depth) {
    if (base < frame.rsp || base - frame.rsp > most_sync_stack || base % word != 0) break;
    pc = at<U64>(base + word) - 1;
    base = at<U64>(base);
  }
  return pc;
}

/// Operations that package testing and the like do for themselves are left alone.
bool is_of_interest(const Site& site, const Frame& frame, Point& point) {
  point.pc = site.at;
  if (site.caller == no_caller) return true;
  point.pc = find_caller(site, frame);
  return bit(config().explored, point.pc);
}

void on_operation(const Site& site, U32 number, Frame& frame) {
  State& s = state();
  const Offsets& o = config().offsets;
  const U64 g = frame.r14, m = at<U64>(g + o.g_m), goid = at<U64>(g + o.g_goid);
  if (s.settled_at != 0 || at<U64>(m + o.m_curg) != g || goid == 0 || is_system(g)) return;
  Point point{};
  point.goroutine = point.runs = goid;
  point.site = number;
  point.kind = PointKind::operation;
  if (Passing* passing = find_passing(goid); passing != nullptr && passing->site == site.at) {
    *passing = s.passing[--s.passing_count];
    if (s.switching) ++shared().refused;
    s.switching = false;
    if (site.selects && is_of_interest(site, frame, point)) on_select(frame, point);
    return;
  }
  if (!is_of_interest(site, frame, point)) {
    shared().hidden = true;
    return;
  }
  if (stands_here(site, frame)) return;
  point.object = operand_of(site, frame);
  if (site.kind == SiteKind::atomic && point.object < least_address) {
    overwrite(site.at, site.original, site.patched);  // it faults where it should, for good
    frame.rip = site.at;
    return;
  }
  point.alternatives = 1;
  U32 choice = 0;
  U64 timer = 0;
  if (site.asks && is_preemptible(g, m, frame.rsp)) {
    list_enabled(g);
    log_moment(true);
    timer = due_timer();
    choice = ask(point, timer != 0);
  }
  if (site.selects) log_cases(frame);
  note(point);
  if (choice != 0) {
    if (choice < s.enabled_count) {
      s.switching = true;
      s.switch_to = s.goids[choice];
    } else if (timer > at<U64>(config().clock)) {
      at<U64>(config().clock) = timer;
    }
    preempt(site, frame, g, goid);
    if (site.checks_stack || site.kind == SiteKind::atomic) return;
  }
  if (site.selects) on_select(frame, point);
}

// ---- the rest ----------------------------------------------------------------------------------

// startm(): whether another thread is idle must not be a race. All others are when only one counts
// as running (checkdead, src/runtime/proc.go). Bounded: one may wait in a system call.
void on_start_thread() {
  const Offsets& o = config().offsets;
  const U64 sched = config().sched;
  constexpr int rounds = 400;
  const U64 pause[2] = {0, 50'000};
  for (int i = 0; i < rounds; ++i) {
    asm volatile("" ::: "memory");
    const auto threads =
        at<std::int64_t>(sched + o.sched_mnext) - at<std::int64_t>(sched + o.sched_nmfreed) -
        at<std::int32_t>(sched + o.sched_nmidle) - at<std::int32_t>(sched + o.sched_nmidlelocked) -
        at<std::int32_t>(sched + o.sched_nmsys);
    if (threads <= 1) return;
    call(sys_nanosleep, reinterpret_cast<U64>(pause), 0);
  }
}

// fatal(s), throw(s): RAX, RBX.
void on_message(const Site& site, U32 number, const Frame& frame) {
  Shared& s = shared();
  s.message_length = 0;
  if (site.kind != SiteKind::panic) {
    s.message_length = frame.rbx < message_size ? static_cast<U32>(frame.rbx) : message_size;
    for (U32 i = 0; i < s.message_length; ++i) s.message[i] = at<char>(frame.rax + i);
  }
  finish(End::message, number, frame);
}

// os.Exit(code). The goroutine first sleeps for a minute of virtual time, in a call of time.Sleep
// that returns to where os.Exit would (run/detour.h has why that is sound), while the others end.
void on_exit(U32 number, Frame& frame) {
  State& s = state();
  if (s.settled_at != 0) return;
  shared().code = static_cast<std::int32_t>(frame.rax);
  if (shared().code != 0 || config().sleep == 0) {
    finish(End::exit, number, frame);
    return;
  }
  shared().exiting = at<U64>(frame.r14 + config().offsets.g_goid);
  s.settled_at = at<U64>(frame.rsp);
  constexpr U8 int3 = 0xcc;
  overwrite(s.settled_at, &int3, 1);
  frame.rip = config().sleep;
  frame.rax = settle_time;
}

/// As running, or not: Config::extra_threads.
void count_extra_threads(bool as_running) {
  Config& c = config();
  const auto count = static_cast<std::int32_t>(c.extra_threads);
  at<std::int32_t>(c.sched + c.offsets.sched_nmsys) += as_running ? -count : count;
  if (as_running) c.extra_threads = 0;
}

void on_site(U32 number, Frame& frame) {
  const Site& site = at<Site>(config().sites + number * sizeof(Site));
  frame.rip = site.copy;
  __atomic_fetch_add(&shared().reached, 1, __ATOMIC_RELAXED);
  if (state().ended) return;
  switch (site.kind) {
    case SiteKind::start_thread:
      return on_start_thread();
    case SiteKind::processors:
      if (static_cast<std::int64_t>(frame.rax) <= 1) return;
      frame.rax = 1;
      ++shared().clamped;
      return;
    case SiteKind::execute:
      return on_execute(site, frame);
    case SiteKind::poll:
      return on_poll(frame);
    case SiteKind::operation:
    case SiteKind::atomic:
      return on_operation(site, number, frame);
    case SiteKind::fatal:
    case SiteKind::crash:
    case SiteKind::panic:
      return on_message(site, number, frame);
    case SiteKind::exit:
      return on_exit(number, frame);
    case SiteKind::observation:
      // The sleep of on_exit() is weir's own.
      if (state().settled_at != 0 &&
          at<U64>(frame.r14 + config().offsets.g_goid) == shared().exiting)
        return;
      shared().observations |= 1ULL << site.observation;
      if (site.observation == 0) state().uses_poller = true;
      if (site.calls_c) count_extra_threads(true);
      return;
  }
}

/// The stack pointer with which the assembly's `ret` goes on at frame.rip.
void prepare_return(Frame& frame) {
  frame.rsp -= word;
  at<U64>(frame.rsp) = frame.rip;
}

}  // namespace

/// A goroutine that the test began may still be there. A P gives out goids in ascending order.
bool is_anyone_left() {
  const Config& c = config();
  const Offsets& o = c.offsets;
  constexpr U32 idle = 0, dead = 6, scan = 0x1000;  // src/runtime/runtime2.go
  const U64 list = at<U64>(c.all), count = at<U64>(c.all_count);
  for (U64 i = 0; i < count; ++i) {
    const U64 g = at<U64>(list + i * word), goid = at<U64>(g + o.g_goid);
    const U32 status = at<U32>(g + o.g_status) & ~scan;
    if (goid < c.test || goid == shared().exiting) continue;
    if (status != idle && status != dead && !is_system(g)) return true;
  }
  return false;
}

// SIGTRAP: the registers begin 40 bytes into a ucontext (asm/ucontext.h).
extern "C" __attribute__((visibility("hidden"))) void weir_trap(int signal, void* info,
                                                                U8* context) {
  constexpr U64 registers_at = 40;
  Frame& frame = *reinterpret_cast<Frame*>(context + registers_at);
  const U64 address = frame.rip - 1;
  if (address == state().settled_at &&
      at<U64>(frame.r14 + config().offsets.g_goid) == shared().exiting) {
    shared().end = End::settled;
    state().ended = true;
    if (shared().request.look != Look::passed && !is_anyone_left()) call(sys_exit_group, 0);
    stop_here(frame);
    return;
  }
  const U32 number = find_site(address);
  if (number < config().site_count) {
    constexpr U64 mask_at = 296;  // of a ucontext, behind the registers
    shared().blocked = at<U64>(reinterpret_cast<U64>(context) + mask_at);
    shared().in_signal = true;
    return on_site(number, frame);
  }
  // An int3 of the program's own.
  reinterpret_cast<void (*)(int, void*, U8*)>(config().old_handler)(signal, info, context);
}

// A jump in the place of an instruction, with `rsp` then: the number of the site is on the stack.
extern "C" __attribute__((visibility("hidden"))) void weir_jumped(Frame* frame, U64 rsp) {
  frame->rsp = rsp + word;
  shared().in_signal = false;
  on_site(static_cast<U32>(at<U64>(rsp)), *frame);
  prepare_return(*frame);
}

// The test begins: in a copy of the process that has only this thread, or in the process itself.
// The threads that a copy lacks were idle.
extern "C" __attribute__((visibility("hidden"))) Frame* weir_begin() {
  const Offsets& o = config().offsets;
  Config& c = config();
  constexpr U64 pr_set_pdeathsig = 1, sigkill = 9;
  if (shared().request.stop_at == 0) call(sys_prctl, pr_set_pdeathsig, sigkill);
  constexpr U64 populate_write = 23;  // Linux 5.14; others refuse, and the pages come one by one
  for (U32 i = 0; i < shared().pages_count; ++i)
    call(sys_madvise, shared().pages[i].at, shared().pages[i].size, populate_write);
  count_extra_threads(false);
  const U64 m = at<U64>(c.start.r14 + o.g_m), thread = call(sys_gettid);
  if (at<U64>(m + o.m_procid) != thread) {
    at<U64>(m + o.m_procid) = thread;
    at<U64>(c.sched + o.sched_midle) = 0;
    at<std::int32_t>(c.sched + o.sched_nmsys) += at<std::int32_t>(c.sched + o.sched_nmidle);
    at<std::int32_t>(c.sched + o.sched_nmidle) = 0;
    if (c.template_thread != 0) at<U32>(c.template_thread) = 0;  // the next LockOSThread starts one
  }
  new (state().decider) Decider(
      shared().request, reinterpret_cast<const U32*>(config().shared + shared().choices_at));
  prepare_return(c.start);
  return &c.start;
}

extern "C" __attribute__((visibility("hidden"))) void* memset(void* to, int value,
                                                              decltype(sizeof 0) count) {
  auto* bytes = static_cast<volatile U8*>(to);
  for (decltype(sizeof 0) i = 0; i < count; ++i) bytes[i] = static_cast<U8>(value);
  return to;
}

extern "C" __attribute__((visibility("hidden"))) void* memcpy(void* to, const void* from,
                                                              decltype(sizeof 0) count) {
  auto* bytes = static_cast<volatile U8*>(to);
  for (decltype(sizeof 0) i = 0; i < count; ++i) bytes[i] = static_cast<const U8*>(from)[i];
  return to;
}

// At the start of the agent: the offsets of its entries (agent_image.h has their order).
asm(R"(
  .section .head,"ax"
  .globl weir_head
  .hidden weir_head
weir_head:
  .quad weir_trap - weir_head
  .quad weir_return_from_signal - weir_head
  .quad weir_jump - weir_head
  .quad weir_fork - weir_head
  .quad weir_start - weir_head
  .quad weir_poll - weir_head

# Puts a Frame on one of the agent's stacks; flags and registers are saved before anything changes
# them. Where the stack pointer is kept: the first words of State.
.macro enter kept, stack
  mov %rsp, weir_head + \kept(%rip)
  lea weir_head + \stack(%rip), %rsp
  pushfq
  push $0
  push $0
  push %rcx
  push %rax
  push %rdx
  push %rbx
  push %rbp
  push %rsi
  push %rdi
  push %r15
  push %r14
  push %r13
  push %r12
  push %r11
  push %r10
  push %r9
  push %r8
  cld
  mov %rsp, %rdi
  mov weir_head + \kept(%rip), %rsi
  call weir_jumped
.endm

weir_poll:
  enter 0x10008, 0x80000
  jmp weir_go_on

weir_jump:
  enter 0x10000, 0x7f800

# Takes the Frame at the stack pointer; its rsp points to the address to go to.
weir_go_on:
  pop %r8
  pop %r9
  pop %r10
  pop %r11
  pop %r12
  pop %r13
  pop %r14
  pop %r15
  pop %rdi
  pop %rsi
  pop %rbp
  pop %rbx
  pop %rdx
  pop %rax
  pop %rcx
  push 16(%rsp)
  popfq
  mov (%rsp), %rsp
  ret

# The original process stands here between two runs. RAX and the others are set for clone().
weir_fork:
  syscall
  test %rax, %rax
  jz weir_start
  int3

weir_start:
  lea weir_head + 0x7f800(%rip), %rsp
  call weir_begin
  mov %rax, %rsp
  jmp weir_go_on

weir_return_from_signal:
  mov $15, %eax
  syscall
  .text
)");

}  // namespace weir::sched::agent
