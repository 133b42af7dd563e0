#include "weir/ingest/snapshot_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/gortime/gather.h"
#include "weir/gosym/type_name.h"

namespace weir::ingest {
namespace {

using gortime::GoroutineState;
using gortime::GStatus;
using gortime::UnwindFrame;

constexpr std::size_t max_frames = 4096;

model::Status to_model(GStatus status) {
  switch (status) {
    case GStatus::idle:
      return model::Status::idle;
    case GStatus::runnable:
      return model::Status::runnable;
    case GStatus::running:
      return model::Status::running;
    case GStatus::syscall:
      return model::Status::syscall;
    case GStatus::waiting:
      return model::Status::waiting;
    case GStatus::dead:
    case GStatus::dead_extra:
      return model::Status::dead;
    case GStatus::copystack:
      return model::Status::copystack;
    case GStatus::preempted:
      return model::Status::preempted;
    case GStatus::leaked:
      return model::Status::leaked;
  }
  return model::Status::unknown;
}

}  // namespace

namespace {

/// The goroutines that run the user's finalizers and cleanups.
bool runs_finalizers(const std::string& start_function) {
  return start_function == "runtime.runfinq" || start_function == "runtime.runFinalizers" ||
         start_function == "runtime.runCleanups";
}

/// Of what changes when a goroutine that waits is woken. Its stack pointer is not: the collector
/// moves stacks.
std::uint64_t parked_as(const GoroutineState& state) {
  std::uint64_t hash = state.waits() ? 1 : 2;
  for (const std::uint64_t word : {std::uint64_t{state.tracking_seq}, state.sched_pc.value,
                                   state.waiting.value, state.g.value})
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash | 1;
}

/// No code of the user's is on the stack: woken, say, and on its way to the first finalizer.
bool is_runtime_only(const model::Stack& stack) {
  return std::all_of(stack.begin(), stack.end(), [](const model::Frame& frame) {
    return frame.function.starts_with("runtime.");
  });
}

}  // namespace

bool is_system_goroutine(const std::string& start_function, const std::string& wait_reason) {
  if (!start_function.starts_with("runtime.")) return false;
  if (start_function == "runtime.main" || start_function == "runtime.corostart" ||
      start_function == "runtime.handleAsyncEvent")
    return false;
  if (start_function == "runtime.runfinq" || start_function == "runtime.runFinalizers")
    return wait_reason == "finalizer wait";
  if (start_function == "runtime.runCleanups") return wait_reason == "cleanup wait";
  return true;
}

std::function<std::optional<Address>(int)> stack_pointers_of(const Moment& moment) {
  return [&moment](int go_id) -> std::optional<Address> {
    const auto found = moment.registers.find(go_id);
    if (found == moment.registers.end()) return std::nullopt;
    return found->second.sp;
  };
}

std::size_t SnapshotBuilder::PcsHash::operator()(
    const std::vector<UnwindFrame>& frames) const noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const UnwindFrame& frame : frames)
    hash = (hash ^ (frame.pc.value * 2 + (frame.exact ? 1 : 0))) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

SnapshotBuilder::SnapshotBuilder(const gortime::Program& program, target::Memory& memory,
                                 const Moment& moment)
    : program_(program),
      memory_(memory),
      moment_(moment),
      unwinder_(program.table(), program.bias(), program.file().machine()) {
  blocking_.layout = &program.layout();
  blocking_.monotonic_now = moment.monotonic_now;
  blocking_.type_name = [this](Address type) { return type_name(type); };
  blocking_.fd_target = [this](int fd) {
    const auto found = moment_.fds.find(fd);
    return found == moment_.fds.end() ? std::string() : found->second;
  };
}

