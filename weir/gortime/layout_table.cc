#include "weir/gortime/layout_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <string_view>

#include "weir/gortime/layout_fields.h"

namespace weir::gortime {
namespace {

/// One value of a row: an offset with its width, or a number.
struct Cell {
  std::uint32_t value;
  std::uint32_t width;
  bool present;
};

constexpr std::size_t field_count = 0
#define WEIR_FIELD(member, types, path) +1
#define WEIR_SIZE(member, types, path) +1
#define WEIR_COUNT(member, types, path) +1
#define WEIR_CONST(member, types, path) +1
#include "weir/gortime/layout_fields.inc"
#undef WEIR_CONST
#undef WEIR_COUNT
#undef WEIR_SIZE
#undef WEIR_FIELD
    ;

using Row = std::array<Cell, field_count>;

struct Entry {
  LayoutRange range;
  Row row;
};

constexpr Cell F(std::uint32_t offset, std::uint32_t width) {
  return {offset, width, true};
}
constexpr Cell N(std::uint32_t number) {
  return {number, 0, true};
}
constexpr Cell A = {0, 0, false};

constexpr Entry entries[] = {
#define WEIR_LAYOUT(arch, minor, first, last, row) \
  {{elf::Machine::arch, minor, first, last}, {{WEIR_LAYOUT_ROW_##row}}},
#include "weir/gortime/layout_tables.inc"
#undef WEIR_LAYOUT
};

/// GOEXPERIMENTs, as the linker spells them, that leave every field where it is.
struct Neutral {
  int minor;
  std::string_view experiment;
};
constexpr Neutral neutral_experiments[] = {
#define WEIR_NEUTRAL_EXPERIMENT(minor, name) {minor, name},
#include "weir/gortime/layout_experiments.inc"
#undef WEIR_NEUTRAL_EXPERIMENT
};

Layout to_layout(const Row& row) {
  Layout layout;
  std::size_t i = 0;
  for (const LayoutField& field : layout_fields()) {
    const Cell& cell = row[i++];
    if (!cell.present) continue;
    if (field.offset) *field.offset(layout) = Offset(cell.value, cell.width);
    if (field.number) *field.number(layout) = Number(cell.value);
  }
  return layout;
}

/// "go1.22.5" and "go1.21" exactly; not "go1.22rc1", "devel go1.28-…", "go1.22.5-corp".
bool is_release(std::string_view text) {
  if (!text.starts_with("go1.")) return false;
  text.remove_prefix(4);
  int dots = 0;
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' || ++dots > 1 : c < '0' || c > '9') return false;
    before = c;
  }
  return before != '.';
}

const Entry* find_entry(gosym::GoVersion version, elf::Machine machine) {
  for (const Entry& entry : entries) {
    const LayoutRange& range = entry.range;
    if (range.machine == machine && range.minor == version.minor &&
        range.first_patch <= version.patch && version.patch <= range.last_patch) {
      return &entry;
    }
  }
  return nullptr;
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) words.push_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

bool is_neutral(int minor, std::string_view experiment) {
  return std::any_of(
      std::begin(neutral_experiments), std::end(neutral_experiments),
      [&](const Neutral& n) { return n.minor == minor && n.experiment == experiment; });
}

std::string known_text(elf::Machine machine) {
  const LayoutRange* first = nullptr;
  const LayoutRange* last = nullptr;
  for (const Entry& entry : entries) {
    if (entry.range.machine != machine) continue;
    if (!first) first = &entry.range;
    last = &entry.range;
  }
  if (!first) return "none";
  return fmt::format("go1.{}.{} to go1.{}.{}", first->minor, first->first_patch, last->minor,
                     last->last_patch);
}

}  // namespace

std::vector<LayoutRange> known_layouts() {
  std::vector<LayoutRange> ranges;
  for (const Entry& entry : entries) ranges.push_back(entry.range);
  return ranges;
}

Result<void> check_known(const gosym::BuildInfo& build, elf::Machine machine) {
  if (!is_release(build.go_version) || !find_entry(build.version, machine)) {
    return fail(ErrorCode::unsupported,
                fmt::format("weir does not know the runtime of {} on {} (it knows {})",
                            build.go_version, elf::to_string(machine), known_text(machine)));
  }
  for (const std::string_view experiment : split(build.experiments)) {
    if (!is_neutral(build.version.minor, experiment)) {
      return fail(ErrorCode::unsupported,
                  fmt::format("weir does not know the runtime of {} built with GOEXPERIMENT={}",
                              build.go_version, experiment));
    }
  }
  return {};
}

Result<Layout> find_layout(const gosym::BuildInfo& build, elf::Machine machine) {
  WEIR_TRY_VOID(check_known(build, machine));
  return to_layout(find_entry(build.version, machine)->row);
}

NearLayout nearest_layout(gosym::GoVersion version, elf::Machine machine) {
  const Entry* best = nullptr;
  const auto distance = [&](const Entry& entry) {
    const int patch = std::clamp(version.patch, entry.range.first_patch, entry.range.last_patch);
    return std::pair(std::abs(entry.range.minor - version.minor), std::abs(patch - version.patch));
  };
  for (const Entry& entry : entries) {
    if (entry.range.machine != machine) continue;
    if (!best || distance(entry) < distance(*best)) best = &entry;
  }
  WEIR_ASSERT(best != nullptr);
  const LayoutRange& range = best->range;
  return {to_layout(best->row),
          {range.minor, std::clamp(version.patch, range.first_patch, range.last_patch)}};
}

}  // namespace weir::gortime
