#include "weir/base/error.h"

#include <fmt/format.h>

#include <cstring>

namespace weir {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::truncated:
      return "truncated";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::unmapped:
      return "unmapped";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::gone:
      return "gone";
    case ErrorCode::io:
      return "io";
    case ErrorCode::limit:
      return "limit";
    case ErrorCode::usage:
      return "usage";
  }
  return "unknown";
}

namespace {

std::string place_of(const ErrorWhere& where) {
  if (const auto* address = std::get_if<Address>(&where)) return " at address " + to_hex(*address);
  if (const auto* offset = std::get_if<FileOffset>(&where))
    return fmt::format(" at offset {}", offset->value);
  if (const auto* path = std::get_if<std::string>(&where)) return ": " + *path;
  return {};
}

}  // namespace

std::string to_string(const Error& error) {
  std::string text;
  for (auto line = error.context.rbegin(); line != error.context.rend(); ++line)
    text += *line + ": ";
  text += error.what + place_of(error.where);
  if (error.os_errno != 0) text += fmt::format(" ({})", std::strerror(error.os_errno));
  return text;
}

}  // namespace weir
