#include "weir/elf/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <libelf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

namespace weir::elf {
namespace {

constexpr std::string_view runtime_unit = "runtime";
constexpr int typedef_depth = 16;  // Go has one level; hostile DWARF may have a cycle

struct CloseElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};
struct CloseDwarf {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

std::string_view name_of(Dwarf_Die* die) {
  const char* name = dwarf_diename(die);
  return name ? std::string_view(name) : std::string_view();
}

/// What DW_AT_type points to, typedefs resolved.
std::optional<Dwarf_Die> resolve(Dwarf_Die die) {
  for (int i = 0; i < typedef_depth; ++i) {
    if (dwarf_tag(&die) != DW_TAG_typedef) return die;
    Dwarf_Attribute attribute;
    Dwarf_Die target;
    if (!dwarf_attr(&die, DW_AT_type, &attribute)) return {};
    if (!dwarf_formref_die(&attribute, &target)) return {};
    die = target;
  }
  return {};
}

std::optional<Dwarf_Die> type_of(Dwarf_Die die) {
  Dwarf_Attribute attribute;
  Dwarf_Die target;
  if (!dwarf_attr(&die, DW_AT_type, &attribute)) return {};
  if (!dwarf_formref_die(&attribute, &target)) return {};
  return resolve(target);
}

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0) return {};
  return value;
}

std::optional<Dwarf_Die> find_child(Dwarf_Die parent, int tag, std::string_view name) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0) return {};
  do {
    if (dwarf_tag(&child) == tag && name_of(&child) == name) return child;
  } while (dwarf_siblingof(&child, &child) == 0);
  return {};
}

/// Elements of an array type.
std::optional<std::uint64_t> count_of(Dwarf_Die array) {
  Dwarf_Die range;
  if (dwarf_tag(&array) != DW_TAG_array_type || dwarf_child(&array, &range) != 0) return {};
  if (const auto count = unsigned_attribute(&range, DW_AT_count)) return count;
  const auto last = unsigned_attribute(&range, DW_AT_upper_bound);
  return last ? std::optional(*last + 1) : std::nullopt;
}

/// Moves `type` one step along a path and adds to `offset`.
bool step(Dwarf_Die& type, std::string_view name, std::uint64_t& offset) {
  std::optional<Dwarf_Die> next;
  if (dwarf_tag(&type) == DW_TAG_structure_type) {
    auto member = find_child(type, DW_TAG_member, name);
    if (!member) return false;
    const auto at = unsigned_attribute(&*member, DW_AT_data_member_location);
    if (!at) return false;
    offset += *at;
    next = type_of(*member);
  } else if (dwarf_tag(&type) == DW_TAG_array_type && name == "[]") {
    next = type_of(type);
  }
  if (!next) return false;
  type = *next;
  return true;
}

}  // namespace

struct DwarfTypes::State {
  int fd = -1;
  std::unique_ptr<Elf, CloseElf> elf;
  std::unique_ptr<Dwarf, CloseDwarf> dwarf;
  // Names are in the file's own string section, which `dwarf` keeps.
  std::unordered_map<std::string_view, Dwarf_Die> types, variables, constants;

  ~State() {
    dwarf.reset();
    elf.reset();
    if (fd >= 0) close(fd);
  }

  Result<void> open(const std::string& path);
  Result<void> index();
  void index_unit(Dwarf_Die unit);
};

Result<void> DwarfTypes::State::open(const std::string& path) {
  elf_version(EV_CURRENT);
  fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::not_found
                           : errno == EACCES ? ErrorCode::denied
                                             : ErrorCode::io;
    return fail(code, "cannot be opened", path, errno);
  }
  // Private: libelf rewrites section headers in place when it decompresses.
  elf.reset(elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, nullptr));
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
    return fail(ErrorCode::invalid, "is not an ELF file", path);
  dwarf.reset(dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr));
  if (!dwarf) {
    return fail(ErrorCode::not_found, fmt::format("has no DWARF ({})", dwarf_errmsg(-1)), path);
  }
  return index();
}

