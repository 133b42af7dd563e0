#include "weir/sched/hooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/gortime/references.h"
#include "weir/model/goname.h"
#include "weir/target/entry_instruction.h"

namespace weir::sched {
namespace {

using gosym::Function;
using gosym::InlineFrame;

struct FunctionHook {
  std::string_view function;
  HookKind kind;
  const char* name;
  bool needed = false;
  Argument object = Argument::none;
};

constexpr std::array function_hooks{
    FunctionHook{"runtime.newm", HookKind::new_thread, "", true},
    FunctionHook{"runtime.startm", HookKind::start_thread, "", true},
    FunctionHook{"runtime.GOMAXPROCS", HookKind::processors, ""},
    FunctionHook{"testing.tRunner", HookKind::test_start, "", true},
    FunctionHook{"runtime.execute", HookKind::execute, "", true},
    FunctionHook{"runtime.netpoll", HookKind::poll, "", true},
    FunctionHook{"runtime.fatal", HookKind::fatal, "", true},
    FunctionHook{"runtime.throw", HookKind::crash, "", true},
    FunctionHook{"runtime.fatalpanic", HookKind::panic, "", true},
    FunctionHook{"os.Exit", HookKind::exit, "", true},
    FunctionHook{"runtime.chansend1", HookKind::operation, "chan send", false, Argument::first},
    FunctionHook{"runtime.chanrecv1", HookKind::operation, "chan receive", false, Argument::first},
    FunctionHook{"runtime.chanrecv2", HookKind::operation, "chan receive", false, Argument::first},
    FunctionHook{"runtime.selectnbsend", HookKind::operation, "try chan send", false,
                 Argument::first},
    FunctionHook{"runtime.selectnbrecv", HookKind::operation, "try chan receive", false,
                 Argument::second},
    FunctionHook{"runtime.closechan", HookKind::operation, "close", false, Argument::first},
    FunctionHook{"runtime.selectgo", HookKind::operation, "select"},
    FunctionHook{"sync.(*WaitGroup).Wait", HookKind::operation, "sync.(*WaitGroup).Wait", false,
                 Argument::first},
    FunctionHook{"sync.(*Cond).Wait", HookKind::operation, "sync.(*Cond).Wait", false,
                 Argument::first},
    FunctionHook{"sync.runtime_notifyListNotifyOne", HookKind::operation, "sync.(*Cond).Signal",
                 false, Argument::first},
    FunctionHook{"sync.runtime_notifyListNotifyAll", HookKind::operation, "sync.(*Cond).Broadcast",
                 false, Argument::first},
    FunctionHook{"sync.(*Once).doSlow", HookKind::operation, "sync.(*Once).Do", false,
                 Argument::first},
    FunctionHook{"internal/poll.runtime_pollOpen", HookKind::observation, observation_outside},
    FunctionHook{"os.OpenFile", HookKind::observation, observation_outside},
    FunctionHook{"syscall.forkExec", HookKind::observation, "other processes"},
    FunctionHook{"runtime.cgocall", HookKind::observation, observation_c},
    FunctionHook{"os/signal.signal_enable", HookKind::observation, "signals"},
    FunctionHook{"runtime.LockOSThread", HookKind::observation, "a locked thread"},
    FunctionHook{"runtime.GC", HookKind::observation, "the garbage collector"},
    FunctionHook{"time.Sleep", HookKind::observation, observation_unordered},
    FunctionHook{"time.startTimer", HookKind::observation, observation_unordered},  // to go1.22
    FunctionHook{"time.newTimer", HookKind::observation, observation_unordered},
    FunctionHook{"time.resetTimer", HookKind::observation, observation_unordered},
    FunctionHook{"time.stopTimer", HookKind::observation, observation_unordered},
    FunctionHook{"runtime.chanlen", HookKind::observation, observation_unordered},
    FunctionHook{"runtime.newcoro", HookKind::observation, observation_unordered},
    FunctionHook{"reflect.chansend0", HookKind::observation, observation_unordered},
    FunctionHook{"reflect.chanrecv", HookKind::observation, observation_unordered},
    FunctionHook{"reflect.chanclose", HookKind::observation, observation_unordered},
    FunctionHook{"reflect.chanlen", HookKind::observation, observation_unordered},
    FunctionHook{"reflect.rselect", HookKind::observation, observation_unordered},
    FunctionHook{"internal/synctest.Run", HookKind::observation, observation_unordered},
    FunctionHook{"internal/synctest.Wait", HookKind::observation, observation_unordered},
};

/// The standard packages whose order of events is a subject of tests. The others only take locks
/// for their own sake.
constexpr std::array<std::string_view, 5> explored_standard{"context", "io", "database/sql",
                                                            "net/http", "net/http/httptest"};

constexpr std::string_view atomics = "sync/atomic";

/// What package sync does for itself, and the halves of operations that are asked about as a whole.
bool is_pointless(std::string_view operation) {
  constexpr std::array<std::string_view, 9> endings{
      ").lockSlow", ").unlockSlow", ").rUnlockSlow", ").check",        ").syncMapUse",
      ").pin",      ").pinSlow",    ").doSlow",      "WaitGroup).Wait"};
  if (operation.starts_with("sync.(*Pool)") || operation.starts_with("sync.(*pool") ||
      operation.starts_with("sync.(*Cond)") || operation.starts_with("sync.runtime_") ||
      operation.find(".deferwrap") != std::string_view::npos)
    return true;
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return operation.ends_with(ending); });
}

