#include "weir/ingest/trace.h"

#include <fmt/format.h>
#include <sched.h>

#include "weir/gotrace/reader.h"
#include "weir/ingest/trace_file.h"
#include "weir/ingest/trace_intervals.h"

namespace weir::ingest {
namespace {

constexpr std::size_t release_step = 4 << 20;  // bytes between two calls of the kernel

/// Copies what is new in the dictionary.
void grow_names(const gotrace::Dictionary& from, model::TraceNames& to) {
  for (std::size_t i = to.strings.size(); i < from.string_count(); ++i)
    to.strings.push_back(from.string(static_cast<gotrace::StringId>(i)));
  for (std::size_t i = to.frames.size(); i < from.frame_count(); ++i) {
    const gotrace::Frame& frame = from.frame(static_cast<gotrace::FrameId>(i));
    to.frames.push_back({frame.function, frame.file, frame.line, frame.pc});
  }
  for (std::size_t i = to.stack_count(); i < from.stack_count(); ++i) {
    const auto frames = from.stack(static_cast<gotrace::StackId>(i));
    to.stack_frames.insert(to.stack_frames.end(), frames.begin(), frames.end());
    to.stack_begin.push_back(static_cast<std::uint32_t>(to.stack_frames.size()));
  }
}

const char* writers_of(int minor) {
  switch (minor) {
    case 11:
      return "1.11 to 1.18";
    case 19:
      return "1.19 or 1.20";
    case 21:
      return "1.21";
    case 22:
      return "1.22";
    case 23:
      return "1.23 or 1.24";
    case 25:
      return "1.25";
    default:
      return "1.26 or 1.27";
  }
}

void describe(const gotrace::TraceFacts& facts, model::TraceSummary& summary) {
  summary.format = fmt::format("go 1.{}", facts.header.minor);
  summary.go = writers_of(facts.header.minor);
  summary.events = facts.events;
  summary.generations = facts.generations;
  summary.begins_late = facts.first_generation > 1;
  summary.threads = facts.threads;
  summary.cpu_samples = facts.cpu_samples;
  summary.started_at = Nanos{facts.started_at};
  const gotrace::ByteCounts& bytes = facts.bytes;
  summary.bytes = {{"events", bytes.events},   {"stacks", bytes.stacks},
                   {"strings", bytes.strings}, {"CPU samples", bytes.cpu_samples},
                   {"clock", bytes.sync},      {"experiments", bytes.experimental},
                   {"headers", bytes.headers}};
}

/// That this process may run on; thread::hardware_concurrency counts those of the machine.
bool has_two_cpus() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  return sched_getaffinity(0, sizeof usable, &usable) == 0 && CPU_COUNT(&usable) > 1;
}

}  // namespace

std::string trace_url(std::string_view word) {
  constexpr std::string_view goroutine = "/debug/pprof/goroutine";
  std::string url = profile_url(word);
  if (!url.ends_with(goroutine) || word.ends_with(goroutine)) return url;
  url.resize(url.size() - std::string_view("goroutine").size());
  return url.append("trace?seconds=5");
}

Result<model::TraceSummary> read_trace(const std::string& name, const TraceOptions& options,
                                       model::TraceNames& names, model::TraceSink& sink) {
  WEIR_TRY(const bytes::MappedFile file, open_trace(name, options));
  return read_trace(file, shown_name(name), options, names, sink);
}

Result<model::TraceSummary> read_trace(const bytes::MappedFile& file, const std::string& shown,
                                       const TraceOptions& options, model::TraceNames& names,
                                       model::TraceSink& sink) {
  model::TraceSummary summary;
  summary.source = shown;
  summary.size = file.bytes().size();
  gotrace::Dictionary dictionary;
  TraceIntervals intervals(names, sink, options.running);
  gotrace::ReadOptions reading;
  reading.names_ready = [&names](const gotrace::Dictionary& known) { grow_names(known, names); };
  reading.ahead = has_two_cpus();
  std::size_t looked_at = 0;
  reading.release = [&](bytes::Bytes done) {
    looked_at += done.size();
    if (looked_at < release_step) return;
    looked_at = 0;
    file.forget_before(done);
  };
  auto facts = gotrace::read_trace(file.bytes(), dictionary, intervals, reading, summary.notes);
  if (!facts) return fail(std::move(facts).error().with(shown));
  describe(*facts, summary);
  intervals.finish(summary);
  return summary;
}

}  // namespace weir::ingest
