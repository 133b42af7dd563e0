#pragma once
// What a proof by reachability says of each goroutine.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"

namespace weir::model {

enum class ProofVerdict : std::uint8_t {
  proved,          ///< leaked: it will never run again
  held,            ///< something that can go on leads to what it waits for, or may
  not_applicable,  ///< it runs, sleeps, waits for input …
};
/// "proved", "held", "not_applicable".
std::string_view to_string(ProofVerdict verdict);

struct ProofGoroutine {
  Goid id;
  ProofVerdict verdict = ProofVerdict::not_applicable;
  std::string because;               ///< a clause: why that is the verdict
  std::vector<std::string> path;     ///< held: from "global main.cache" to what is waited for
  std::optional<Goid> held_by = {};  ///< held: the goroutine that the path begins at, if it is one
  bool is_variable = false;          ///< held: what it waits for is one itself
};

struct Proof {
  /// Not empty: nothing is proved, because of this. The list is empty then.
  std::string refused;
  std::vector<ProofGoroutine> goroutines;  ///< all but the runtime's own, ascending
  std::optional<Nanos> stopped;  ///< how long the process stood for the copy that was looked at
  std::uint64_t scanned_bytes = 0;

  const ProofGoroutine* find(Goid id) const;
};

}  // namespace weir::model