void DwarfTypes::State::index_unit(Dwarf_Die unit) {
  Dwarf_Die child;
  if (dwarf_child(&unit, &child) != 0) return;
  do {
    switch (dwarf_tag(&child)) {
      case DW_TAG_typedef:
      case DW_TAG_structure_type:
      case DW_TAG_array_type:
        types.try_emplace(name_of(&child), child);
        break;
      case DW_TAG_variable:
        variables.try_emplace(name_of(&child), child);
        break;
      case DW_TAG_constant:
        constants.try_emplace(name_of(&child), child);
        break;
      default:
        break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

Result<void> DwarfTypes::State::index() {
  Dwarf_Off offset = 0, next = 0;
  std::size_t header_size = 0;
  while (dwarf_nextcu(dwarf.get(), offset, &next, &header_size, nullptr, nullptr, nullptr) == 0) {
    Dwarf_Die unit;
    if (dwarf_offdie(dwarf.get(), offset + header_size, &unit) && name_of(&unit) == runtime_unit)
      index_unit(unit);  // assembly files have units of that name too
    offset = next;
  }
  if (types.empty()) return fail(ErrorCode::not_found, "the DWARF does not describe a Go runtime");
  return {};
}

DwarfTypes::DwarfTypes(std::unique_ptr<State> state) : state_(std::move(state)) {}
DwarfTypes::DwarfTypes(DwarfTypes&&) noexcept = default;
DwarfTypes& DwarfTypes::operator=(DwarfTypes&&) noexcept = default;
DwarfTypes::~DwarfTypes() = default;

Result<DwarfTypes> DwarfTypes::open(const std::string& path) {
  auto state = std::make_unique<State>();
  WEIR_TRY_VOID(state->open(path));
  return DwarfTypes(std::move(state));
}

bool DwarfTypes::has_type(std::string_view type) const {
  return state_->types.contains(type);
}

std::optional<TypePart> DwarfTypes::find_part(std::string_view type, std::string_view path) const {
  std::optional<Dwarf_Die> at;
  if (const auto found = state_->types.find(type); found != state_->types.end()) {
    at = resolve(found->second);
  } else if (const auto variable = state_->variables.find(type);
             variable != state_->variables.end()) {
    at = type_of(variable->second);
  }
  if (!at) return {};
  TypePart part;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    if (!step(*at, path.substr(0, dot), part.offset)) return {};
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  Dwarf_Word size = 0;
  if (dwarf_aggregate_size(&*at, &size) != 0) return {};
  part.size = size;
  part.count = count_of(*at);
  return part;
}

std::optional<LinkAddr> DwarfTypes::find_variable(std::string_view name) const {
  const auto found = state_->variables.find(name);
  if (found == state_->variables.end()) return {};
  Dwarf_Die die = found->second;
  Dwarf_Attribute attribute;
  Dwarf_Block block;
  // Go writes DW_FORM_block1, also where DWARF 4 and 5 say exprloc: dwarf_getlocation() refuses it.
  if (!dwarf_attr(&die, DW_AT_location, &attribute)) return {};
  if (dwarf_formblock(&attribute, &block) != 0) return {};
  std::uint64_t address = 0;
  if (block.length != 1 + sizeof(address) || block.data[0] != DW_OP_addr) return {};
  std::memcpy(&address, block.data + 1, sizeof(address));
  return LinkAddr{address};
}

std::optional<std::int64_t> DwarfTypes::find_constant(std::string_view name) const {
  const auto found = state_->constants.find(name);
  if (found == state_->constants.end()) return {};
  Dwarf_Die die = found->second;
  Dwarf_Attribute attribute;
  Dwarf_Sword value = 0;
  if (!dwarf_attr(&die, DW_AT_const_value, &attribute)) return {};
  if (dwarf_formsdata(&attribute, &value) != 0) return {};
  return value;
}

}  // namespace weir::elf
