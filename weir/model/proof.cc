#include "weir/model/proof.h"

#include <algorithm>

namespace weir::model {

std::string_view to_string(ProofVerdict verdict) {
  switch (verdict) {
    case ProofVerdict::proved:
      return "proved";
    case ProofVerdict::held:
      return "held";
    case ProofVerdict::not_applicable:
      return "not_applicable";
  }
  return "not_applicable";
}

const ProofGoroutine* Proof::find(Goid id) const {
  const auto found =
      std::lower_bound(goroutines.begin(), goroutines.end(), id,
                       [](const ProofGoroutine& g, Goid wanted) { return g.id < wanted; });
  return found != goroutines.end() && found->id == id ? &*found : nullptr;
}

}  // namespace weir::model
