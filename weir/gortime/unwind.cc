#include "weir/gortime/unwind.h"

namespace weir::gortime {
namespace {

bool is_injected_call(gosym::FuncId id) {
  return id == gosym::FuncId::sigpanic || id == gosym::FuncId::async_preempt ||
         id == gosym::FuncId::debug_call;
}

}  // namespace

bool calls_vdso(std::string_view function) {
  return function == "runtime.nanotime1" || function == "time.now" ||
         function == "runtime.walltime" || function == "runtime.vgetrandom1";
}

const Unwinder::PcFacts& Unwinder::facts_at(Address pc) {
  const auto [entry, is_new] = cache_.try_emplace(pc);
  PcFacts& facts = entry->second;
  if (!is_new) return facts;
  const LinkAddr link = bias_.to_link(pc);
  const auto function = table_.find_function(link);
  if (!function) return facts;
  facts.found = true;
  facts.entry = bias_.to_run(function->entry);
  facts.id = function->id;
  facts.flags = function->flags;
  const auto delta = table_.find_sp_delta(*function, link);
  facts.has_frame_info = function->sp_program != 0 && delta.has_value();
  facts.sp_delta = delta.value_or(0);
  return facts;
}

Unwound Unwinder::unwind(const StackWords& stack, const UnwindStart& start,
                         std::size_t max_frames) {
  Unwound result;
  Address pc = start.pc, sp = start.sp, link = start.link;
  bool exact = start.exact;
  if (!pc) {  // a call of a nil func: begin in the caller
    const auto word = stack.find(sp);
    pc = Address{word.value_or(0)};
    if (!arm64_) sp = sp + 8;
  }
  for (bool innermost = true;; innermost = false) {
    const PcFacts& facts = facts_at(pc);
    if (!facts.found) {
      result.end = UnwindEnd::no_code;
      return result;
    }
    if (!facts.has_frame_info)
      return result;  // external code such as the race detector's: the walk ends
    if (result.frames.size() == max_frames) {
      result.end = UnwindEnd::limit;
      return result;
    }
    result.frames.push_back({pc, exact || pc == facts.entry});
    result.bottoms.push_back(sp);
    if (facts.flags.top_frame()) return result;
    const bool sp_write = facts.flags.sp_write() && facts.id != gosym::FuncId::cgocallback &&
                          !(innermost && start.syscall);
    if (sp_write) {
      result.end = UnwindEnd::switched;
      return result;
    }
    const Address frame_end = sp + static_cast<std::uint64_t>(facts.sp_delta) + (arm64_ ? 0 : 8);
    const bool in_register = arm64_ && link && !(innermost && sp < frame_end);
    const auto word = stack.find(arm64_ ? sp : frame_end - 8);
    if (!in_register && !word) {
      result.end = UnwindEnd::cut;
      return result;
    }
    const Address caller = in_register ? link : Address{*word};
    if (!caller) return result;
    if (frame_end <= sp && caller == pc) {  // no progress: not a stack
      result.end = UnwindEnd::no_code;
      return result;
    }
    exact = is_injected_call(facts.id);
    link = {};
    pc = caller;
    sp = frame_end;
    if (arm64_ && exact) {  // the signal handler saved the link register before it faked the call
      const auto saved = stack.find(sp);
      sp = sp + 16;
      const PcFacts& next = facts_at(pc);
      if (!next.found) {
        pc = Address{saved.value_or(0)};
      } else if (next.sp_delta == 0) {
        link = Address{saved.value_or(0)};
      }
    }
  }
}

}  // namespace weir::gortime
