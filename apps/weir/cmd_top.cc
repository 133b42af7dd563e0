// weir top: the largest groups of goroutines that do the same.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "apps/weir/commands.h"
#include "apps/weir/live_top.h"
#include "apps/weir/table_flags.h"
#include "weir/analysis/top.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

struct TopRequest {
  TableRequest table;
  analysis::TopQuery query;
  bool follow = false;
  Nanos every{2'000'000'000};
};

std::vector<Flag> top_flags(TopRequest& request) {
  std::vector<Flag> flags = query_flags(request.query);
  flags.push_back({"f", "", "look again and again, in a terminal", set_switch(request.follow)});
  flags.push_back({"every", "time", "with -f: from look to look (2s)",
                   [&request](const std::string& value) -> Result<void> {
                     WEIR_TRY(request.every, report::parse_duration(value));
                     return {};
                   }});
  for (Flag& flag : table_flags(request.table)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir top [flags] SOURCE\n\n"
      "Groups the goroutines of a program by what they do and prints the largest groups: how\n"
      "many, how long at least they have waited, where, and who created them.\n\n{}\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir top 4711\n"
      "  weir top -f 4711\n"
      "  weir top -by state panic.log\n"
      "  weir top -focus 'app/pool' -min-wait 5m localhost:6060\n"
      "  kubectl logs crashed | weir top -\n",
      source_help, flags.help());
}

/// What was asked for, as it was written: the words before the source that choose goroutines.
std::string patterns_text(const std::vector<std::string>& args) {
  constexpr std::string_view shown[] = {"state", "focus", "ignore", "label", "min-wait"};
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto word = split_flag(args[i]);
    if (!word || std::find(std::begin(shown), std::end(shown), word->name) == std::end(shown))
      continue;
    text += (text.empty() ? "" : " ") + args[i];
    if (!word->has_value && i + 1 < args.size()) text += " " + args[++i];
  }
  return text;
}

int follow(const TopRequest& request, const std::string& name,
           const std::vector<std::string>& args) {
  if (request.table.json)
    return complain_usage(
        Error{ErrorCode::usage, "-f is for a terminal; `weir watch -json` prints lines", {}, 0, {}},
        "top");
  if (request.every < Nanos{100'000'000})
    return complain_usage(Error{ErrorCode::usage, "-every is 100ms at least", {}, 0, {}}, "top");
  const auto done =
      run_live_top({name, request.every, request.query, request.table, patterns_text(args)});
  if (done) return code_clean;
  return done.error().code == ErrorCode::usage ? complain_usage(done.error(), "top")
                                               : complain(done.error());
}

}  // namespace

int run_top(const std::vector<std::string>& args) {
  TopRequest request;
  const FlagSet flags(top_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "top");
  if (rest->size() != 1)
    return complain_usage(
        Error{ErrorCode::usage, "one source is needed; flags come first", {}, 0, {}}, "top");
  complete(request.table);
  if (request.follow) return follow(request, rest->front(), args);
  auto tallies = ingest::read_evidence(rest->front(), request.table.evidence);
  if (!tallies) return complain(tallies.error());
  model::Tally& last = tallies->back();
  if (tallies->size() > 1)
    last.notes.add(Severity::info,
                   fmt::format("there are {} dumps in it, and this is the last", tallies->size()),
                   {}, "weir diff compares them");
  const model::TopReport report = analysis::top(last, request.query);
  fmt::print("{}", request.table.json ? report::render_top_json(report)
                                      : report::render_top(report, request.table.text));
  return code_clean;
}

}  // namespace weir::app
