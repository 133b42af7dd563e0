#include "weir/report/json_fields.h"

#include <fmt/format.h>

#include <limits>

#include "weir/report/text_safety.h"

namespace weir::report {

namespace {

/// The library's message without its own decoration.
/// What the library says, without its own name for the error.
std::string message_of(const Json::exception& error) {
  std::string_view text = error.what();
  for (const std::string_view lead : {"[json.exception.", "] ", "parse error at "}) {
    const std::size_t at = text.find(lead);
    if (at != std::string_view::npos) text.remove_prefix(at + lead.size());
  }
  return printable(text);
}

}  // namespace

ErrorWhere where_of(const std::string& path) {
  if (path.empty()) return {};
  return path;
}

Result<Json> parse_document(std::string_view text, std::string_view schema, const std::string& path,
                            std::size_t limit) {
  if (text.size() > limit)
    return weir::fail(ErrorCode::limit, fmt::format("the file has more than {} bytes", limit),
                      where_of(path));
  Json document;
  try {
    document = Json::parse(text);
  } catch (const Json::parse_error& error) {
    const bool early = error.byte > text.size();
    return weir::fail(
        early ? ErrorCode::truncated : ErrorCode::invalid,
        (early ? "the JSON ends too early: " : "this is not JSON: ") + message_of(error),
        where_of(path));
  } catch (const Json::exception& error) {  // a number too large for a double
    return weir::fail(ErrorCode::invalid, message_of(error), where_of(path));
  }
  if (!document.is_object())
    return weir::fail(ErrorCode::invalid, "the document is not a JSON object", where_of(path));
  const auto found = document.find("schema");
  if (found == document.end() || !found->is_string())
    return weir::fail(ErrorCode::invalid,
                      fmt::format("there is no \"schema\" member; weir expects \"{}\"", schema),
                      where_of(path));
  const auto& got = found->get_ref<const std::string&>();
  if (got != schema)
    return weir::fail(
        ErrorCode::unsupported,
        fmt::format("the schema is \"{}\", and this weir reads \"{}\"", printable(got), schema),
        where_of(path));
  return document;
}

Fields::Fields(const Json& object, std::string where, std::string& failure)
    : object_(object), where_(std::move(where)), failure_(failure) {
  if (object_.is_object() || !failure_.empty()) return;
  failure_ = (where_.empty() ? std::string("the document") : where_.substr(0, where_.size() - 1)) +
             " is not an object";
}

void Fields::fail(const char* name, const std::string& what) const {
  if (failure_.empty()) failure_ = where_ + name + " " + what;
}

void Fields::require(const char* name) const {
  if (failure_.empty() && !object_.contains(name)) fail(name, "is missing");
}

const Json* Fields::find(const char* name, Json::value_t type, const char* what) const {
  if (!failure_.empty()) return nullptr;
  const auto found = object_.find(name);
  if (found == object_.end()) return nullptr;
  if (found->type() == type) return &*found;
  fail(name, std::string("is not ") + what);
  return nullptr;
}

void Fields::read(const char* name, std::string& out) const {
  if (const Json* found = find(name, Json::value_t::string, "a string"))
    out = found->get_ref<const std::string&>();
}

void Fields::read(const char* name, bool& out) const {
  if (const Json* found = find(name, Json::value_t::boolean, "true or false"))
    out = found->get<bool>();
}

void Fields::read(const char* name, std::uint64_t& out) const {
  if (const Json* found =
          find(name, Json::value_t::number_unsigned, "a whole number of at least 0"))
    out = found->get<std::uint64_t>();
}

void Fields::read(const char* name, std::int32_t& out) const {
  std::uint64_t number = 0;
  if (object_.is_object() && object_.contains(name)) {
    read(name, number);
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
      fail(name, "is too large");
    else
      out = static_cast<std::int32_t>(number);
  }
}

void Fields::read(const char* name, std::optional<Nanos>& out) const {
  std::uint64_t number = 0;
  if (!object_.is_object() || !object_.contains(name)) return;
  read(name, number);
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    fail(name, "is too large");
  else
    out = Nanos{static_cast<std::int64_t>(number)};
}

void Fields::read(const char* name, std::vector<std::string>& out) const {
  const Json* list = find(name, Json::value_t::array, "an array");
  if (list == nullptr) return;
  for (const Json& element : *list) {
    if (!element.is_string()) return fail(name, "holds something that is not a string");
    out.push_back(element.get<std::string>());
  }
}

std::optional<Fields> Fields::object(const char* name) const {
  const Json* found = find(name, Json::value_t::object, "an object");
  if (found == nullptr) return std::nullopt;
  return Fields(*found, where_ + name + ".", failure_);
}

}  // namespace weir::report