/// Operations after which no order of goroutines is possible that was not possible before (left
/// movers: Lipton, CACM 1975).
bool is_release(std::string_view operation) {
  return operation.ends_with(").Unlock") || operation.ends_with(").RUnlock");
}

class Builder {
 public:
  explicit Builder(const gortime::Program& program) : program_(program) {}

  Result<HookTable> build() {
    if (program_.file().machine() != elf::Machine::amd64)
      return fail(ErrorCode::unsupported, "weir controls schedules on amd64 only");
    result_.race = table().find_function("runtime.racefuncenter").has_value();
    if (result_.race && program_.go_minor() < 20)  // why has not been found
      return fail(
          ErrorCode::unsupported,
          "the program is built with -race by Go 1.19, and with that about one process in a "
          "hundred goes another way; build it with Go 1.20 or later, or without -race");
    for (const FunctionHook& hook : function_hooks) WEIR_TRY_VOID(add_function(hook));
    for (std::uint32_t i = 0; i < table().size(); ++i)
      if (const auto function = table().function(i)) WEIR_TRY_VOID(add_atomics(*function));
    result_.sysmon = program_.find_entry("runtime.sysmon");
    if (const Address sleep = program_.find_entry("time.Sleep")) result_.sleep = sleep;
    result_.template_thread = find_template_thread();
    sum_up();
    return std::move(result_);
  }

 private:
  const gosym::Table& table() const { return program_.table(); }

  Result<void> add_function(const FunctionHook& what) {
    const auto function = table().find_function(what.function);
    if (!function && what.kind == HookKind::test_start)
      return fail(ErrorCode::unsupported, "this is no Go test binary (go test -c makes one)");
    if (!function && what.needed)
      return fail(ErrorCode::unsupported, fmt::format("the program has no {}", what.function));
    if (!function) return {};
    Hook hook;
    hook.kind = what.kind;
    hook.name = what.name;
    hook.object = what.object;
    WEIR_TRY(const bytes::Bytes code, program_.file().read(function->entry, 16));
    const auto entry = target::parse_entry_instruction(code);
    hook.checks_stack = entry && entry->kind != target::EntryInstruction::Kind::push_bp;
    if (what.kind == HookKind::operation) hook.caller = 0;
    add(std::move(hook), function->entry);
    return {};
  }

  void add(Hook hook, LinkAddr at) {
    hook.at = program_.bias().to_run(at);
    result_.hooks.emplace(hook.at.value, std::move(hook));
  }

  Result<void> add_atomics(const Function& function) {
    const std::string package = model::package_of(function.name);
    const bool in_sync = is_sync(package);
    if ((!in_sync && !is_explored(package)) || function.flags.assembly()) return {};
    if (function.end.value <= function.entry.value) return {};
    const auto code =
        program_.file().read(function.entry, function.end.value - function.entry.value);
    if (!code) return {};
    for (const gortime::AtomicSite& site :
         gortime::find_atomic_sites(*code, function.entry, elf::Machine::amd64))
      add_atomic(function, site.at, in_sync, site, "atomic operation");
    if (result_.race && package != atomics) add_atomic_calls(function, *code, in_sync);
    return {};
  }

  /// The race detector has to see atomic operations: they are functions there, loads and stores
  /// among them (src/runtime/race_amd64.s), and their methods are not inlined.
  void add_atomic_calls(const Function& function, bytes::Bytes code, bool in_sync) {
    for (const gortime::CallSite& call :
         gortime::find_calls(code, function.entry, elf::Machine::amd64)) {
      const auto callee = table().find_function(call.target);
      if (!callee || callee->entry != call.target) continue;
      if (model::package_of(callee->name) != atomics) continue;
      add_atomic(function, call.at, in_sync, std::nullopt, callee->name);
    }
  }

