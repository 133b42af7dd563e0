// weir why: who waits for whom.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/dump_source.h"
#include "apps/weir/flags.h"
#include "apps/weir/graphviz.h"
#include "apps/weir/table_flags.h"
#include "weir/analysis/why.h"
#include "weir/bytes/mapped_file.h"
#include "weir/report/gate_text.h"
#include "weir/report/settings.h"
#include "weir/report/why_text.h"

namespace weir::app {
namespace {

struct WhyRequest {
  DumpOptions options;
  report::WhyOptions text;
  bool json = false;
  std::string dot;
  std::string svg;
};

std::vector<Flag> why_flags(WhyRequest& request) {
  return {
      {"top", "N", "describe the N objects that most goroutines wait for (5); 0: all",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int rows, parse_count(value));
         request.text.top = static_cast<std::size_t>(rows);
         return {};
       }},
      {"json", "", "print JSON instead of text", set_switch(request.json)},
      {"dot", "file", "write the graph in the language of Graphviz", set_text(request.dot)},
      {"svg", "file", "write the graph as a picture; needs Graphviz's dot", set_text(request.svg)},
      exe_flag(request.options.core),
      {"max-stop", "time", "let the process go after so long (100ms)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.options.live.max_stop, report::parse_duration(value));
         return {};
       }},
  };
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir why [flags] PID | CORE | RECORDING\n\n"
      "Tells who waits for whom: what each goroutine is blocked on, which other goroutines refer\n"
      "to that and so could wake it, and the cycles among those of whom none can go on. Says\n"
      "whether the whole program is deadlocked or a part of it, and why Go itself is silent.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir why 4711\n"
      "  weir dump -o stuck.weir 4711; weir why stuck.weir\n"
      "  weir why -svg stuck.svg stuck.weir\n\n"
      "exit codes: 0 no cycle and no deadlock, 1 one was found, 2 wrong usage or weir's own "
      "failure\n",
      flags.help());
}

}  // namespace

int run_why(const std::vector<std::string>& args) {
  WhyRequest request;
  request.options.live.holders = true;
  const FlagSet flags(why_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "why");
  if (rest->size() != 1)
    return complain_usage(Error{ErrorCode::usage,
                                "one process, core or recording is needed; flags come first",
                                {},
                                0,
                                {}},
                          "why");
  const auto snapshot = dump_source(rest->front(), request.options);
  if (!snapshot) return complain(snapshot.error());
  const model::WhyReport report = analysis::why(*snapshot);
  if (!request.dot.empty()) {
    const auto written = bytes::write_file(request.dot, report::render_why_dot(report));
    if (!written) return complain(written.error());
  }
  if (!request.svg.empty()) {
    const auto written = write_svg(report::render_why_dot(report), request.svg);
    if (!written) return complain(written.error());
  }
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
  request.text.colour = report::wants_colour(isatty(STDOUT_FILENO) != 0, std::getenv("NO_COLOR"),
                                             std::getenv("TERM"), std::getenv("CLICOLOR_FORCE"));
  fmt::print("{}", request.json ? report::render_why_json(report)
                                : report::render_why(report, request.text));
  return report.deadlock == model::DeadlockKind::none ? code_clean : code_findings;
}

}  // namespace weir::app
