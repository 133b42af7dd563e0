#include "weir/sched/run.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "weir/model/goname.h"
#include "weir/sched/clock.h"
#include "weir/sched/goroutine_state.h"
#include "weir/sched/output.h"
#include "weir/sched/run_queue.h"
#include "weir/target/registers.h"

namespace weir::sched {
namespace {

constexpr std::byte int3{0xcc};
constexpr std::uint64_t word = 8;
/// stackPreempt, src/runtime/stack.go: makes the next stack check call the scheduler.
constexpr std::uint64_t stack_preempt = 0xfffffffffffffade;
/// More than asyncPreemptStack, src/runtime/preempt.go, of every version (472 in go1.22).
constexpr std::uint64_t preempt_stack = 1024;
/// How long (of virtual time) goroutines have to end after the test.
constexpr std::uint64_t settle_time = 60'000'000'000;
constexpr std::size_t settle_stops = 4'000;
constexpr Nanos real_poll{2'000'000};
constexpr std::size_t message_limit = 4096;
constexpr std::uint64_t goroutine_limit = 1 << 20;

/// The goroutine that stands at a hook.
struct Current {
  Address g;
  Address m;
  Goid id;
  bool user = false;         ///< runs on its own stack, and is no goroutine of the runtime
  bool preemptible = false;  ///< canPreemptM(), src/runtime/preempt.go, and room on its stack
};

class Run {
 public:
  Run(const TestBinary& binary, const RunOptions& options, Chooser& chooser, Watchdog& watchdog)
      : binary_(binary),
        layout_(binary.program().layout()),
        options_(options),
        chooser_(chooser),
        watchdog_(watchdog),
        queue_(binary.program()) {}

  Result<RunRecord> go();

 private:
  Result<void> start();
  Result<void> loop();
  Result<void> set_hooks(bool early);
  Result<void> poke(Address at, std::byte value) { return process_->write_value(at, value); }
  Result<void> on_trap(pid_t thread);
  Result<void> on_hook(const Hook& hook, user_regs_struct& registers);
  Result<void> on_test_start(const Hook& hook, user_regs_struct& registers);
  Result<void> on_new_thread(user_regs_struct& registers);
  Result<void> on_execute(user_regs_struct& registers);
  Result<void> on_poll(user_regs_struct& registers);
  Result<void> on_operation(const Hook& hook, user_regs_struct& registers);
  Result<void> on_exit(user_regs_struct& registers);
  Result<void> on_settled(const user_regs_struct& registers);
  Result<void> on_message(const Hook& hook, const user_regs_struct& registers);
  void end(Ending ending, std::string message, const user_regs_struct& registers);
  Result<void> pass(const Hook& hook, user_regs_struct& registers);
  Result<Current> read_current(const user_regs_struct& registers);
  Result<bool> is_of_interest(const Hook& hook, const user_regs_struct& registers, RunEvent& event);
  Result<std::size_t> ask(const std::vector<Runnable>& enabled, RunEvent& event);
  Result<void> preempt(const Hook& hook, const Current& current);
  Result<void> seed_random(Address m);
  Address object_of(const Hook& hook, const user_regs_struct& registers) const;
  void note(const RunEvent& event);
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3; }
  struct Listed {
    Goid id;
    std::uint32_t status = 0;
    std::uint8_t reason = 0;
    bool system = false;
  };
  Result<std::vector<Listed>> list_goroutines();
  Result<std::vector<LeftOver>> list_left_over();
  void finish();

