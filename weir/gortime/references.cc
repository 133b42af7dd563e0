#include "weir/gortime/references.h"

#include "weir/gortime/references_amd64.h"
#include "weir/gortime/references_arm64.h"

namespace weir::gortime {

std::vector<Reference> find_references(bytes::Bytes text, LinkAddr start, elf::Machine machine) {
  return machine == elf::Machine::amd64 ? amd64::find_references(text, start)
                                        : arm64::find_references(text, start);
}

std::vector<Comparison> find_comparisons(bytes::Bytes text, LinkAddr start, elf::Machine machine) {
  return machine == elf::Machine::amd64 ? amd64::find_comparisons(text, start)
                                        : arm64::find_comparisons(text, start);
}

}  // namespace weir::gortime
