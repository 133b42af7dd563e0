#pragma once
// Relocate: compiled instructions, moved to where a jump can take their place. amd64 only.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/address.h"
#include "weir/bytes/cursor.h"

namespace weir::gortime {

/// Instructions that do elsewhere what they did where they were.
struct Relocated {
  std::vector<std::byte> code;  ///< with a jump back behind them, unless the last one returns
  std::uint8_t covered = 0;     ///< bytes of the original that they stand for
};

/// The instructions at `at`, at least `least` bytes of them, for a place at the run-time address
/// `to` within 2 GiB. `function` is the code of the whole function, which begins at `start`.
/// A call among them leaves the return address that the function has, and comes back there. Nothing
/// if that cannot be done: one of them is an indirect branch or unknown, or the function may jump
/// between them.
std::optional<Relocated> relocate(bytes::Bytes function, LinkAddr start, LinkAddr at,
                                  std::size_t least, Address to, LoadBias bias);

}  // namespace weir::gortime
