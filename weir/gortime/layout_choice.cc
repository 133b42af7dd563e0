#include "weir/gortime/layout_choice.h"

#include <fmt/format.h>

#include "weir/elf/dwarf.h"
#include "weir/gortime/layout_dwarf.h"
#include "weir/gortime/layout_fields.h"
#include "weir/gortime/layout_table.h"

namespace weir::gortime {
namespace {

constexpr const char* dwarf_source = "the program's own DWARF";
constexpr const char* marker = "layout";  // 1: from DWARF, 2: from a near release

std::string name_of(gosym::GoVersion version) {
  return fmt::format("go1.{}.{}", version.minor, version.patch);
}

std::string hint_name(const LayoutField& field) {
  return fmt::format("layout.{}", field.member);
}

/// One hint for each field that is present: the offset with its width above it, or the number.
Layout layout_of(const Hints& hints) {
  Layout layout;
  for (const LayoutField& field : layout_fields()) {
    const auto hint = hints.find(hint_name(field));
    if (hint == hints.end()) continue;
    const auto low = static_cast<std::uint32_t>(hint->second);
    if (field.offset)
      *field.offset(layout) = Offset(low, static_cast<std::uint32_t>(hint->second >> 32));
    if (field.number) *field.number(layout) = Number(low);
  }
  return layout;
}

}  // namespace

Result<LayoutChoice> choose_layout(const gosym::BuildInfo& build, elf::Machine machine,
                                   const std::string& dwarf_path, const Hints& hints) {
  auto known = find_layout(build, machine);
  if (known) return LayoutChoice{*known, std::nullopt};
  if (build.version.minor == 0) return fail(std::move(known).error());

  const NearLayout near = nearest_layout(build.version, machine);
  LayoutChoice choice{near.layout, Assumption{to_string(known.error()), name_of(near.of)}};
  if (const auto hint = hints.find(marker); hint != hints.end()) {
    choice.layout = layout_of(hints);
    if (hint->second == 1) choice.assumption->source = dwarf_source;
  } else if (!dwarf_path.empty()) {
    if (const auto dwarf = elf::DwarfTypes::open(dwarf_path)) {
      choice.layout = layout_from_dwarf(*dwarf, &near.layout).layout;
      choice.assumption->source = dwarf_source;
    }
  }
  return choice;
}

void note_layout(const LayoutChoice& choice, Hints& hints) {
  if (!choice.assumption) return;
  hints[marker] = choice.assumption->source == dwarf_source ? 1 : 2;
  Layout layout = choice.layout;
  for (const LayoutField& field : layout_fields()) {
    if (field.offset) {
      const Offset offset = *field.offset(layout);
      if (offset.present())
        hints[hint_name(field)] = offset.value() | std::uint64_t{offset.width()} << 32;
    } else if (const Number number = *field.number(layout); number.present()) {
      hints[hint_name(field)] = number.value();
    }
  }
}

}  // namespace weir::gortime
