#include "weir/gosym/type_name.h"

#include <array>

namespace weir::gosym {

namespace {

constexpr std::uint64_t tflag_offset = 20, str_offset = 40;
constexpr std::uint8_t tflag_extra_star = 2;
constexpr std::size_t max_name = 64 << 10;

// abi.Name: flag byte, varint length, text. The length of a name that fits the limit takes at most
// three bytes.
Result<std::string> read_name(const ReadMemory& read, Address at) {
  std::uint64_t size = 0;
  Address next = at + 1;
  for (unsigned shift = 0;; shift += 7) {
    std::uint8_t byte = 0;
    if (shift > 14) return fail(ErrorCode::invalid, "a type name is too long", at);
    if (!read_value(read, next, byte)) return fail(ErrorCode::unmapped, "no type name", next);
    next = next + 1;
    size |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (size > max_name) return fail(ErrorCode::invalid, "a type name is too long", at);
  std::string name(size, '\0');
  if (!read(next, std::as_writable_bytes(std::span(name)))) {
    return fail(ErrorCode::unmapped, "a type name is not readable", next);
  }
  return name;
}

}  // namespace

Result<std::string> read_type_name(const ReadMemory& read, Address types, Address etypes,
                                   Address type) {
  if (type < types || type >= etypes) {
    return fail(ErrorCode::unsupported, "a type made at run time", type);
  }
  std::uint8_t tflag = 0;
  std::int32_t name_offset = 0;
  if (!read_value(read, type + tflag_offset, tflag) ||
      !read_value(read, type + str_offset, name_offset)) {
    return fail(ErrorCode::unmapped, "a type descriptor is not readable", type);
  }
  const Address name_at = types + static_cast<std::uint32_t>(name_offset);
  if (name_offset <= 0 || name_at >= etypes) {
    return fail(ErrorCode::invalid, "a type's name is outside its module", type);
  }
  WEIR_TRY(std::string name, read_name(read, name_at));
  if (name.empty()) return fail(ErrorCode::invalid, "a type without a name", type);
  if ((tflag & tflag_extra_star) != 0 && name.starts_with('*')) name.erase(0, 1);
  return name;
}

}  // namespace weir::gosym
