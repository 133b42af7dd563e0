// weir diff: what grew, what is new, what went, from one look at a program to the next.
#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "apps/weir/commands.h"
#include "apps/weir/table_flags.h"
#include "apps/weir/trace_rules.h"
#include "weir/analysis/trend.h"

namespace weir::app {
namespace {

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir diff [flags] SOURCE SOURCE…\n\n"
      "Matches the goroutines of two or more looks at a program by fingerprint, and prints what\n"
      "is new, grown, shrunk and gone, with rates where the times are known. The looks may be of\n"
      "different kinds. One file that holds several dumps is enough. Of two execution traces, it "
      "compares how\n"
      "long goroutines wait, and says which differences are more than noise.\n\n{}\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir diff before.txt after.pb.gz\n"
      "  weir diff monday.weir tuesday.weir wednesday.weir\n"
      "  weir diff before.trace after.trace\n"
      "  weir dump -o a.weir 4711; sleep 60; weir diff a.weir 4711\n\n"
      "exit codes: 0 nothing grew, 1 something did, 2 wrong usage or weir's own failure\n",
      source_help, flags.help());
}

Result<std::vector<model::Tally>> read_all(const std::vector<std::string>& names,
                                           const ingest::EvidenceOptions& options) {
  std::vector<model::Tally> all;
  for (const std::string& name : names) {
    WEIR_TRY(auto tallies, ingest::read_evidence(name, options));
    std::move(tallies.begin(), tallies.end(), std::back_inserter(all));
  }
  if (all.size() < 2)
    return fail(ErrorCode::usage, "two looks at a program are needed, and this is one");
  return all;
}

}  // namespace

int run_diff(const std::vector<std::string>& args) {
  TableRequest request;
  const FlagSet flags(table_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "diff");
  if (rest->empty())
    return complain_usage(Error{ErrorCode::usage, "no source named", {}, 0, {}}, "diff");
  complete(request);
  if (rest->size() == 2 && is_trace_file(rest->front()) && is_trace_file(rest->back()))
    return diff_traces(rest->front(), rest->back(), request.json);
  const auto tallies = read_all(*rest, request.evidence);
  if (!tallies)
    return tallies.error().code == ErrorCode::usage ? complain_usage(tallies.error(), "diff")
                                                    : complain(tallies.error());
  const model::TrendReport report = analysis::trend(*tallies);
  fmt::print("{}", request.json ? report::render_trend_json(report)
                                : report::render_trend(report, request.text));
  return report.grew() ? code_findings : code_clean;
}

}  // namespace weir::app
