#pragma once
// The entries of layout_fields.inc as data: every number of Layout, with its place in the runtime's
// types.
#include <span>
#include <string_view>

#include "weir/gortime/layout.h"

namespace weir::gortime {

struct LayoutField {
  enum class Kind : std::uint8_t { field, size, count, constant };
  Kind kind = Kind::field;
  std::string_view member;               ///< of Layout: "g.sched_pc"
  std::string_view types;                ///< of the runtime, alternatives separated by '|'
  std::string_view path;                 ///< within the type, alternatives separated by '|'
  Offset* (*offset)(Layout&) = nullptr;  ///< set for kind field
  Number* (*number)(Layout&) = nullptr;  ///< set for the others
};

/// All of them, in the order of the file; the table's rows have the same order.
std::span<const LayoutField> layout_fields();

}  // namespace weir::gortime
