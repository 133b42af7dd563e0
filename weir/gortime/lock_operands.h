#pragma once
// LockOperands: which lock an instruction works on, as far as straight code tells: a variable of a
// package, or an address that the function keeps in its frame.
#include <Zydis/Zydis.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "weir/gortime/held_locks.h"

namespace weir::gortime {

/// An address as the code makes it: `plus` from an unknown value, or absolute.
struct CodeValue {
  std::uint64_t unknown = 0;  ///< number of the value; 0: none, `plus` is the address
  std::uint64_t plus = 0;

  bool operator==(const CodeValue&) const = default;
};

/// Fed every instruction of a function in the order of its code. Where ways meet it believes the
/// last one, as compilers keep a value in the same slot on each way.
class LockOperands {
 public:
  explicit LockOperands(const FrameDepth& depth) : depth_(depth) {}

  /// What an atomic instruction works on; nothing if it isn't known.
  std::optional<CodeValue> operand(const ZydisDecodedInstruction& decoded,
                                   const ZydisDecodedOperand* operands, LinkAddr at) const;
  /// The first argument of a call (ABIInternal, go1.17+: in RAX).
  std::optional<CodeValue> argument() const;
  /// A slot that has this value now.
  std::optional<KeptAddress> kept(const CodeValue& value) const;
  /// That slot never gets another value in the code seen.
  bool lasts(const KeptAddress& kept) const;

  void follow(const ZydisDecodedInstruction& decoded, const ZydisDecodedOperand* operands,
              LinkAddr at);

 private:
  struct Slot {
    CodeValue value;
    bool changes = false;
  };
  CodeValue value_of(ZydisRegister named);
  void forget_written(const ZydisDecodedInstruction& decoded, const ZydisDecodedOperand* operands,
                      LinkAddr at);
  void move(const ZydisDecodedOperand* operands, LinkAddr at);
  void store(std::int64_t slot, const CodeValue& value);
  std::int64_t slot_of(const ZydisDecodedOperand& operand, LinkAddr at) const;

  const FrameDepth& depth_;
  std::uint64_t last_ = 0;
  std::unordered_map<int, CodeValue> registers_;
  std::unordered_map<std::int64_t, Slot> slots_;  // by distance from the return address
};

}  // namespace weir::gortime
