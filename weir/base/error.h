#pragma once
// What went wrong outside weir: the world did not comply. weir's own mistakes go through
// WEIR_ASSERT (assert.h) instead.
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "weir/base/address.h"

namespace weir {

enum class ErrorCode : std::uint8_t {
  invalid,      ///< bytes that contradict their format
  truncated,    ///< bytes that end too early
  unsupported,  ///< well-formed, but weir does not know this version or variant
  not_found,    ///< the thing asked for is not there
  unmapped,     ///< no memory at the address
  denied,       ///< permission; Error::context carries the remedy
  gone,         ///< the process or thread has ended
  io,           ///< the operating system failed; os_errno says how
  limit,        ///< an explicit bound of weir was reached
  usage,        ///< the command line or a configuration file is wrong
};

/// The word for `code` that machine output uses ("invalid", "truncated" …).
std::string_view to_string(ErrorCode code);

/// Where in the evidence: nothing, a run-time address, an offset in a file, or a path.
using ErrorWhere = std::variant<std::monostate, Address, FileOffset, std::string>;

/// One failure. `what` is a clause without a final stop ("pclntab magic is 0x0, not 0xfffffff1");
/// `context` holds what the callers add, innermost first ("reading the symbol table of
/// /usr/bin/app"), and for `denied` the remedy.
struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string what;
  ErrorWhere where;
  int os_errno = 0;
  std::vector<std::string> context;

  /// Adds a line of context and hands the error on: `return unexpected(std::move(e).with("opening
  /// the core"))`.
  Error&& with(std::string line) && {
    context.push_back(std::move(line));
    return std::move(*this);
  }
};

/// The whole error as one line for a person, outermost context first.
std::string to_string(const Error& error);

/// A value or an Error. Ignoring one is a compile error.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base&& base) : Base(std::move(base)) {}
};

inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
inline tl::unexpected<Error> fail(ErrorCode code, std::string what, ErrorWhere where = {},
                                  int os_errno = 0) {
  return fail(Error{code, std::move(what), std::move(where), os_errno, {}});
}

}  // namespace weir

#define WEIR_CONCAT_(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_(a, b)

/// `WEIR_TRY(auto x, read())`: x is the value, or the enclosing function returns the error.
#define WEIR_TRY(declaration, expression)                                     \
  auto WEIR_CONCAT(weir_try_, __LINE__) = (expression);                       \
  if (!WEIR_CONCAT(weir_try_, __LINE__).has_value())                          \
    return ::weir::fail(std::move(WEIR_CONCAT(weir_try_, __LINE__)).error()); \
  declaration = std::move(WEIR_CONCAT(weir_try_, __LINE__)).value()

/// The same for a Result<void>, or a value nobody needs.
#define WEIR_TRY_VOID(expression)                                                          \
  do {                                                                                     \
    auto weir_try_void = (expression);                                                     \
    if (!weir_try_void.has_value()) return ::weir::fail(std::move(weir_try_void).error()); \
  } while (false)
