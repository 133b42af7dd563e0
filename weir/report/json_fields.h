#pragma once
// Internal to report: taking a parsed JSON document apart into values, with one clear error.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/error.h"

namespace weir::report {

using Json = nlohmann::json;

/// A path as an error's place; nothing if it is empty.
ErrorWhere where_of(const std::string& path);

/// Parses a document of at most `limit` bytes whose "schema" is `schema`. `path` names it in
/// errors. Errors: truncated, invalid (line and column), unsupported (schema), limit.
Result<Json> parse_document(std::string_view text, std::string_view schema, const std::string& path,
                            std::size_t limit);

/// One object of the document. A member that is absent leaves the value as it is; one of the wrong
/// type is noted, the first of them stays, and all reads after it give nothing.
class Fields {
 public:
  /// `failure` collects the first error and outlives this.
  Fields(const Json& object, std::string where, std::string& failure);

  void read(const char* name, std::string& out) const;
  void read(const char* name, bool& out) const;
  void read(const char* name, std::uint64_t& out) const;
  void read(const char* name, std::int32_t& out) const;
  void read(const char* name, std::optional<Nanos>& out) const;
  void read(const char* name, Goid& out) const { read(name, out.value); }
  void read(const char* name, std::vector<std::string>& out) const;
  /// Calls `each` with every number of the array `name`.
  template <class Each>
  void read_numbers(const char* name, Each each) const {
    const Json* list = find(name, Json::value_t::array, "an array");
    if (list == nullptr) return;
    for (const Json& element : *list) {
      if (!element.is_number_unsigned()) return fail(name, "holds something that is no number");
      each(element.get<std::uint64_t>());
    }
  }
  /// The one of `values` whose to_string is the member's text; `out` stays if absent.
  template <class Enum, std::size_t n>
  void read_word(const char* name, const Enum (&values)[n], Enum& out) const {
    std::string text;
    read(name, text);
    if (text.empty()) return;
    for (const Enum value : values) {
      if (text == to_string(value)) {
        out = value;
        return;
      }
    }
    fail(name, "has the unknown value \"" + text + "\"");
  }
  /// Calls `each` with the Fields of every object in the array `name`.
  template <class Each>
  void for_each(const char* name, Each each) const {
    const Json* list = find(name, Json::value_t::array, "an array");
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->size() && failure_.empty(); ++i)
      each(Fields((*list)[i], where_ + name + "[" + std::to_string(i) + "].", failure_));
  }
  /// The object `name`, or nullopt when it is absent.
  std::optional<Fields> object(const char* name) const;
  void require(const char* name) const;
  void fail(const char* name, const std::string& what) const;

 private:
  const Json& object_;
  std::string where_;  ///< "findings[3]."
  std::string& failure_;

  const Json* find(const char* name, Json::value_t type, const char* what) const;
};

}  // namespace weir::report
