// weir top: the largest groups of goroutines that do the same.
#include <fmt/format.h>

#include <cstdio>

#include "apps/weir/commands.h"
#include "apps/weir/table_flags.h"
#include "weir/analysis/top.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

using Setter = std::function<Result<void>(const std::string&)>;

struct TopRequest {
  TableRequest table;
  analysis::TopQuery query;
};

Setter set_pattern(std::optional<Pattern>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, Pattern::compile(value));
    return {};
  };
}

Result<void> set_by(analysis::TopQuery& query, const std::string& value) {
  using model::TopBy;
  if (value.starts_with("label=") && value.size() > 6) {
    query.by = TopBy::label;
    query.label = value.substr(6);
    return {};
  }
  for (const TopBy by : {TopBy::fingerprint, TopBy::state, TopBy::function, TopBy::created,
                         TopBy::package, TopBy::stack}) {
    if (value != to_string(by)) continue;
    query.by = by;
    return {};
  }
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of fingerprint, state, func, created, package, stack and "
                          "label=KEY",
                          value));
}

Result<void> add_label(analysis::TopFilter& filter, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ErrorCode::usage, fmt::format("\"{}\" is not key=value", value));
  filter.labels.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
}

std::vector<Flag> top_flags(TopRequest& request) {
  analysis::TopQuery& query = request.query;
  std::vector<Flag> flags{
      {"by", "what", "fingerprint (default), state, func, created, package, stack, label=K",
       [&query](const std::string& value) { return set_by(query, value); }},
      {"state", "RE", "only goroutines whose state matches (\"chan receive\")",
       set_pattern(query.filter.state)},
      {"focus", "RE", "only those with a matching function or file on the stack",
       set_pattern(query.filter.focus)},
      {"ignore", "RE", "not those with one", set_pattern(query.filter.ignore)},
      {"label", "k=v", "only those with this pprof label; may be repeated",
       [&query](const std::string& value) { return add_label(query.filter, value); }},
      {"min-wait", "time", "only those known to have waited so long",
       [&query](const std::string& value) -> Result<void> {
         WEIR_TRY(query.filter.min_wait, report::parse_duration(value));
         return {};
       }},
  };
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
      "  weir top -by state panic.log\n"
      "  weir top -focus 'app/pool' -min-wait 5m localhost:6060\n"
      "  kubectl logs crashed | weir top -\n",
      source_help, flags.help());
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
