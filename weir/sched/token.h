#pragma once
// A schedule in one word, for a chat or a commit message: `weir replay x:…`. It holds what makes
// the run, not what it did; hashes tell whether binary and run are the right ones.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/schedule.h"

namespace weir::sched {

/// "x:".
constexpr std::string_view token_prefix = "x:";

struct Token {
  std::uint64_t build = 0;  ///< hash_of_text(build id)
  std::uint64_t hooks = 0;  ///< HookTable::hash
  std::uint64_t hash = 0;   ///< RunRecord::hash
  std::uint64_t seed = 0;
  std::string package;  ///< import path; may be empty
  std::string test;
  std::vector<std::uint32_t> choices;  ///< without the zeros at the end
};

/// FNV-1a.
std::uint64_t hash_of_text(std::string_view text);

/// Nothing for a schedule that is too large for a word (token_limit characters), or whose program
/// gets arguments of its own or is built with -race.
std::optional<std::string> make_token(const model::Schedule& schedule);
constexpr std::size_t token_limit = 200;

/// The word for a token's bytes: with their checksum, in the letters of tokens.
std::string seal_token(std::string bytes);

/// Errors: invalid (no token, mistyped, cut), unsupported (of a later weir).
Result<Token> parse_token(std::string_view word);

}  // namespace weir::sched
