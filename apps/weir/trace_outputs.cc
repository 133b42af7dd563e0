#include "apps/weir/trace_outputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "apps/weir/commands.h"
#include "apps/weir/terminal.h"
#include "weir/analysis/trace_heat.h"
#include "weir/analysis/trace_life.h"
#include "weir/analysis/trace_stacks.h"
#include "weir/analysis/trace_timeline.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/trace_events.h"
#include "weir/ingest/trace_file.h"
#include "weir/ingest/trace_profile.h"
#include "weir/report/gate_text.h"
#include "weir/report/trace_page.h"
#include "weir/report/trace_perfetto.h"

namespace weir::app {
namespace {

void print_notes(const Notes& notes) {
  for (const Note& note : notes.all())
    fmt::print(stderr, "weir: {}: {}\n", to_string(note.severity), note.text);
}

/// Reads the trace into `sink`, past the filters.
Result<model::TraceSummary> read_wanted(const std::string& source, const TraceRequest& request,
                                        model::TraceNames& names, model::TraceSink& sink) {
  if (request.query.takes_all()) return ingest::read_trace(source, request.reading, names, sink);
  analysis::TraceTally query(names, request.query);
  analysis::TraceFilter filter(
      [&query](const model::TraceInterval& interval) { return query.wanted(interval); }, sink);
  return ingest::read_trace(source, request.reading, names, filter);
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
  const auto summary = read_wanted(source, request, names, stacks);
  if (!summary) return complain(summary.error());
  const std::string profile = ingest::render_trace_profile(names, stacks.finish());
  std::fwrite(profile.data(), 1, profile.size(), stdout);
  print_notes(summary->notes);
  return code_clean;
}

int write_lines(const std::string& source, const TraceRequest& request) {
  model::TraceNames names;
  report::TraceLines lines(names, *request.lines, [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  });
  const auto summary = read_wanted(source, request, names, lines);
  if (!summary) return complain(summary.error());
  lines.finish();
  print_notes(summary->notes);
  return code_clean;
}

int write_bytes(const std::string& source, const TraceRequest& request) {
  struct : model::TraceSink {
    void take(const model::TraceInterval& /*interval*/) override {}
  } nothing;
  model::TraceNames names;
  const auto summary = ingest::read_trace(source, request.reading, names, nothing);
  if (!summary) return complain(summary.error());
  fmt::print("{}", report::render_trace_bytes(*summary));
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
  const auto summary = read_wanted(source, request, names, perfetto);
  if (!summary) return complain(summary.error());
  perfetto.finish();
  print_notes(summary->notes);
  if (written && std::fflush(file.get()) == 0) return code_clean;
  return complain(Error{ErrorCode::io, "cannot be written", request.perfetto, errno, {}});
}

int draw_heat(const std::string& source, const TraceRequest& request) {
  model::TraceNames names;
  analysis::TraceHeatTally heats(request.query.from.value_or(Nanos{}));
  const auto summary = read_wanted(source, request, names, heats);
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

/// Twice through the trace: which goroutines waited longest is known only at its end.
int write_page(const std::string& source, const TraceRequest& request) {
  const auto file = ingest::open_trace(source, request.reading);
  if (!file) return complain(file.error());
  const std::string shown = ingest::shown_name(source);
  report::TracePage page;
  page.shown = request.heat.value_or(model::TraceKind::woken);
  const Nanos from = request.query.from.value_or(Nanos{});
  std::vector<std::uint64_t> goroutines = request.query.goroutines;
  page.chosen = !goroutines.empty();
  {
    model::TraceNames names;
    analysis::TraceTally tally(names, request.query);
    analysis::TraceHeatTally heats(from);
    analysis::TraceWorst worst(page.shown);
    analysis::TraceTee both(heats, worst);
    analysis::TraceFilter filter(
        [&tally](const model::TraceInterval& interval) { return tally.wanted(interval); }, both);
    analysis::TraceTee all(tally, filter);
    auto summary = ingest::read_trace(*file, shown, request.reading, names, all);
    if (!summary) return complain(summary.error());
    page.report = tally.finish();
    page.report.summary = std::move(*summary);
    page.report.filter = request.filter;
    for (const model::TraceSection& section : page.report.sections)
      page.heats.push_back(heats.heat(section.kind));
    if (goroutines.empty()) goroutines = worst.worst(report::TracePage::most_lanes);
  }
  model::TraceNames names;
  const Nanos end = page.report.summary.span;
  analysis::TraceTimelineTally timeline(goroutines, from, request.query.to.value_or(end));
  ingest::TraceOptions reading = request.reading;
  reading.running = true;
  const auto again = ingest::read_trace(*file, shown, reading, names, timeline);
  if (!again) return complain(again.error());
  page.timeline = timeline.finish();
  const auto written = bytes::write_file(request.html, report::render_trace_html(page, names));
  print_notes(again->notes);
  return written ? code_clean : complain(written.error());
}

int write_report(const std::string& source, const TraceRequest& request) {
  model::TraceNames names;
  analysis::TraceTally tally(names, request.query);
  analysis::TraceLives lives(names, request.query.goroutines);
  analysis::TraceTee both(tally, lives);
  ingest::TraceOptions reading = request.reading;
  reading.running = !request.query.goroutines.empty();
  auto summary = reading.running ? ingest::read_trace(source, reading, names, both)
                                 : ingest::read_trace(source, reading, names, tally);
  if (!summary) return complain(summary.error());
  model::TraceReport report = tally.finish();
  report.lives = lives.finish();
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

}  // namespace

int write_trace(const std::string& source, const TraceRequest& request) {
  if (request.profile) return write_profile(source, request);
  if (request.lines) return write_lines(source, request);
  if (request.events == TraceRequest::Events::bytes) return write_bytes(source, request);
  if (request.events != TraceRequest::Events::none) return write_events(source, request);
  if (!request.perfetto.empty()) return write_perfetto(source, request);
  if (!request.html.empty()) return write_page(source, request);
  if (request.heat) return draw_heat(source, request);
  return write_report(source, request);
}

}  // namespace weir::app
