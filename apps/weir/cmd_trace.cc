// weir trace: where goroutines lose time, from an execution trace.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/weir/commands.h"
#include "apps/weir/flags.h"
#include "apps/weir/terminal.h"
#include "apps/weir/trace_rules.h"
#include "weir/analysis/trace_heat.h"
#include "weir/analysis/trace_stacks.h"
#include "weir/analysis/trace_tally.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/trace.h"
#include "weir/ingest/trace_events.h"
#include "weir/ingest/trace_profile.h"
#include "weir/report/gate_text.h"
#include "weir/report/settings.h"
#include "weir/report/trace_more.h"
#include "weir/report/trace_perfetto.h"
#include "weir/report/trace_text.h"

namespace weir::app {
namespace {

struct TraceRequest {
  ingest::TraceOptions reading;
  analysis::TraceQuery query;
  report::TraceTextOptions text;
  bool json = false;
  std::optional<model::TraceProfile> profile;
  std::optional<report::TraceLines::Form> lines;
  enum class Events { none, wire, parsed } events = Events::none;
  std::optional<model::TraceKind> heat;
  std::string heat_name, svg, perfetto;
  std::vector<analysis::TraceRule> rules;
  std::string filter;  // in words
};

void add_words(std::string& to, const std::string& words) {
  if (!to.empty()) to += ", ";
  to += words;
}

Result<void> set_by(analysis::TraceQuery& query, const std::string& value) {
  using model::TraceBy;
  for (const TraceBy by : {TraceBy::stack, TraceBy::func, TraceBy::creator, TraceBy::start,
                           TraceBy::task, TraceBy::region, TraceBy::proc, TraceBy::goroutine}) {
    if (value != to_string(by)) continue;
    query.by = by;
    return {};
  }
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of stack, func, creator, start, task, region, proc and "
                          "goroutine",
                          value));
}

Result<void> set_window(TraceRequest& request, const std::string& value) {
  const auto comma = value.find(',');
  if (comma == std::string::npos)
    return fail(ErrorCode::usage, fmt::format("\"{}\" is not FROM,TO, as in 1s,1.5s", value));
  const std::string from = value.substr(0, comma), to = value.substr(comma + 1);
  if (!from.empty()) {
    WEIR_TRY(request.query.from, report::parse_duration(from));
  }
  if (!to.empty()) {
    WEIR_TRY(request.query.to, report::parse_duration(to));
  }
  if (request.query.from && request.query.to && *request.query.to < *request.query.from)
    return fail(ErrorCode::usage, fmt::format("\"{}\" ends before it begins", value));
  add_words(request.filter, fmt::format("waits that end from {} to {}", from.empty() ? "0" : from,
                                        to.empty() ? "the end" : to));
  return {};
}

std::vector<Flag> query_flags(TraceRequest& request) {
  return {
      {"by", "what", "stack (default), func, creator, start, task, region, proc, goroutine",
       [&](const std::string& value) { return set_by(request.query, value); }},
      {"focus", "RE", "only waits with a matching function or file on the stack",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.query.focus, Pattern::compile(value));
         add_words(request.filter, fmt::format("stacks that match {}", value));
         return {};
       }},
      {"min", "time", "only waits at least so long",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.query.min, report::parse_duration(value));
         add_words(request.filter, fmt::format("waits of at least {}", value));
         return {};
       }},
      {"window", "from,to", "only waits that end within, counted from the trace's beginning",
       [&](const std::string& value) { return set_window(request, value); }},
      {"goroutine", "N", "only goroutine N",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(const int number, parse_count(value));
         request.query.goroutine = static_cast<std::uint64_t>(number);
         add_words(request.filter, fmt::format("goroutine {}", number));
         return {};
       }},
  };
}

Result<void> set_profile(TraceRequest& request, const std::string& value) {
  using model::TraceProfile;
  constexpr std::pair<const char*, TraceProfile> known[] = {{"sched", TraceProfile::sched},
                                                            {"sync", TraceProfile::sync},
                                                            {"net", TraceProfile::net},
                                                            {"syscall", TraceProfile::syscall}};
  for (const auto& [name, profile] : known)
    if (value == name) {
      request.profile = profile;
      return {};
    }
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of sched, sync, net and syscall", value));
}

