#include "weir/gortime/held_locks.h"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "weir/gortime/lock_operands.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t most_code = 1 << 20;  // bytes of one function
constexpr std::uint64_t reader_count = 16;    // RWMutex.readerCount: rwmutex.go, go1.19–1.27

struct Instruction {
  LinkAddr at, end;
  LinkAddr jumps_to;                  ///< 0: nowhere that is known
  std::optional<CodeValue> works_on;  ///< of an atomic one
  std::optional<KeptAddress> kept;    ///< where the frame has that
  bool atomic = false, branches = false, falls_through = true;
  std::optional<LockCall> call;
};

LinkAddr absolute(const ZydisDecodedInstruction& decoded, const ZydisDecodedOperand& operand,
                  LinkAddr at) {
  ZyanU64 target = 0;
  return ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&decoded, &operand, at.value, &target))
             ? LinkAddr{target}
             : LinkAddr{};
}

bool is_atomic(const ZydisDecodedInstruction& decoded) {
  return (decoded.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0;
}

/// Of a call and of an atomic instruction alike: what lock it is given.
void set_operand(Instruction& one, const LockOperands& known, std::optional<CodeValue> value) {
  one.works_on = value;
  if (value && value->unknown != 0) one.kept = known.kept(*value);
}

/// `into` is how far into the lock the word is that the code works on.
void name_lock(LockCall& call, const Instruction& one, std::uint64_t into) {
  if (one.works_on && one.works_on->unknown == 0 && one.works_on->plus != 0)
    call.fixed = LinkAddr{one.works_on->plus - into};
  if (one.kept) call.kept = KeptAddress{one.kept->slot, one.kept->plus - into};
}

std::vector<Instruction> decode(bytes::Bytes text, LinkAddr start, const FindLockStep& find,
                                const FrameDepth& depth) {
  std::vector<Instruction> code;
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisDecodedInstruction decoded;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  LockOperands known(depth);
  for (std::size_t pos = 0; pos < text.size(); pos += decoded.length) {
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, text.data() + pos, text.size() - pos,
                                             &decoded, operands.data())))
      break;
    Instruction one;
    one.at = LinkAddr{start.value + pos};
    one.end = LinkAddr{one.at.value + decoded.length};
    const bool relative = operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    switch (decoded.meta.category) {
      case ZYDIS_CATEGORY_UNCOND_BR:
        one.falls_through = false;
        [[fallthrough]];
      case ZYDIS_CATEGORY_COND_BR:
        one.branches = true;
        if (relative) one.jumps_to = absolute(decoded, operands[0], one.at);
        break;
      case ZYDIS_CATEGORY_RET:
        one.falls_through = false;
        break;
      case ZYDIS_CATEGORY_CALL:
        if (!relative) break;
        {
          const LockStep step = find(one.at, absolute(decoded, operands[0], one.at));
          one.call = step.call;
          one.falls_through = step.returns;
          if (!one.call) break;
          set_operand(one, known, known.argument());
          name_lock(*one.call, one, 0);
        }
        break;
      default:
        if (decoded.mnemonic == ZYDIS_MNEMONIC_UD2) one.falls_through = false;
        one.atomic = is_atomic(decoded);
        if (one.atomic) set_operand(one, known, known.operand(decoded, operands.data(), one.at));
    }
    known.follow(decoded, operands.data(), one.at);
    code.push_back(one);
  }
  for (Instruction& one : code) {
    if (one.kept && !known.lasts(*one.kept)) one.kept.reset();
    if (!one.kept && one.call) one.call->kept.reset();
  }
  return code;
}

/// The branch after an atomic instruction, on its result; nothing if another atomic one comes
/// first.
std::optional<std::size_t> branch_after(const std::vector<Instruction>& code, std::size_t i) {
  for (std::size_t next = i + 1; next < code.size(); ++next) {
    if (code[next].atomic) return {};
    if (code[next].branches) return next;
    if (!code[next].falls_through) return {};
  }
  return {};
}

/// The compiler gives some atomic instructions of an inlined call the place of its caller. The test
/// of their result, up to the branch to the slow path, has the right one.
std::optional<LockCall> call_of(const std::vector<Instruction>& code, std::size_t i,
                                const FindLockStep& find) {
  std::optional<LockCall> call = find(code[i].at, {}).call;
  const auto branch = branch_after(code, i);
  for (std::size_t next = i + 1; !call && branch && next <= *branch; ++next)
    call = find(code[next].at, {}).call;
  if (!call) return {};
  call->at = code[i].at;
  name_lock(*call, code[i], call->kind == LockKind::rwmutex_rlock ? reader_count : 0);
  return call;
}

using Held = std::vector<std::uint32_t>;  // instructions that took a lock

/// Follows every way through the code.
class Ways {
 public:
  explicit Ways(const std::vector<Instruction>& code) : code_(code), before_(code.size()) {
    for (std::uint32_t i = 0; i < code.size(); ++i) at_[code[i].at.value] = i;
    if (!code.empty()) arrive(0, {});
    while (!pending_.empty()) {
      const std::uint32_t i = pending_.back();
      pending_.pop_back();
      step(i);
    }
  }
  /// Nothing if no known way leads there.
  const std::optional<Held>& before(std::size_t instruction) const { return before_[instruction]; }

 private:
  void step(std::uint32_t i) {
    Held held = *before_[i];
    const Instruction& one = code_[i];
    if (one.call) apply(held, i);
    if (one.falls_through && i + 1 < code_.size()) arrive(i + 1, held);
    const auto target = at_.find(one.jumps_to.value);
    if (one.jumps_to.value != 0 && target != at_.end()) arrive(target->second, held);
  }

