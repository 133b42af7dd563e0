#pragma once
// The arm64 half of references.h.
#include "weir/gortime/references.h"

namespace weir::gortime::arm64 {

std::vector<Reference> find_references(bytes::Bytes text, LinkAddr start);
std::vector<Comparison> find_comparisons(bytes::Bytes text, LinkAddr start);

}  // namespace weir::gortime::arm64
