#include "weir/ingest/proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "weir/gortime/unwind.h"
#include "weir/ingest/holder_roots.h"
#include "weir/model/describe.h"

namespace weir::ingest {
namespace {

using gortime::GoroutineState;
using gortime::ReachGoroutine;
using gortime::ReachRoot;
using gortime::ReachVerdict;
using gortime::RootKind;
using model::Goroutine;
using model::ProofVerdict;
using model::WaitKind;

constexpr std::size_t most_frames = 10'000;
constexpr std::size_t most_steps = 12;

bool waits_for_ever(const Goroutine& goroutine) {
  if (!goroutine.blocked_on) return false;
  const WaitKind kind = goroutine.blocked_on->kind;
  return kind == WaitKind::nil_channel_send || kind == WaitKind::nil_channel_receive ||
         kind == WaitKind::select_no_cases;
}

class Words {
 public:
  explicit Words(const ProofSource& source)
      : source_(source),
        unwinder_(source.program.table(), source.program.bias(), source.program.file().machine()) {}

  std::string root(const ReachRoot& root) {
    switch (root.kind) {
      case RootKind::global:
        return variable(root.at);
      case RootKind::goroutine:
        return stack(root);
      case RootKind::registers:
        return fmt::format("a register of thread {}", root.thread);
      case RootKind::system_stack:
        return fmt::format("the system stack of thread {}", root.thread);
      case RootKind::timer:
        return "a pending timer";
      case RootKind::finalizer:
        return "a finalizer or cleanup";
      case RootKind::weak:
        return "a weak pointer";
      case RootKind::pinned:
        return "a runtime.Pinner";
      case RootKind::foreign:
        return fmt::format("memory of C code at {:#x}", root.at.value);
    }
    return {};
  }

 private:
  /// Many are held by the same variable, and its symbol is searched for one by one.
  const std::string& variable(Address at) {
    const auto [entry, added] = variables_.try_emplace(at.value);
    if (added) entry->second = name_variable(source_.program, at);
    return entry->second;
  }

  std::string stack(const ReachRoot& root) {
    if (states_.empty())
      for (const GoroutineState& state : source_.states) states_[state.id.value] = &state;
    const auto found = states_.find(root.goroutine.value);
    if (found == states_.end()) return fmt::format("goroutine {}", root.goroutine.value);
    const GoroutineState& state = *found->second;
    if (root.at < state.stack_lo || root.at >= state.stack_hi)
      return fmt::format("goroutine {}'s defers, panics, timer or start function",
                         root.goroutine.value);
    const std::string frame = frame_of(state, root.at);
    return fmt::format("goroutine {}'s stack{}{}", root.goroutine.value, frame.empty() ? "" : ", ",
                       frame);
  }

  /// The function whose frame holds the address: from its stack pointer up to its caller's.
  std::string frame_of(const GoroutineState& state, Address at) {
    gortime::UnwindStart start{state.sched_pc, state.sched_sp, {}, false, false};
    if (state.status == gortime::GStatus::syscall)
      start = {state.syscall_pc, state.syscall_sp, {}, false, true};
    const auto unwound = unwinder_.unwind({state.stack_at, state.stack}, start, most_frames);
    for (std::size_t i = 0; i < unwound.frames.size(); ++i) {
      const bool last = i + 1 == unwound.frames.size();
      if (at < unwound.bottoms[i] || (!last && at >= unwound.bottoms[i + 1])) continue;
      const auto& frame = unwound.frames[i];
      const LinkAddr pc =
          source_.program.bias().to_link(frame.exact ? frame.pc : frame.pc - std::uint64_t{1});
      const auto function = source_.program.table().find_function(pc);
      if (!function) return {};
      std::vector<gosym::InlineFrame> calls;
      source_.program.table().append_frames(*function, pc, calls);
      const gosym::InlineFrame& outer = calls.back();
      return fmt::format("{}  {}:{}",
                         gosym::name_for_print(outer.function, source_.program.go_minor()),
                         outer.source.file, outer.source.line);
    }
    return {};
  }

  const ProofSource& source_;
  gortime::Unwinder unwinder_;
  std::unordered_map<std::uint64_t, const GoroutineState*> states_;
  std::unordered_map<std::uint64_t, std::string> variables_;  // by address
};

std::string waits_on(const Goroutine& goroutine) {
  return goroutine.blocked_on ? model::describe(*goroutine.blocked_on) : goroutine.wait_reason;
}

std::vector<std::string> path_of(const ReachGoroutine& found, const Goroutine& goroutine,
                                 Words& words) {
  std::vector<std::string> path;
  if (!found.root) return path;
  path.push_back(words.root(*found.root));
  for (std::size_t i = 0; i + 1 < found.path.size(); ++i) {
    if (i == most_steps) {
      path.push_back(fmt::format("{} more", found.path.size() - 1 - i));
      break;
    }
    path.push_back(fmt::format("{:#x} ({} bytes)", found.path[i].start.value, found.path[i].size));
  }
  path.push_back(waits_on(goroutine));
  return path;
}

model::ProofGoroutine verdict_of(const ReachGoroutine& found, const Goroutine& goroutine,
                                 Words& words) {
  model::ProofGoroutine out;
  out.id = goroutine.id;
  switch (found.verdict) {
    case ReachVerdict::not_applicable:
      out.because = goroutine.wait_reason.empty()
                        ? fmt::format("it is {}", model::to_string(goroutine.status))
                        : fmt::format("a wait of the kind \"{}\" is ended from outside, or by time",
                                      goroutine.wait_reason);
      break;
    case ReachVerdict::held:
      out.verdict = ProofVerdict::held;
      out.because = std::string(found.because);
      out.path = path_of(found, goroutine, words);
      if (found.root && found.root->kind == RootKind::goroutine)
        out.held_by = found.root->goroutine;
      out.is_variable = found.root && found.path.empty();
      break;
    case ReachVerdict::proved:
      if (goroutine.id.value == 1 && goroutine.blocked_on &&
          goroutine.blocked_on->kind == WaitKind::select_no_cases) {
        out.because = "main waits in select {}, which programs do on purpose";
        break;
      }
      out.verdict = ProofVerdict::proved;
      out.because = waits_for_ever(goroutine)
                        ? "nothing ever ends such a wait"
                        : "no variable, timer, finalizer, thread or goroutine that can go on leads "
                          "to what it waits for";
      break;
  }
  return out;
}

}  // namespace

gortime::ReachOptions reach_options(const ProofOptions& options, bool record) {
  gortime::ReachOptions reach;
  reach.max_memory = options.max_memory;
  reach.without = options.without;
  reach.own_memory = options.own_memory;
  reach.recorded = record;
  return reach;
}

model::Proof describe_proof(const ProofSource& source, const Result<gortime::ReachReport>& found) {
  model::Proof proof;
  if (!found) {
    proof.refused = to_string(found.error());
    return proof;
  }
  proof.scanned_bytes = found->scanned_bytes;
  std::unordered_map<std::uint64_t, const ReachGoroutine*> by_id;
  for (const ReachGoroutine& goroutine : found->goroutines) by_id[goroutine.id.value] = &goroutine;
  Words words(source);
  for (const Goroutine& goroutine : source.snapshot.goroutines) {
    const auto entry = by_id.find(goroutine.id.value);
    if (goroutine.system || entry == by_id.end()) continue;
    proof.goroutines.push_back(verdict_of(*entry->second, goroutine, words));
  }
  return proof;
}

}  // namespace weir::ingest