  /// What is given back is the last of its kind; with the same variable, if that is known.
  void apply(Held& held, std::uint32_t i) const {
    const LockCall& call = *code_[i].call;
    if (call.takes) {
      if (held.size() < most_held) held.push_back(i);
      return;
    }
    const auto last = [&](bool same_variable) {
      return std::find_if(held.rbegin(), held.rend(), [&](std::uint32_t taken) {
        const LockCall& other = *code_[taken].call;
        return other.kind == call.kind &&
               (!same_variable || (other.fixed == call.fixed && other.kept == call.kept));
      });
    };
    auto found = last(true);
    if (found == held.rend()) found = last(false);
    if (found != held.rend()) held.erase(std::next(found).base());
  }

  /// Where ways meet, held is what is held on each of them. It can only get less: this ends.
  void arrive(std::uint32_t i, const Held& held) {
    if (!before_[i]) {
      before_[i] = held;
      pending_.push_back(i);
      return;
    }
    Held& known = *before_[i];
    const auto differs = std::mismatch(known.begin(), known.end(), held.begin(), held.end()).first;
    if (differs == known.end()) return;
    known.erase(differs, known.end());
    pending_.push_back(i);
  }

  static constexpr std::size_t most_held = 64;

  const std::vector<Instruction>& code_;
  std::vector<std::optional<Held>> before_;
  std::unordered_map<std::uint64_t, std::uint32_t> at_;
  std::vector<std::uint32_t> pending_;
};

struct Meaning {
  LockKind kind;
  bool takes;
};

std::optional<Meaning> meaning_of(std::string_view function) {
  if (function == "sync.(*Mutex).Lock" || function == "internal/sync.(*Mutex).Lock")
    return Meaning{LockKind::mutex, true};
  if (function == "sync.(*Mutex).Unlock" || function == "internal/sync.(*Mutex).Unlock")
    return Meaning{LockKind::mutex, false};
  if (function == "sync.(*RWMutex).Lock") return Meaning{LockKind::rwmutex_lock, true};
  if (function == "sync.(*RWMutex).Unlock") return Meaning{LockKind::rwmutex_lock, false};
  if (function == "sync.(*RWMutex).RLock") return Meaning{LockKind::rwmutex_rlock, true};
  if (function == "sync.(*RWMutex).RUnlock") return Meaning{LockKind::rwmutex_rlock, false};
  return {};
}

bool never_returns(std::string_view function) {
  return function.starts_with("runtime.panic") || function == "runtime.gopanic" ||
         function == "runtime.throw" || function == "runtime.fatal";
}

/// Of the calls at one place, the outermost that takes or gives back a lock, with the line of it.
std::optional<LockCall> inlined_call(const std::vector<gosym::InlineFrame>& frames, LinkAddr at) {
  for (std::size_t i = frames.size(); i-- > 1;) {
    if (!frames[i - 1].inlined) continue;
    if (const auto meaning = meaning_of(frames[i - 1].function))
      return LockCall{meaning->kind, meaning->takes, at, {}, frames[i].source, {}};
  }
  return {};
}

}  // namespace

std::vector<LockCall> follow_locks(bytes::Bytes text, LinkAddr start, LinkAddr pc,
                                   elf::Machine machine, const FindLockStep& find,
                                   const FrameDepth& depth) {
  std::vector<LockCall> held;
  if (machine != elf::Machine::amd64) return held;
  std::vector<Instruction> code = decode(text, start, find, depth);
  for (std::size_t i = 0; i < code.size(); ++i)
    if (code[i].atomic) code[i].call = call_of(code, i, find);
  const auto at = std::find_if(code.begin(), code.end(), [&](const Instruction& one) {
    return pc >= one.at && pc < one.end;
  });
  if (at == code.end()) return held;
  if (std::none_of(code.begin(), code.end(),
                   [](const Instruction& i) { return i.call && i.call->takes; }))
    return held;
  const Ways ways(code);
  const auto& before = ways.before(static_cast<std::size_t>(at - code.begin()));
  if (!before) return held;
  for (const std::uint32_t i : *before) held.push_back(*code[i].call);
  return held;
}

std::vector<LockCall> find_held_locks(const elf::File& file, const gosym::Table& table,
                                      const gosym::Function& function, LinkAddr pc) {
  const auto text =
      file.read(function.entry, std::min(function.end.value - function.entry.value, most_code));
  if (!text) return {};
  std::vector<gosym::InlineFrame> frames;
  const auto find = [&](LinkAddr at, LinkAddr called) -> LockStep {
    frames.clear();
    if (called.value == 0) {
      table.append_frames(function, at, frames);
      return {inlined_call(frames, at)};
    }
    const auto target = table.find_function(called);
    if (!target) return {};
    if (const auto meaning = meaning_of(target->name))
      return {LockCall{meaning->kind, meaning->takes, at, {}, table.find_line(function, at), {}}};
    return {{}, !never_returns(target->name)};
  };
  const auto depth = [&](LinkAddr at) { return table.find_sp_delta(function, at).value_or(0); };
  auto held = follow_locks(*text, function.entry, pc, file.machine(), find, depth);
  for (LockCall& call : held)
    if (call.kept) call.kept->slot += depth(pc);
  frames.clear();
  table.append_frames(function, pc, frames);
  const auto waits = inlined_call(frames, pc);  // in the slow path of a Lock that was inlined
  if (waits && waits->takes && !held.empty()) held.pop_back();
  return held;
}

}  // namespace weir::gortime