  const TestBinary& binary_;
  const gortime::Layout& layout_;
  const RunOptions& options_;
  Chooser& chooser_;
  Watchdog& watchdog_;
  RunQueue queue_;
  RunRecord record_;
  Output output_;
  std::unique_ptr<ControlledProcess> process_;
  pid_t thread_ = 0;                 ///< the one that stands still
  int signal_ = 0;                   ///< it goes on with
  bool begun_ = false;               ///< the test has
  bool ended_ = false;               ///< no hook matters any more
  bool killed_ = false;              ///< end the process now
  int runners_ = 0;                  ///< hits of testing.tRunner
  Address p_;                        ///< the one P
  std::set<Goid> before_;            ///< existed when the test began
  std::optional<Goid> switch_to_;    ///< chosen at an operation; the next execute() obeys
  std::map<Goid, Address> passing_;  ///< was asked there already, and begins anew
  std::map<Address, std::uint32_t> objects_;
  std::map<std::uint64_t, bool> explored_;  ///< by return address
  std::optional<Address> settled_at_;       ///< where the goroutine that exits comes back
  Goid exiting_;
  std::size_t settle_stops_ = 0;
  bool real_polled_ = false;
  bool uses_poller_ = false;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

Result<RunRecord> Run::go() {
  WEIR_TRY_VOID(start());
  watchdog_.watch(process_->pid());
  auto done = loop();
  const auto stalled = watchdog_.stop();
  if (stalled) {
    record_.ending = begun_ ? Ending::stalled : Ending::not_started;
    record_.message = *stalled;
  } else if (!done) {
    return fail(std::move(done).error());
  }
  process_.reset();
  finish();
  return std::move(record_);
}

Result<void> Run::start() {
  ProcessLaunch launch;
  launch.path = binary_.path();
  launch.argv = {binary_.path(), "-test.run=" + options_.pattern, "-test.timeout=0",
                 "-test.parallel=4", "-test.count=1"};
  launch.argv.insert(launch.argv.end(), options_.arguments.begin(), options_.arguments.end());
  // The whole environment, so that neither the stack's place nor the test depends on the caller's.
  launch.environment = {
      "GOMAXPROCS=1",    "GOGC=off",
      "GOTRACEBACK=all", "HOME=/tmp",
      "TMPDIR=/tmp",     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  launch.folder = options_.folder;
  launch.output = output_.fd();
  WEIR_TRY(process_, ControlledProcess::launch(launch));
  thread_ = process_->pid();
  WEIR_TRY_VOID(fix_auxiliary_vector(*process_, options_.seed));
  WEIR_TRY_VOID(install_clock(*process_, binary_.program().globals().vdso_clock_gettime));
  return set_hooks(true);
}

// Before the test begins, only what keeps the program deterministic is hooked.
Result<void> Run::set_hooks(bool early) {
  for (const auto& [at, hook] : binary_.hooks().hooks) {
    const bool is_early = hook.kind == HookKind::new_thread || hook.kind == HookKind::processors ||
                          hook.kind == HookKind::start_thread ||
                          hook.kind == HookKind::test_start || hook.kind == HookKind::crash;
    if (is_early == early) WEIR_TRY_VOID(poke(hook.at, int3));
  }
  return {};
}

Result<void> Run::loop() {
  while (true) {
    const ProcessStop stop = process_->let_run(thread_, std::exchange(signal_, 0));
    watchdog_.progress();
    if (stop.kind == ProcessStop::Kind::ended) {
      if (!ended_) {
        record_.ending = begun_ ? Ending::died : Ending::not_started;
        record_.message = WIFSIGNALED(stop.status)
                              ? fmt::format("killed by signal {}", WTERMSIG(stop.status))
                              : fmt::format("exit code {}", WEXITSTATUS(stop.status));
      }
      return {};
    }
    thread_ = stop.thread;
    auto done = on_trap(stop.thread);
    if (!done && done.error().code != ErrorCode::gone) return done;
    if (killed_) return {};
    if (record_.events.size() > options_.event_limit) {
      record_.ending = Ending::endless;
      record_.message = fmt::format("it did not end within {} points", options_.event_limit);
      return {};
    }
  }
}

Result<void> Run::on_trap(pid_t thread) {
  WEIR_TRY(user_regs_struct registers, process_->read_registers(thread));
  const Address at{registers.rip - 1};
  registers.rip = at.value;
  if (settled_at_ == at) {
    WEIR_TRY(const Current current, read_current(registers));
    if (current.id == exiting_) return on_settled(registers);
  }
  const Hook* hook = binary_.hooks().find(at);
  if (hook == nullptr) {
    signal_ = SIGTRAP;  // an int3 of the program's own
    return {};
  }
  return on_hook(*hook, registers);
}

Result<void> Run::on_hook(const Hook& hook, user_regs_struct& registers) {
  if (ended_) return pass(hook, registers);
  switch (hook.kind) {
    case HookKind::new_thread:
      WEIR_TRY_VOID(on_new_thread(registers));
      if (registers.rip != hook.at.value) return process_->write_registers(thread_, registers);
      break;
    case HookKind::start_thread:
      process_->let_others_settle(thread_);
      break;
    case HookKind::processors:
      if (static_cast<std::int64_t>(registers.rax) > 1) {
        registers.rax = 1;
        if (begun_) ++record_.clamped;
      }
      break;
    case HookKind::test_start:
      return on_test_start(hook, registers);
    case HookKind::execute:
      WEIR_TRY_VOID(on_execute(registers));
      break;
    case HookKind::poll:
      WEIR_TRY_VOID(on_poll(registers));
      break;
    case HookKind::operation:
    case HookKind::atomic:
      return on_operation(hook, registers);
    case HookKind::fatal:
    case HookKind::crash:
    case HookKind::panic:
      WEIR_TRY_VOID(on_message(hook, registers));
      break;
    case HookKind::exit:
      WEIR_TRY_VOID(on_exit(registers));
      if (registers.rip != hook.at.value) return process_->write_registers(thread_, registers);
      break;
    case HookKind::observation:
      if (hook.name == "files or the network") uses_poller_ = true;
      if (std::find(record_.observations.begin(), record_.observations.end(), hook.name) ==
          record_.observations.end())
        record_.observations.push_back(hook.name);
      break;
  }
  return pass(hook, registers);
}

// Gets the thread past the int3.
Result<void> Run::pass(const Hook& hook, user_regs_struct& registers) {
  using Kind = target::EntryInstruction::Kind;
  if (hook.entry) {
    std::uint64_t operand = 0;
    if (hook.entry->kind == Kind::compare_stack) {
      const Address limit{registers.r14 + static_cast<std::uint64_t>(hook.entry->displacement)};
      WEIR_TRY(operand, process_->read_value<std::uint64_t>(limit));
    } else if (hook.entry->kind == Kind::push_bp) {
      WEIR_TRY_VOID(
          process_->write_value(Address{registers.rsp - word}, std::uint64_t{registers.rbp}));
    }
    target::apply(*hook.entry, operand, registers);
    return process_->write_registers(thread_, registers);
  }
  WEIR_TRY_VOID(process_->write_registers(thread_, registers));
  WEIR_TRY_VOID(poke(hook.at, hook.original));
  WEIR_TRY_VOID(process_->step(thread_));
  return poke(hook.at, int3);
}

Result<void> Run::on_test_start(const Hook& hook, user_regs_struct& registers) {
  if (begun_ || ++runners_ < 2) return pass(hook, registers);
  begun_ = true;
  WEIR_TRY(const Current current, read_current(registers));
  WEIR_TRY(p_, process_->read_value<Address>(current.m + layout_.m.p));
  WEIR_TRY(const auto all, list_goroutines());
  for (const Listed& one : all)
    if (one.id != current.id) before_.insert(one.id);
  WEIR_TRY_VOID(seed_random(current.m));
  WEIR_TRY_VOID(set_hooks(false));
  WEIR_TRY_VOID(poke(hook.at, hook.original));
  return process_->write_registers(thread_, registers);
}

// runtime.sysmon would take the P away and preempt at moments that nobody can repeat.
Result<void> Run::on_new_thread(user_regs_struct& registers) {
  if (registers.rax == 0) return {};
  WEIR_TRY(const Address function, process_->read_value<Address>(Address{registers.rax}));
  if (function != binary_.hooks().sysmon) return {};
  WEIR_TRY(registers.rip, process_->read_value<unsigned long long>(Address{registers.rsp}));
  registers.rsp += word;
  return {};
}

Result<Current> Run::read_current(const user_regs_struct& registers) {
  Current current;
  current.g = {registers.r14};
  std::array<std::byte, 1024> g{};
  std::array<std::byte, 1024> m{};
  const auto g_size = std::min<std::size_t>(g.size(), layout_.g.size.value());
  WEIR_TRY_VOID(process_->read(current.g, std::span(g).first(g_size)));
  current.m = {layout_.g.m.load(g)};
  WEIR_TRY_VOID(process_->read(current.m, std::span(m).first(512)));
  current.id = Goid{layout_.g.goid.load(g)};
  current.user = layout_.m.curg.load(m) == current.g.value && current.id.value != 0 &&
                 !queue_.is_system({layout_.g.startpc.load(g)});
  const std::uint64_t low = layout_.g.stack_lo.load(g);
  std::uint64_t preempt_off = 0;  // len(m.preemptoff)
  std::memcpy(&preempt_off, m.data() + layout_.m.preemptoff.value() + word, word);
  current.preemptible = current.user && layout_.m.locks.load(m) == 0 &&
                        layout_.m.mallocing.load(m) == 0 && preempt_off == 0 &&
                        registers.rsp > low && registers.rsp - low > preempt_stack;
  return current;
}

void Run::note(const RunEvent& event) {
  mix(event.goroutine.value);
  mix(event.hook == nullptr ? 0 : event.hook->at.value);
  mix(event.object);
  mix(event.alternatives);
  mix(event.choice);
  mix(event.runs.value);
  record_.events.push_back(event);
  if (!options_.check) return;
  if (auto wrong = options_.check(record_.events.size() - 1, event)) {
    record_.ending = Ending::diverged;
    record_.message = std::move(*wrong);
    ended_ = killed_ = true;
  }
}

Result<std::size_t> Run::ask(const std::vector<Runnable>& enabled, RunEvent& event) {
  std::vector<Goid> ids;
  for (const Runnable& one : enabled) ids.push_back(one.id);
  event.alternatives = static_cast<std::uint32_t>(ids.size());
  std::size_t choice = 0;
  if (ids.size() > 1) choice = chooser_.choose({event.hook != nullptr, ids});
  WEIR_ASSERT(choice < ids.size());
  event.choice = static_cast<std::uint32_t>(choice);
  event.runs = ids[choice];
  return choice;
}

// execute(gp, inheritTime): RAX, RBX.
Result<void> Run::on_execute(user_regs_struct& registers) {
  if (settled_at_) {
    if (++settle_stops_ > settle_stops) {
      // Something goes round and round for ever; the others have had their time.
      return advance_clock(*process_, {static_cast<std::int64_t>(settle_time)});
    }
    return {};
  }
  WEIR_TRY(const std::vector<Runnable> enabled, queue_.read(*process_, p_, {registers.rax}));
  const Runnable& own = enabled.front();
  if (own.system || own.locked) return {};
  std::size_t choice = 0;
  if (const auto wanted = std::exchange(switch_to_, std::nullopt)) {
    const auto found = std::find_if(enabled.begin(), enabled.end(),
                                    [&](const Runnable& one) { return one.id == *wanted; });
    if (found == enabled.end()) ++record_.refused;
    if (found != enabled.end()) choice = static_cast<std::size_t>(found - enabled.begin());
  } else if (enabled.size() > 1) {
    RunEvent event;
    event.goroutine = own.id;
    WEIR_TRY(choice, ask(enabled, event));
    note(event);
  }
  if (choice == 0) return {};
  WEIR_TRY_VOID(queue_.swap(*process_, p_, own, enabled[choice]));
  registers.rax = enabled[choice].g.value;
  registers.rbx = 0;
  return {};
}

// netpoll(delay): RAX. Nothing can run: time passes until the next timer. Where file descriptors
// are waited for, the outside world gets a moment first.
Result<void> Run::on_poll(user_regs_struct& registers) {
  const auto delay = static_cast<std::int64_t>(registers.rax);
  if (delay <= 0) return {};
  if (uses_poller_ && !std::exchange(real_polled_, !real_polled_)) {
    registers.rax = static_cast<unsigned long long>(std::min(delay, real_poll.value));
    return {};
  }
  registers.rax = 0;
  return advance_clock(*process_, {delay});
}

// Which ready case select takes is drawn from a number that belongs to the M.
Result<void> Run::seed_random(Address m) {
  Random random(options_.seed ^ (record_.events.size() + 1) * 0x9e3779b97f4a7c15);
  const std::uint64_t value = random.next() | 1;
  const std::size_t width = std::min<std::size_t>(layout_.m.cheaprand.width(), word);
  return process_->write(m + layout_.m.cheaprand, std::as_bytes(std::span(&value, 1)).first(width));
}

Address Run::object_of(const Hook& hook, const user_regs_struct& registers) const {
  if (hook.site)
    return hook.site->operand(target::to_registers(registers).general, binary_.program().bias());
  if (hook.object == Argument::first) return {registers.rax};
  if (hook.object == Argument::second) return {registers.rbx};
  return {};
}

// Operations that package testing and the like do for themselves are left alone.
Result<bool> Run::is_of_interest(const Hook& hook, const user_regs_struct& registers,
                                 RunEvent& event) {
  event.pc = hook.at;
  if (!hook.caller) return true;
  const Address slot{registers.rsp + static_cast<std::uint64_t>(*hook.caller)};
  WEIR_TRY(const Address caller, process_->read_value<Address>(slot));
  event.pc = caller - 1;
  const auto [entry, fresh] = explored_.emplace(caller.value, false);
  if (fresh) {
    const auto& program = binary_.program();
    const auto function = program.table().find_function(program.bias().to_link(event.pc));
    entry->second = function && is_explored(model::package_of(function->name));
  }
  return entry->second;
}

Result<void> Run::on_operation(const Hook& hook, user_regs_struct& registers) {
  WEIR_TRY(const Current current, read_current(registers));
  if (settled_at_ || !current.user) return pass(hook, registers);
  const auto passing = passing_.find(current.id);
  if (passing != passing_.end() && passing->second == hook.at) {
    passing_.erase(passing);
    if (std::exchange(switch_to_, std::nullopt)) ++record_.refused;
    return pass(hook, registers);
  }
  RunEvent event;
  WEIR_TRY(const bool of_interest, is_of_interest(hook, registers, event));
  if (!of_interest) return pass(hook, registers);
  event.goroutine = event.runs = current.id;
  event.hook = &hook;
  if (const Address object = object_of(hook, registers))
    event.object =
        objects_.emplace(object, static_cast<std::uint32_t>(objects_.size() + 1)).first->second;
  if (hook.name == "select") WEIR_TRY_VOID(seed_random(current.m));
  if (!current.preemptible || !hook.asks) {
    note(event);
    return pass(hook, registers);
  }
  WEIR_TRY(const std::vector<Runnable> enabled, queue_.read(*process_, p_, current.g));
  WEIR_TRY(const std::size_t choice, ask(enabled, event));
  note(event);
  if (choice == 0) return pass(hook, registers);
  switch_to_ = enabled[choice].id;
  WEIR_TRY_VOID(preempt(hook, current));
  if (hook.kind == HookKind::atomic) return process_->write_registers(thread_, registers);
  return pass(hook, registers);
}

// Both ways are the runtime's own (preemptone, src/runtime/proc.go), and the runtime refuses where
// it must: a function's stack check, or a signal at a place where any registers may hold pointers.
Result<void> Run::preempt(const Hook& hook, const Current& current) {
  WEIR_TRY_VOID(process_->write_value(current.g + layout_.g.preempt, std::uint8_t{1}));
  if (hook.kind == HookKind::atomic) {
    passing_[current.id] = hook.at;
    signal_ = SIGURG;
    return {};
  }
  if (hook.checks_stack) passing_[current.id] = hook.at;
  return process_->write_value(current.g + layout_.g.stackguard0, stack_preempt);
}

// fatal(s), throw(s): RAX, RBX.
Result<void> Run::on_message(const Hook& hook, const user_regs_struct& registers) {
  if (hook.kind == HookKind::panic) {
    end(Ending::panic, "panic", registers);
    return {};
  }
  std::string text(std::min<std::size_t>(registers.rbx, message_limit), '\0');
  if (!process_->read(Address{registers.rax}, std::as_writable_bytes(std::span(text)))) text = "?";
  const bool of_program = hook.kind == HookKind::fatal || text.starts_with("sync: ") ||
                          text.starts_with("concurrent map");
  if (text.ends_with("deadlock!"))
    end(Ending::deadlock, text, registers);
  else if (of_program)
    end(Ending::fatal, text, registers);
  else
    end(begun_ ? Ending::crashed : Ending::not_started, text, registers);
  return {};
}

// The process goes on to its own end, so that Go's words are in the output.
void Run::end(Ending ending, std::string message, const user_regs_struct& registers) {
  record_.ending = ending;
  record_.message = std::move(message);
  ended_ = true;
  if (options_.at_end && is_finding(ending)) options_.at_end({process_->pid(), thread_, registers});
}

// os.Exit(code). The goroutine first sleeps for a minute of virtual time, in a call of time.Sleep
// that returns to where os.Exit would (run/detour.h has why that is sound), while the others end.
Result<void> Run::on_exit(user_regs_struct& registers) {
  const auto code = static_cast<int>(registers.rax);
  if (code != 0 || !binary_.hooks().sleep) {
    end(code == 0 ? Ending::passed : Ending::failed,
        code == 0 ? "" : fmt::format("exit code {}", code), registers);
    return {};
  }
  WEIR_TRY(const Current current, read_current(registers));
  WEIR_TRY(settled_at_, process_->read_value<Address>(Address{registers.rsp}));
  exiting_ = current.id;
  WEIR_TRY_VOID(poke(*settled_at_, int3));
  registers.rip = binary_.hooks().sleep->value;
  registers.rax = settle_time;
  return {};
}

Result<void> Run::on_settled(const user_regs_struct& registers) {
  killed_ = true;
  WEIR_TRY(record_.left, list_left_over());
  if (options_.leaks && !record_.left.empty()) {
    const auto leaks = options_.leaks({process_->pid(), thread_, registers}, record_.left);
    if (!leaks) {
      end(Ending::died, "what it left behind could not be read: " + to_string(leaks.error()),
          registers);
      return {};
    }
    std::erase_if(record_.left, [&](const LeftOver& one) {
      return std::find(leaks->begin(), leaks->end(), one.id) == leaks->end();
    });
  }
  std::string text;
  for (const LeftOver& one : record_.left)
    text +=
        fmt::format("{}goroutine {} [{}]", text.empty() ? "" : ", ", one.id.value, one.wait_reason);
  end(record_.left.empty() ? Ending::passed : Ending::leak, text, registers);
  return {};
}

// Who waits for a file descriptor is left out: a minute of virtual time is no time for the kernel.
Result<std::vector<LeftOver>> Run::list_left_over() {
  WEIR_TRY(const auto all, list_goroutines());
  const auto& reasons = binary_.program().wait_reasons();
  std::vector<LeftOver> left;
  for (const Listed& one : all) {
    const std::string_view state = state_word(one.status);
    if (one.system || state.empty() || before_.contains(one.id) || one.id == exiting_) continue;
    std::string reason{state};
    if (one.status == status_waiting && one.reason < reasons.size()) reason = reasons[one.reason];
    if (reason != "IO wait") left.push_back({one.id, std::move(reason)});
  }
  std::sort(left.begin(), left.end());
  return left;
}

Result<std::vector<Run::Listed>> Run::list_goroutines() {
  const auto& globals = binary_.program().globals();
  WEIR_TRY(const auto count, process_->read_value<std::uint64_t>(globals.allglen));
  WEIR_TRY(const Address first, process_->read_value<Address>(globals.allgptr));
  if (count > goroutine_limit) return fail(ErrorCode::limit, "too many goroutines", first);
  std::vector<Address> pointers(count);
  WEIR_TRY_VOID(process_->read(first, std::as_writable_bytes(std::span(pointers))));
  std::vector<std::byte> g(layout_.g.size.value());
  std::vector<Listed> all;
  for (const Address at : pointers) {
    WEIR_TRY_VOID(process_->read(at, g));
    const auto status = static_cast<std::uint32_t>(layout_.g.atomicstatus.load(g)) & ~scan_bit;
    all.push_back({Goid{layout_.g.goid.load(g)}, status,
                   static_cast<std::uint8_t>(layout_.g.waitreason.load(g)),
                   queue_.is_system({layout_.g.startpc.load(g)})});
  }
  return all;
}

void Run::finish() {
  record_.objects.resize(objects_.size());
  for (const auto& [at, number] : objects_) record_.objects[number - 1] = at;
  record_.output = output_.read();
  if (record_.ending == Ending::panic) {
    const auto at = record_.output.find("panic: ");
    if (at != std::string::npos)
      record_.message = record_.output.substr(at, record_.output.find('\n', at) - at);
  }
  mix(static_cast<std::uint64_t>(record_.ending));
  record_.hash = hash_;
}

}  // namespace

Result<RunRecord> run_schedule(const TestBinary& binary, const RunOptions& options,
                               Chooser& chooser, Watchdog& watchdog) {
  Run run(binary, options, chooser, watchdog);
  return run.go();
}

}  // namespace weir::sched
