#include "apps/weir/go_test_args.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace weir::app {
namespace {

/// go test's flags that take a value as the next word, so that the value is not taken for a flag of
/// weir's. `go help testflag`, `go help build`, go1.19–1.27.
constexpr std::string_view with_value[] = {"run",
                                           "skip",
                                           "bench",
                                           "benchtime",
                                           "count",
                                           "cpu",
                                           "parallel",
                                           "timeout",
                                           "shuffle",
                                           "list",
                                           "fuzz",
                                           "fuzztime",
                                           "fuzzminimizetime",
                                           "blockprofile",
                                           "blockprofilerate",
                                           "coverprofile",
                                           "covermode",
                                           "coverpkg",
                                           "cpuprofile",
                                           "memprofile",
                                           "memprofilerate",
                                           "mutexprofile",
                                           "mutexprofilefraction",
                                           "trace",
                                           "outputdir",
                                           "o",
                                           "C",
                                           "p",
                                           "vet",
                                           "tags",
                                           "ldflags",
                                           "gcflags",
                                           "asmflags",
                                           "gccgoflags",
                                           "mod",
                                           "modfile",
                                           "overlay",
                                           "pgo",
                                           "pkgdir",
                                           "installsuffix",
                                           "compiler",
                                           "buildmode",
                                           "toolexec"};

/// Flags that leave tests out on purpose.
constexpr std::string_view leaves_out[] = {"run",   "skip", "short", "failfast",
                                           "bench", "fuzz", "list"};

/// `go help build`: flags without which another program comes out.
constexpr std::string_view build_flags[] = {
    "tags", "ldflags", "gcflags",  "asmflags", "mod",        "modfile",  "overlay",  "pgo",
    "o",    "C",       "trimpath", "buildvcs", "pkgdir",     "compiler", "toolexec", "linkshared",
    "a",    "v",       "x",        "work",     "gccgoflags", "vet",      "race"};
/// Of these, what is not handed on: it does not change the program, or not for the better.
constexpr std::string_view not_handed_on[] = {"o", "a", "v", "x", "work", "vet"};
/// Instrumented programs, which weir does not control.
constexpr std::string_view instrumented[] = {"msan", "asan"};

template <class List>
bool is_in(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

std::string_view without_test(std::string_view name) {
  constexpr std::string_view prefix = "test.";
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return name;
}

class Splitter {
 public:
  Splitter(const std::vector<std::string>& args, const FlagSet& own) : args_(args), own_(own) {}

  Result<GoTestArgs> split() {
    bool whole_module = false;
    while (next_ < args_.size()) {
      const std::string& word = args_[next_];
      if (word == "-args" || word == "--args") break;
      const auto flag = split_flag(word);
      if (flag) {
        WEIR_TRY_VOID(take_flag(*flag));
        continue;
      }
      in_packages_ = true;
      whole_module |= word == "./...";
      keep();
    }
    while (next_ < args_.size()) keep();
    result_.partial |= !whole_module;
    return std::move(result_);
  }

 private:
  void keep() { result_.words.push_back(args_[next_++]); }

  Result<void> take_flag(const FlagWord& flag) {
    const bool marked = flag.name.starts_with("weir.");
    const Flag* own = marked || !in_packages_ ? own_.find(flag.name) : nullptr;
    if (own != nullptr) {
      ++next_;
      return FlagSet::apply(*own, flag, args_, next_);
    }
    if (marked) return fail(ErrorCode::usage, fmt::format("weir has no flag -{}", flag.name));
    const std::string_view name = without_test(flag.name);
    if (name == "exec")
      return fail(ErrorCode::usage,
                  "-exec is how weir test watches the tests; for a runner of your own use "
                  "`go test -exec 'RUNNER weir exec --'`");
    result_.verbose |= name == "v" && flag.value != "false";
    result_.partial |= is_in(leaves_out, name);
    keep();
    if (!flag.has_value && is_in(with_value, name) && next_ < args_.size()) keep();
    return {};
  }

  const std::vector<std::string>& args_;
  const FlagSet& own_;
  GoTestArgs result_;
  std::size_t next_ = 0;
  bool in_packages_ = false;
};

}  // namespace

Result<GoTestArgs> split_go_test_args(const std::vector<std::string>& args, const FlagSet& own) {
  return Splitter(args, own).split();
}

BinaryArgs binary_args(const GoTestArgs& args) {
  BinaryArgs result;
  for (std::size_t i = 0; i < args.words.size(); ++i) {
    const std::string& word = args.words[i];
    if (word == "-args" || word == "--args") {
      result.arguments.insert(result.arguments.end(),
                              args.words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                              args.words.end());
      break;
    }
    const auto flag = split_flag(word);
    if (!flag) {
      result.packages.push_back(word);
      continue;
    }
    const std::string name{without_test(flag->name)};
    std::string value = flag->has_value ? flag->value : "true";
    if (!flag->has_value && is_in(with_value, name) && i + 1 < args.words.size())
      value = args.words[++i];
    if (name == "run")
      result.run = value;
    else if (name == "skip")
      result.skip = value;
    else if (name == "short")
      result.arguments.push_back("-test.short=" + value);
    else if (is_in(instrumented, name) && value != "false")
      result.left_out.push_back("-" + name);
    else if (is_in(build_flags, name) && !is_in(not_handed_on, name))
      result.build.push_back(fmt::format("-{}={}", name, value));
  }
  return result;
}

Result<std::string> quote_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool single = word.find('\'') != std::string::npos;
    if (single && word.find('"') != std::string::npos)
      return fail(ErrorCode::usage,
                  fmt::format("go test cannot hand on a word with both kinds of quotes: {}", word));
    const char quote = single ? '"' : '\'';
    text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", quote, word, quote);
  }
  return text;
}

}  // namespace weir::app