std::vector<Flag> trace_flags(TraceRequest& request) {
  std::vector<Flag> flags = query_flags(request);
  const std::vector<Flag> output{
      {"top", "N", "print the N worst places of each kind (3); 0 prints all",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(const int rows, parse_count(value));
         request.text.top = static_cast<std::size_t>(rows);
         return {};
       }},
      {"json", "", "print JSON, with all places", set_switch(request.json)},
      {"pprof", "kind", "write a profile as go tool trace does: sched, sync, net or syscall",
       [&](const std::string& value) { return set_profile(request, value); }},
      {"fail", "rule", "exit 1 if it holds, as \"scheduling.p99>1ms\"; may be repeated",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(auto rule, parse_trace_rule(value));
         request.rules.push_back(std::move(rule));
         return {};
       }},
      {"heat", "kind", "draw the waits of one kind over time (scheduling, chan send …)",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.heat, parse_trace_kind(value));
         request.heat_name = value;
         return {};
       }},
      {"svg", "file", "with -heat: write the drawing as an SVG image", set_text(request.svg)},
      {"intervals", "form", "print every interval as a line: csv or json",
       [&](const std::string& value) -> Result<void> {
         if (value != "csv" && value != "json")
           return fail(ErrorCode::usage, fmt::format("\"{}\" is neither csv nor json", value));
         request.lines =
             value == "csv" ? report::TraceLines::Form::csv : report::TraceLines::Form::json;
         request.reading.running = true;
         return {};
       }},
      {"d", "form", "print every event: wire, as it stands in the file, or parsed, in order",
       [&](const std::string& value) -> Result<void> {
         if (value != "wire" && value != "parsed")
           return fail(ErrorCode::usage, fmt::format("\"{}\" is neither wire nor parsed", value));
         request.events =
             value == "wire" ? TraceRequest::Events::wire : TraceRequest::Events::parsed;
         return {};
       }},
      {"perfetto", "file", "write a file for ui.perfetto.dev: a track for every P and goroutine",
       [&](const std::string& value) -> Result<void> {
         request.perfetto = value;
         request.reading.running = true;
         return {};
       }},
      {"timeout", "time", "a URL: give up after so long (2m)",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.reading.http.timeout, report::parse_duration(value));
         return {};
       }},
      {"auth", "user:pass", "a URL: basic authentication",
       set_text(request.reading.http.basic_auth)},
      {"bearer", "token", "a URL: an Authorization header",
       set_text(request.reading.http.bearer_token)},
      {"insecure", "", "a URL: take any TLS certificate",
       set_switch(request.reading.http.insecure)},
  };
  flags.insert(flags.end(), output.begin(), output.end());
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir trace [flags] SOURCE\n\n"
      "Reads an execution trace of Go 1.11 to 1.27 and says where goroutines wait: for a CPU\n"
      "(scheduling), and for channels, locks, the network, system calls; how often, how long, at\n"
      "which stack, and who ended it.\n\n"
      "SOURCE is a file, as runtime/trace, `go test -trace` and flight recorders write it, \"-\"\n"
      "for standard input, or a URL. host:port stands for\n"
      "http://host:port/debug/pprof/trace?seconds=5.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir trace trace.out\n"
      "  weir trace -by func -min 1ms trace.out\n"
      "  weir trace -window 1s,1.5s -focus 'app/pool' trace.out\n"
      "  weir trace localhost:6060\n"
      "  weir trace -fail 'scheduling.over(10us)>1%' -fail 'chan send.p99>5ms' trace.out\n"
      "  weir trace -heat scheduling trace.out\n"
      "  weir trace -pprof sync trace.out >sync.pb.gz && go tool pprof -top sync.pb.gz\n\n"
      "exit codes: 0 printed, 1 a -fail rule holds, 2 wrong usage or weir's own failure\n",
      flags.help());
}

void complete(TraceRequest& request) {
  request.text.colour = stdout_has_colour();
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
}

}  // namespace