std::vector<model::Goroutine> SnapshotBuilder::build(const std::vector<GoroutineState>& states) {
  std::vector<model::Goroutine> goroutines;
  goroutines.reserve(states.size());
  for (const GoroutineState& state : states) {
    if (state.g && state.id.value == 0 && state.torn) {
      notes_.add(Severity::loss, "a goroutine's g struct could not be read", to_hex(state.g));
      continue;
    }
    if (state.alive()) goroutines.push_back(build_one(state));
  }
  std::sort(goroutines.begin(), goroutines.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return goroutines;
}

model::Goroutine SnapshotBuilder::build_one(const GoroutineState& state) {
  model::Goroutine g;
  g.id = state.id;
  g.g = state.g;
  g.status = to_model(state.status);
  if (g.status == model::Status::unknown) {
    notes_.add(Severity::warning, "a goroutine has a status that weir does not know",
               fmt::format("goroutine {}", state.id.value));
  }
  const bool waiting = state.waits();
  g.wait_reason = wait_reason_of(state);
  g.parked_as = parked_as(state);
  if ((waiting || state.status == GStatus::syscall) && state.wait_since > 0 &&
      moment_.monotonic_now)
    g.waiting_at_least =
        Nanos{std::max<std::int64_t>(0, moment_.monotonic_now->value - state.wait_since)};
  g.locked_to_thread = static_cast<bool>(state.locked_m);
  g.synctest_bubble = state.bubble_id;
  g.labels = state.labels;
  g.start_function = function_at(state.start_pc);
  g.system = is_system_goroutine(g.start_function, g.wait_reason);
  if (state.thread) {
    const auto known = moment_.thread_ids.find(*state.thread);
    g.thread = known == moment_.thread_ids.end() ? *state.thread : known->second;
  }
  if (!waiting && state.status != GStatus::running && state.status != GStatus::syscall)
    g.thread.reset();
  g.created = creation_of(state);
  g.ancestors = ancestors_of(state);
  if (state.torn) {
    g.stack = std::make_shared<const model::Stack>();
    g.stack_truncated = true;
    notes_.add(Severity::loss, "there was no time to read a goroutine's stack",
               fmt::format("goroutine {}", state.id.value), "allow a longer stop with -max-stop");
    return g;
  }
  g.stack = stack_of(state, g.stack_truncated);
  if (runs_finalizers(g.start_function)) g.system = is_runtime_only(*g.stack);
  if (waiting) g.blocked_on = blocking_of(state, g.wait_reason, *g.stack, blocking_);
  return g;
}

std::optional<gortime::UnwindStart> SnapshotBuilder::start_of(const GoroutineState& state) {
  if (state.status == GStatus::syscall && state.syscall_sp)
    return gortime::UnwindStart{state.syscall_pc, state.syscall_sp, {}, false, true};
  if (state.status != GStatus::running)
    return gortime::UnwindStart{state.sched_pc, state.sched_sp, {}, false, false};
  const auto thread =
      state.thread ? moment_.registers.find(*state.thread) : moment_.registers.end();
  if (thread == moment_.registers.end()) return std::nullopt;
  const target::Registers& registers = thread->second;
  if (registers.sp >= state.stack_lo && registers.sp < state.stack_hi) {
    const auto at = program_.table().find_function(program_.bias().to_link(registers.pc));
    return gortime::UnwindStart{registers.pc, registers.sp, registers.link, true,
                                at && gortime::calls_vdso(at->name)};
  }
  if (const auto& own = state.own_code)
    return gortime::UnwindStart{own->pc, own->sp, {}, own->exact, false};
  // On the system stack. sched is only fresh if systemstack() left it (it then points into
  // systemstack_switch); otherwise it is from the last time the goroutine was parked.
  const auto function = program_.table().find_function(program_.bias().to_link(state.sched_pc));
  if (function && function->id == gosym::FuncId::systemstack_switch)
    return gortime::UnwindStart{state.sched_pc, state.sched_sp, {}, false, false};
  return std::nullopt;
}

model::SharedStack SnapshotBuilder::stack_of(const GoroutineState& state, bool& truncated) {
  const auto start = start_of(state);
  if (!start) {
    truncated = true;
    notes_.add(Severity::warning,
               "a running goroutine's stack is not to be had: its thread is in the runtime or in C",
               fmt::format("goroutine {}", state.id.value));
    return std::make_shared<const model::Stack>();
  }
  const auto unwound = unwinder_.unwind({state.stack_at, state.stack}, *start, max_frames);
  truncated = unwound.end == gortime::UnwindEnd::cut || unwound.end == gortime::UnwindEnd::limit;
  if (truncated) {
    const bool too_long = state.stack.size() * 8 >= gortime::GatherLimits{}.stack_bytes ||
                          unwound.end == gortime::UnwindEnd::limit;
    notes_.add(Severity::loss,
               too_long ? "a stack is longer than weir copies; its outermost frames are missing"
                        : "part of a stack could not be read; its outermost frames are missing",
               fmt::format("goroutine {}", state.id.value));
  }
  return symbolise(unwound.frames);
}

model::SharedStack SnapshotBuilder::symbolise(const std::vector<UnwindFrame>& frames) {
  const auto [entry, is_new] = stacks_.try_emplace(frames);
  if (!is_new) return entry->second;
  model::Stack stack;
  for (const UnwindFrame& frame : frames) {
    const model::Stack& calls = frames_at(frame);
    stack.insert(stack.end(), calls.begin(), calls.end());
  }
  entry->second = std::make_shared<const model::Stack>(std::move(stack));
  return entry->second;
}

const model::Stack& SnapshotBuilder::frames_at(const UnwindFrame& frame) {
  auto& cache = frame.exact ? frames_exact_ : frames_call_;
  const auto [entry, is_new] = cache.try_emplace(frame.pc);
  if (!is_new) return entry->second;
  const auto& table = program_.table();
  const LinkAddr pc = program_.bias().to_link(frame.pc);
  const auto function = table.find_function(pc);
  if (!function) return entry->second;
  std::vector<gosym::InlineFrame> calls;
  table.append_frames(*function, frame.exact ? pc : LinkAddr{pc.value - 1}, calls);
  for (const gosym::InlineFrame& call : calls) {
    model::Frame out;
    out.function = gosym::name_for_print(call.function, program_.go_minor());
    out.file = call.source.file;
    out.line = call.source.line;
    out.pc = frame.pc;
    out.offset = pc.value - function->entry.value;
    out.inlined = call.inlined;
    out.wrapper = call.id == gosym::FuncId::wrapper;
    out.args = "...";
    entry->second.push_back(std::move(out));
  }
  return entry->second;
}

model::Creation SnapshotBuilder::creation_of(const GoroutineState& state) {
  const auto [entry, is_new] = creations_.try_emplace(state.go_pc);
  model::Creation& creation = entry->second;
  if (is_new) {
    // runtime.printcreatedby1: the physical function's name, the line of the call.
    const LinkAddr pc = program_.bias().to_link(state.go_pc);
    const auto function = program_.table().find_function(pc);
    if (function) {
      const LinkAddr call = pc > function->entry ? LinkAddr{pc.value - 1} : pc;
      const auto line = program_.table().find_line(*function, call);
      creation.function = gosym::name_for_print(function->name, program_.go_minor());
      creation.file = line.file;
      creation.line = line.line;
      creation.pc = state.go_pc;
      creation.offset = pc.value - function->entry.value;
    }
  }
  model::Creation result = creation;
  result.by = state.parent;
  return result;
}

std::vector<model::Ancestor> SnapshotBuilder::ancestors_of(const GoroutineState& state) {
  std::vector<model::Ancestor> ancestors;
  for (const gortime::AncestorState& from : state.ancestors) {
    model::Ancestor ancestor;
    ancestor.id = from.id;
    std::vector<UnwindFrame> frames;
    for (const Address pc : from.pcs) frames.push_back({pc, false});
    ancestor.stack = *symbolise(frames);
    ancestors.push_back(std::move(ancestor));
  }
  return ancestors;
}

CensusEntry SnapshotBuilder::census_entry(const GoroutineState& state) {
  CensusEntry entry;
  entry.id = state.id;
  entry.status = to_model(state.status);
  entry.wait_reason = wait_reason_of(state);
  entry.parked_as = parked_as(state);
  entry.start_function = function_at(state.start_pc);
  entry.parent = state.parent;
  entry.system = is_system_goroutine(entry.start_function, entry.wait_reason);
  return entry;
}

std::string SnapshotBuilder::wait_reason_of(const GoroutineState& state) const {
  const auto& reasons = program_.wait_reasons();
  if (!state.waits() || state.wait_reason == 0 || state.wait_reason >= reasons.size()) return {};
  return reasons[state.wait_reason];
}

std::string SnapshotBuilder::type_name(Address type) {
  const auto [entry, is_new] = types_.try_emplace(type);
  if (!is_new) return entry->second;
  const auto read = [this](Address at, std::span<std::byte> into) {
    return memory_.read(at, into).has_value();
  };
  auto name = gosym::read_type_name(read, program_.types(), program_.types_end(), type);
  if (name) {
    entry->second = std::move(*name);
  } else {
    notes_.add(Severity::info,
               "a channel's element type has no readable name: " + name.error().what, to_hex(type));
  }
  return entry->second;
}

std::string SnapshotBuilder::function_at(Address pc) {
  const auto [entry, is_new] = functions_.try_emplace(pc);
  if (!is_new) return entry->second;
  const auto function = program_.table().find_function(program_.bias().to_link(pc));
  if (function) entry->second = gosym::name_for_print(function->name, program_.go_minor());
  return entry->second;
}

}  // namespace weir::ingest
