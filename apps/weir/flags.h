#pragma once
// Flags as Go's own tools write them: -name, --name, -name=value, -name value. No library of
// Debian's reads a single dash that way (docs/decisions/0005-command-line.md).
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"

namespace weir::app {

/// One flag of a command.
struct Flag {
  std::string name;      ///< without the dash
  std::string argument;  ///< a word for the help ("time"); empty: a switch
  std::string help;      ///< one line
  /// Takes the value ("true" or "false" for a switch). Errors: usage.
  std::function<Result<void>(const std::string&)> set;

  bool is_switch() const { return argument.empty(); }
};

/// A word of the command line that looks like a flag: "--name=value".
struct FlagWord {
  std::string name;
  bool has_value = false;
  std::string value;
};
/// Nothing if `word` is no flag ("-" and "--" are none).
std::optional<FlagWord> split_flag(std::string_view word);

class FlagSet {
 public:
  explicit FlagSet(std::vector<Flag> flags) : flags_(std::move(flags)) {}

  /// The flag of that name, also as "weir.name" and with "_" for "-"; null if there is none.
  const Flag* find(std::string_view name) const;
  /// Sets `flag` from `word`, taking the value from args[next] if the word has none, and then
  /// moving `next`. Errors: usage.
  static Result<void> apply(const Flag& flag, const FlagWord& word,
                            const std::vector<std::string>& args, std::size_t& next);
  /// Reads flags up to the first word that is none, or behind "--". What is left is the command's.
  /// Errors: usage, with the nearest known name for an unknown one.
  Result<std::vector<std::string>> parse(const std::vector<std::string>& args) const;
  /// One line per flag for -h.
  std::string help() const;

 private:
  std::vector<Flag> flags_;
};

// Ready-made setters.
std::function<Result<void>(const std::string&)> set_text(std::string& to);
std::function<Result<void>(const std::string&)> set_switch(bool& to);

/// "true", "1", "t" … as Go's strconv.ParseBool. Errors: usage.
Result<bool> parse_switch(const std::string& text);
/// A whole number of at least 0. Errors: usage.
Result<int> parse_count(const std::string& text);

}  // namespace weir::app
