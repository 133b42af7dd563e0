#pragma once
// References: which fixed addresses a function's machine code reads, writes or takes. The one place
// that knows instruction encodings; what the references mean is for globals.cc.
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/address.h"
#include "weir/bytes/cursor.h"
#include "weir/elf/file.h"

namespace weir::gortime {

/// One use of a link-time constant address by an instruction.
struct Reference {
  enum class Kind : std::uint8_t {
    load,     ///< memory is read (also compared with)
    store,    ///< memory is written
    update,   ///< both, as atomic operations do
    address,  ///< only the address is taken
  };
  Kind kind = Kind::load;
  LinkAddr target;
  std::uint32_t width = 0;                 ///< bytes read or written; 0 for address
  std::optional<std::uint64_t> immediate;  ///< a constant that is stored there, or compared with
  LinkAddr at;  ///< the instruction (the last one, where it takes several)

  bool operator==(const Reference&) const = default;
};

/// All references of the code `text` at `start`, in its order. amd64: RIP-relative operands. arm64:
/// ADRP with ADD, or with a load or store at an offset. Bytes that are no instruction end the list.
std::vector<Reference> find_references(bytes::Bytes text, LinkAddr start, elf::Machine machine);

/// An instruction that compares a register with a constant: a bounds check, for one.
struct Comparison {
  std::uint64_t constant = 0;
  LinkAddr at;
};

/// All comparisons, in the order of the code.
std::vector<Comparison> find_comparisons(bytes::Bytes text, LinkAddr start, elf::Machine machine);

}  // namespace weir::gortime
