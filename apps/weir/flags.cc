#include "apps/weir/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace weir::app {
namespace {

constexpr std::string_view own_prefix = "weir.";
constexpr std::size_t help_column = 26;

/// The known name that shares the longest beginning with the unknown one.
std::string nearest(const std::vector<Flag>& flags, std::string_view name) {
  std::string best;
  std::size_t longest = 2;  // fewer letters in common suggest nothing
  for (const Flag& flag : flags) {
    const auto end = std::mismatch(name.begin(), name.end(), flag.name.begin(), flag.name.end());
    const auto common = static_cast<std::size_t>(end.first - name.begin());
    if (common <= longest) continue;
    longest = common;
    best = flag.name;
  }
  return best;
}

}  // namespace

std::optional<FlagWord> split_flag(std::string_view word) {
  if (word.size() < 2 || word[0] != '-' || word == "--") return std::nullopt;
  word.remove_prefix(word[1] == '-' ? 2 : 1);
  const auto equals = word.find('=');
  FlagWord flag;
  flag.name = word.substr(0, equals);
  flag.has_value = equals != std::string_view::npos;
  if (flag.has_value) flag.value = word.substr(equals + 1);
  return flag;
}

const Flag* FlagSet::find(std::string_view word) const {
  // go tool pprof writes "_" where weir has "-".
  std::string name(word);
  std::replace(name.begin(), name.end(), '_', '-');
  // A flag may itself be listed under its long form only ("weir.json").
  for (const Flag& flag : flags_)
    if (flag.name == name || (name.starts_with(own_prefix) &&
                              name.compare(own_prefix.size(), name.npos, flag.name) == 0))
      return &flag;
  return nullptr;
}

Result<void> FlagSet::apply(const Flag& flag, const FlagWord& word,
                            const std::vector<std::string>& args, std::size_t& next) {
  std::string value = word.value;
  if (!word.has_value && flag.is_switch()) {
    value = "true";
  } else if (!word.has_value) {
    if (next >= args.size() || args[next] == "--")
      return fail(ErrorCode::usage, fmt::format("flag -{} needs a {}", word.name, flag.argument));
    value = args[next++];
  }
  auto done = flag.set(value);
  if (!done) return fail(std::move(done).error().with(fmt::format("flag -{}", word.name)));
  return {};
}

Result<std::vector<std::string>> FlagSet::parse(const std::vector<std::string>& args) const {
  std::size_t next = 0;
  while (next < args.size()) {
    if (args[next] == "--") {
      ++next;
      break;
    }
    const auto word = split_flag(args[next]);
    if (!word) break;
    const Flag* flag = find(word->name);
    if (flag == nullptr) {
      const std::string known = nearest(flags_, word->name);
      return fail(ErrorCode::usage, known.empty() ? fmt::format("unknown flag -{}", word->name)
                                                  : fmt::format("unknown flag -{}; is -{} meant?",
                                                                word->name, known));
    }
    ++next;
    WEIR_TRY_VOID(apply(*flag, *word, args, next));
  }
  return std::vector<std::string>(args.begin() + static_cast<std::ptrdiff_t>(next), args.end());
}

std::string FlagSet::help() const {
  std::string text;
  for (const Flag& flag : flags_) {
    std::string left = "  -" + flag.name;
    if (!flag.is_switch()) left += " " + flag.argument;
    text += fmt::format("{:<{}}  {}\n", left, help_column, flag.help);
  }
  return text;
}

std::function<Result<void>(const std::string&)> set_text(std::string& to) {
  return [&to](const std::string& value) -> Result<void> {
    to = value;
    return {};
  };
}

std::function<Result<void>(const std::string&)> set_switch(bool& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, parse_switch(value));
    return {};
  };
}

Result<bool> parse_switch(const std::string& text) {
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return true;
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return false;
  return fail(ErrorCode::usage, fmt::format("\"{}\" is neither true nor false", text));
}

Result<int> parse_count(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0)
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no whole number of at least 0", text));
  return number;
}

}  // namespace weir::app
