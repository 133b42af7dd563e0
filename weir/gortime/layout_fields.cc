#include "weir/gortime/layout_fields.h"

namespace weir::gortime {
namespace {

using Kind = LayoutField::Kind;

constexpr LayoutField fields[] = {
#define WEIR_NUMBER_(kind, member, types, path) \
  {kind, #member, types, path, nullptr, [](Layout& layout) { return &layout.member; }},
#define WEIR_FIELD(member, types, path) \
  {Kind::field, #member, types, path, [](Layout& layout) { return &layout.member; }, nullptr},
#define WEIR_SIZE(member, types, path) WEIR_NUMBER_(Kind::size, member, types, path)
#define WEIR_COUNT(member, types, path) WEIR_NUMBER_(Kind::count, member, types, path)
#define WEIR_CONST(member, types, path) WEIR_NUMBER_(Kind::constant, member, types, path)
#include "weir/gortime/layout_fields.inc"
#undef WEIR_CONST
#undef WEIR_COUNT
#undef WEIR_SIZE
#undef WEIR_FIELD
#undef WEIR_NUMBER_
};

}  // namespace

std::span<const LayoutField> layout_fields() {
  return fields;
}

}  // namespace weir::gortime
