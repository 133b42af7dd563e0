#include "weir/gortime/layout_dwarf.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string_view>

#include "weir/gortime/layout_fields.h"

namespace weir::gortime {
namespace {

using Kind = LayoutField::Kind;

/// The first of "a|b|c" that `accept` accepts.
std::optional<std::string_view> first_of(std::string_view alternatives,
                                         const std::function<bool(std::string_view)>& accept) {
  while (true) {
    const std::size_t bar = alternatives.find('|');
    const std::string_view one = alternatives.substr(0, bar);
    if (accept(one)) return one;
    if (bar == std::string_view::npos) return {};
    alternatives.remove_prefix(bar + 1);
  }
}

std::uint32_t narrow(std::uint64_t number) {
  return number < UINT32_MAX ? static_cast<std::uint32_t>(number) : UINT32_MAX;
}

void set_part(const LayoutField& field, const elf::TypePart& part, Layout& layout) {
  if (field.offset) {
    *field.offset(layout) = Offset(narrow(part.offset), narrow(part.size));
  } else if (field.kind == Kind::size) {
    *field.number(layout) = Number(narrow(part.size));
  } else if (part.count) {
    *field.number(layout) = Number(narrow(*part.count));
  }
}

/// False if the DWARF says nothing of the field's type.
bool set_from_type(const elf::DwarfTypes& types, const LayoutField& field, Layout& layout) {
  const auto type = first_of(field.types, [&](auto name) { return types.has_type(name); });
  if (!type) return false;
  std::optional<elf::TypePart> part;
  first_of(field.path, [&](std::string_view path) {
    part = types.find_part(*type, path);
    return part.has_value();
  });
  if (part) set_part(field, *part, layout);
  return true;
}

bool set_from_constant(const elf::DwarfTypes& types, const LayoutField& field, Layout& layout) {
  const auto value = types.find_constant(field.types);
  if (!value || *value < 0) return false;
  *field.number(layout) = Number(narrow(static_cast<std::uint64_t>(*value)));
  return true;
}

std::string text_of(const Offset& offset) {
  if (!offset.present()) return "absent";
  return fmt::format("{} ({} bytes)", offset.value(), offset.width());
}
std::string text_of(const Number& number) {
  return number.present() ? fmt::to_string(number.value()) : "absent";
}

}  // namespace

DwarfLayout layout_from_dwarf(const elf::DwarfTypes& types, const Layout* otherwise) {
  DwarfLayout result;
  Layout fallback = otherwise ? *otherwise : Layout{};
  for (const LayoutField& field : layout_fields()) {
    const bool described = field.kind == Kind::constant
                               ? set_from_constant(types, field, result.layout)
                               : set_from_type(types, field, result.layout);
    if (described) continue;
    result.not_described.emplace_back(field.member);
    if (field.offset) *field.offset(result.layout) = *field.offset(fallback);
    if (field.number) *field.number(result.layout) = *field.number(fallback);
  }
  return result;
}

std::vector<std::string> differences(const Layout& layout, const Layout& expected) {
  std::vector<std::string> found;
  Layout a = layout, b = expected;
  for (const LayoutField& field : layout_fields()) {
    const std::string is = field.offset ? text_of(*field.offset(a)) : text_of(*field.number(a));
    const std::string other = field.offset ? text_of(*field.offset(b)) : text_of(*field.number(b));
    if (is != other) found.push_back(fmt::format("{} is {}, expected {}", field.member, is, other));
  }
  return found;
}

}  // namespace weir::gortime
