// weir why: who waits for whom.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/dump_source.h"
#include "apps/weir/flags.h"
#include "apps/weir/graphviz.h"
#include "apps/weir/table_flags.h"
#include "apps/weir/terminal.h"
#include "weir/analysis/runtime_leaks.h"
#include "weir/analysis/why.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/http.h"
#include "weir/ingest/input.h"
#include "weir/ingest/runtime_leaks.h"
#include "weir/report/gate_text.h"
#include "weir/report/leaks_text.h"
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
  bool proof = false;
  ingest::HttpOptions http;
};

std::vector<Flag> why_flags(WhyRequest& request) {
  std::vector<Flag> flags{
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
         request.options.proof.max_stop = request.options.live.max_stop;
         return {};
       }},
      {"proof", "",
       "prove leaks: look in a copy of the process, a core or a recording for who could wake each "
       "goroutine",
       set_switch(request.proof)},
      max_memory_flag(request.options.proof),
  };
  for (Flag& flag : http_flags(request.http)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir why [flags] PID | CORE | RECORDING\n"
      "       weir why -proof URL\n\n"
      "Tells who waits for whom: what each goroutine is blocked on, which other goroutines refer\n"
      "to that and so could wake it, and the cycles among those of whom none can go on. Says\n"
      "whether the whole program is deadlocked or a part of it, and why Go itself is silent.\n"
      "Of a URL (host:port for http://host:port/debug/pprof/) it has the program look for leaks\n"
      "itself: Go's goroutineleak profile, from Go 1.27 on.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir why 4711\n"
      "  weir why -proof 4711\n"
      "  weir dump -o stuck.weir 4711; weir why stuck.weir\n"
      "  weir dump -proof -o stuck.weir 4711; weir why -proof stuck.weir\n"
      "  weir why -proof localhost:6060\n"
      "  weir why -svg stuck.svg stuck.weir\n\n"
      "exit codes: 0 no deadlock, no cycle that must last and no proved leak, 1 one was found, 2\n"
      "nothing was, and the proof that was asked for could not be made; or wrong usage or weir's\n"
      "own failure\n",
      flags.help());
}

Result<ingest::Proven> look(const std::string& name, const WhyRequest& request) {
  if (request.proof) return prove_source(name, request.options);
  ingest::Proven found;
  WEIR_TRY(found.snapshot, dump_source(name, request.options));
  return found;
}

/// What the runtime of a served program says of leaks. A URL has no wait-for graph.
int run_url(const std::string& url, const WhyRequest& request) {
  if (!request.proof || !request.dot.empty() || !request.svg.empty())
    return complain_usage(
        Error{ErrorCode::usage,
              "of a URL there is no wait-for graph; -proof alone reads its goroutineleak profile",
              {},
              0,
              {}},
        "why");
  const auto tally = ingest::read_runtime_leaks(url, request.http);
  if (!tally) return complain(tally.error());
  const model::RuntimeLeaks leaks = analysis::runtime_leaks(*tally);
  fmt::print("{}", request.json ? report::render_runtime_leaks_json(leaks)
                                : report::render_runtime_leaks(leaks, request.text));
  return leaks.leaks.empty() ? code_clean : code_findings;
}

/// A proof that was asked for and could not be made is no clean bill.
int exit_code(const model::WhyReport& report) {
  if (report.deadlock != model::DeadlockKind::none) return code_findings;
  if (!report.proof) return code_clean;
  if (!report.proof->refused.empty()) return code_failed;
  const auto& goroutines = report.proof->goroutines;
  const bool leaked = std::any_of(
      goroutines.begin(), goroutines.end(),
      [](const model::ProofGoroutine& one) { return one.verdict == model::ProofVerdict::proved; });
  return leaked ? code_findings : code_clean;
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
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
  request.text.colour = stdout_has_colour();
  if (ingest::looks_like_url(rest->front()) && !std::filesystem::exists(rest->front(), ignored))
    return run_url(rest->front(), request);
  auto found = look(rest->front(), request);
  if (!found) return complain(found.error());
  const model::Proof* proof = request.proof ? &found->proof : nullptr;
  model::WhyReport report = analysis::why(found->snapshot, proof);
  if (report.deadlock != model::DeadlockKind::none || !report.cycles.empty()) {
    look_again(rest->front(), found->snapshot);
    report = analysis::why(found->snapshot, proof);
  }
  if (request.proof) report.proof = std::move(found->proof);
  if (!request.dot.empty()) {
    const auto written = bytes::write_file(request.dot, report::render_why_dot(report));
    if (!written) return complain(written.error());
  }
  if (!request.svg.empty()) {
    const auto written = write_svg(report::render_why_dot(report), request.svg);
    if (!written) return complain(written.error());
  }
  if (request.json) {
    report::write_why_json(
        report, [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
  } else {
    fmt::print("{}", report::render_why(report, request.text));
  }
  return exit_code(report);
}

}  // namespace weir::app