namespace {

void print_notes(const Notes& notes) {
  for (const Note& note : notes.all())
    fmt::print(stderr, "weir: {}: {}\n", to_string(note.severity), note.text);
}

int write_profile(const std::string& source, const TraceRequest& request) {
  if (isatty(STDOUT_FILENO) != 0)
    return complain_usage(Error{ErrorCode::usage,
                                "a profile is no text for a terminal; send it to a file with > or "
                                "to go tool pprof",
                                {},
                                0,
                                {}},
                          "trace");
  model::TraceNames names;
  analysis::TraceStacks stacks(*request.profile);
  const auto summary = ingest::read_trace(source, request.reading, names, stacks);
  if (!summary) return complain(summary.error());
  const std::string profile = ingest::render_trace_profile(names, stacks.finish());
  std::fwrite(profile.data(), 1, profile.size(), stdout);
  print_notes(summary->notes);
  return code_clean;
}

int write_lines(const std::string& source, const TraceRequest& request) {
  model::TraceNames names;
  analysis::TraceTally filter(names, request.query);
  report::TraceLines lines(
      names, *request.lines,
      [&filter](const model::TraceInterval& interval) { return filter.wanted(interval); },
      [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
  const auto summary = ingest::read_trace(source, request.reading, names, lines);
  if (!summary) return complain(summary.error());
  lines.finish();
  print_notes(summary->notes);
  return code_clean;
}

int write_events(const std::string& source, const TraceRequest& request) {
  const auto print = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  };
  if (request.events == TraceRequest::Events::wire) {
    const auto written = ingest::write_wire_events(source, request.reading, print);
    return written ? code_clean : complain(written.error());
  }
  const auto notes = ingest::write_parsed_events(source, request.reading, print);
  if (!notes) return complain(notes.error());
  print_notes(*notes);
  return code_clean;
}

int write_perfetto(const std::string& source, const TraceRequest& request) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(request.perfetto.c_str(), "wbe"), std::fclose);
  if (!file)
    return complain(
        Error{ErrorCode::io, "cannot be opened for writing", request.perfetto, errno, {}});
  model::TraceNames names;
  bool written = true;
  report::TracePerfetto perfetto(names, [&](std::string_view part) {
    written = std::fwrite(part.data(), 1, part.size(), file.get()) == part.size() && written;
  });
  const auto summary = ingest::read_trace(source, request.reading, names, perfetto);
  if (!summary) return complain(summary.error());
  perfetto.finish();
  print_notes(summary->notes);
  if (written && std::fflush(file.get()) == 0) return code_clean;
  return complain(Error{ErrorCode::io, "cannot be written", request.perfetto, errno, {}});
}

int draw_heat(const std::string& source, const TraceRequest& request) {
  model::TraceNames names;
  analysis::TraceHeatTally heats;
  const auto summary = ingest::read_trace(source, request.reading, names, heats);
  if (!summary) return complain(summary.error());
  const model::TraceHeat heat = heats.heat(*request.heat);
  print_notes(summary->notes);
  if (request.svg.empty()) {
    fmt::print("{}", report::render_heat(request.heat_name, heat, request.text.colour));
    return code_clean;
  }
  const auto written =
      bytes::write_file(request.svg, report::render_heat_svg(request.heat_name, heat));
  return written ? code_clean : complain(written.error());
}

}  // namespace

int run_trace(const std::vector<std::string>& args) {
  TraceRequest request;
  const FlagSet flags(trace_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "trace");
  if (rest->size() != 1)
    return complain_usage(
        Error{ErrorCode::usage, "one trace is needed; flags come first", {}, 0, {}}, "trace");
  complete(request);
  if (request.profile) return write_profile(rest->front(), request);
  if (request.lines) return write_lines(rest->front(), request);
  if (request.events != TraceRequest::Events::none) return write_events(rest->front(), request);
  if (!request.perfetto.empty()) return write_perfetto(rest->front(), request);
  if (request.heat) return draw_heat(rest->front(), request);
  if (!request.svg.empty())
    return complain_usage(Error{ErrorCode::usage, "-svg is of no use without -heat", {}, 0, {}},
                          "trace");
  model::TraceNames names;
  analysis::TraceTally tally(names, request.query);
  auto summary = ingest::read_trace(rest->front(), request.reading, names, tally);
  if (!summary) return complain(summary.error());
  model::TraceReport report = tally.finish();
  report.summary = std::move(*summary);
  report.filter = request.filter;
  bool crossed = false;
  for (const analysis::TraceRule& rule : request.rules) {
    report.health.push_back(analysis::judge_health(rule, report));
    crossed = crossed || report.health.back().crossed;
  }
  fmt::print("{}", request.json ? report::render_trace_json(report)
                                : report::render_trace(report, request.text));
  return crossed ? code_findings : code_clean;
}

}  // namespace weir::app