  /// `site` is the instruction's operand; without one it is a call, whose first argument is that.
  void add_atomic(const Function& function, LinkAddr at, bool in_sync,
                  const std::optional<gortime::AtomicSite>& site, std::string_view name) {
    frames_.clear();
    table().append_frames(function, at, frames_);
    const std::string operation = operation_at(name);
    if (is_pointless(operation)) return;
    Hook hook;
    const bool safe = is_safe(function, at);
    hook.asks = safe && !is_release(operation);
    hook.kind = HookKind::atomic;
    hook.name = operation;
    hook.site = site;
    if (!site) hook.object = Argument::first;
    if (in_sync) {
      const auto delta = table().find_sp_delta(function, at);
      if (!delta) return;
      hook.caller = *delta;
    }
    if (operation.ends_with(").TryLock") || operation.ends_with(").TryRLock"))
      result_.tries_locks = true;
    if (hook.asks) ++result_.atomic_sites;
    if (!safe) ++result_.unsafe_sites;
    add(std::move(hook), at);
  }

  /// What the user's code calls here: the outermost of the innermost frames that belong to sync.
  /// `otherwise` where there is none.
  std::string operation_at(std::string_view otherwise) const {
    std::string_view name = otherwise;
    for (const InlineFrame& frame : frames_) {
      if (!is_sync(model::package_of(frame.function))) break;
      name = frame.function;
    }
    constexpr std::string_view part_of_it = "internal/";  // of sync, whose users do not know it
    if (name.starts_with("internal/sync.(*Mutex)")) name.remove_prefix(part_of_it.size());
    return std::string(name);
  }

  /// What isAsyncSafePoint (src/runtime/preempt.go) decides by the place alone.
  bool is_safe(const Function& function, LinkAddr pc) const {
    if (table().find_pcdata(function, gosym::pcdata_unsafe_point, pc) != gosym::unsafe_point_safe)
      return false;
    if (!table().find_funcdata(function, gosym::funcdata_locals_maps)) return false;
    const std::string_view innermost = frames_.empty() ? "" : frames_.front().function;
    return !innermost.starts_with("runtime.") && !innermost.starts_with("runtime/internal/") &&
           !innermost.starts_with("internal/runtime/") && !innermost.starts_with("reflect.");
  }

  /// What startTemplateThread (src/runtime/proc.go) compares and swaps: it takes the address first.
  std::optional<Address> find_template_thread() const {
    const auto function = table().find_function("runtime.startTemplateThread");
    if (!function || function->end.value <= function->entry.value) return std::nullopt;
    const auto code =
        program_.file().read(function->entry, function->end.value - function->entry.value);
    if (!code) return std::nullopt;
    constexpr auto amd64 = elf::Machine::amd64;
    const auto sites = gortime::find_atomic_sites(*code, function->entry, amd64);
    if (sites.empty()) return std::nullopt;
    std::optional<Address> found;
    for (const gortime::Reference& one : gortime::find_references(*code, function->entry, amd64))
      if (one.kind == gortime::Reference::Kind::address && one.at < sites.front().at)
        found = program_.bias().to_run(one.target);
    return found;
  }

  void sum_up() {
    std::vector<std::uint64_t> all;
    for (const auto& [at, hook] : result_.hooks) {
      all.push_back(at - program_.bias().value);
      all.back() = all.back() * 31 + static_cast<std::uint64_t>(hook.kind);
    }
    std::sort(all.begin(), all.end());
    constexpr std::uint64_t rules = 2;  // of what the agent makes of them: grows when they change
    result_.hash = 0xcbf29ce484222325 ^ rules;
    for (const std::uint64_t one : all) result_.hash = (result_.hash ^ one) * 0x100000001b3;
  }

  const gortime::Program& program_;
  HookTable result_;
  std::vector<InlineFrame> frames_;
};

}  // namespace

const Hook* HookTable::find(Address at) const {
  const auto found = hooks.find(at.value);
  return found == hooks.end() ? nullptr : &found->second;
}

bool is_sync(std::string_view package) {
  return package == "sync" || package == "sync/atomic" || package == "internal/sync";
}

bool is_explored(std::string_view package) {
  if (package.empty() || package.starts_with("type:") || package.starts_with("go:")) return false;
  if (is_sync(package) || !model::is_standard_package(package)) return true;
  return std::find(explored_standard.begin(), explored_standard.end(), package) !=
         explored_standard.end();
}

Result<HookTable> build_hooks(const gortime::Program& program) {
  Builder builder(program);
  return builder.build();
}

}  // namespace weir::sched
