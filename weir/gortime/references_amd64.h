#pragma once
// The amd64 half of references.h.
#include "weir/gortime/references.h"

namespace weir::gortime::amd64 {

std::vector<Reference> find_references(bytes::Bytes text, LinkAddr start);
std::vector<Comparison> find_comparisons(bytes::Bytes text, LinkAddr start);

}  // namespace weir::gortime::amd64
