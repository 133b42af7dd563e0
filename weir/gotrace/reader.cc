#include "weir/gotrace/reader.h"

#include <fmt/format.h>

#include "weir/gotrace/first_format.h"

namespace weir::gotrace {
namespace {

constexpr std::uint64_t usual_frequency = 15'625'000;  // linux: traceTimeDiv 64, 64 ns a tick

void note_irregularities(const Irregularities& irregular, Notes& notes) {
  const auto add = [&notes](std::uint64_t count, const char* text, std::string place = {}) {
    if (count != 0) notes.add({Severity::loss, text, std::move(place), {}, count});
  };
  add(irregular.bad_batches, "the rest of a batch of events does not decode and is left out",
      fmt::format("byte {}", irregular.first_bad_batch));
  add(irregular.forced, "an event fits no order of the threads; it was taken by its time");
  add(irregular.contradicting, "an event contradicts the state of its goroutine");
  add(irregular.unknown_names, "an event names a stack or a text that the trace does not have");
  add(irregular.too_many, "more goroutines at once than weir follows; this one is left out");
}

std::int64_t wall_clock(const ClockSnapshot& clock, std::uint64_t origin, double nanos_per_tick) {
  if (clock.seconds < 0 || clock.seconds > 9'000'000'000) return 0;
  return clock.seconds * 1'000'000'000 + clock.nanos % 1'000'000'000 -
         to_nanos(clock.ticks - origin, nanos_per_tick) % 1'000'000'000'000'000;
}

class SecondFormat {
 public:
  SecondFormat(bytes::Bytes file, Dictionary& dictionary, EventSink& sink,
               const ReadOptions& options, Notes& notes)
      : dictionary_(dictionary),
        options_(options),
        notes_(notes),
        generations_(file, dictionary),
        blocks_(sink, options.ahead),
        order_(file, blocks_, options.release) {}

  Result<TraceFacts> read(TraceFacts facts) {
    Generation generation;
    while (generations_.next(generation, notes_)) {
      ++facts.generations;
      if (facts.first_generation == 0) facts.first_generation = generation.number;
      facts.cpu_samples += generation.cpu_samples;
      run(generation, facts);
    }
    if (facts.generations == 0)
      return fail(ErrorCode::truncated, "the trace ends behind its header",
                  FileOffset{Header::size});
    facts.events = order_.events();
    facts.threads = order_.thread_count();
    facts.bytes = generations_.byte_counts();
    facts.irregularities = order_.irregularities();
    facts.held_back = order_.held_back();
    note_irregularities(facts.irregularities, notes_);
    return facts;
  }

 private:
  void run(const Generation& generation, TraceFacts& facts) {
    std::uint64_t frequency = generation.frequency;
    if (frequency == 0 || frequency > 1'000'000'000'000) {
      frequency = last_frequency_ != 0 ? last_frequency_ : usual_frequency;
      notes_.add(Severity::loss,
                 fmt::format("a generation does not say how fast its clock ticks; {} is assumed",
                             last_frequency_ != 0 ? "that of the one before" : "64 ns a tick"),
                 fmt::format("generation {}", generation.number));
    }
    last_frequency_ = frequency;
    facts.nanos_per_tick = 1e9 / static_cast<double>(frequency);
    if (options_.names_ready) options_.names_ready(dictionary_);
    order_.run(generation, facts.nanos_per_tick);
    if (generation.clock && facts.started_at == 0)
      facts.started_at = wall_clock(*generation.clock, order_.origin(), facts.nanos_per_tick);
  }

  Dictionary& dictionary_;
  const ReadOptions& options_;
  Notes& notes_;
  GenerationReader generations_;
  EventBlocks blocks_;
  Order order_;
  std::uint64_t last_frequency_ = 0;
};

}  // namespace

Result<TraceFacts> read_trace(bytes::Bytes file, Dictionary& dictionary, EventSink& sink,
                              const ReadOptions& options, Notes& notes) {
  TraceFacts facts;
  WEIR_TRY(facts.header, parse_header(file));
  if (!facts.header.second) {
    auto read = FirstFormat(file, dictionary, sink, options, notes).read(facts);
    if (read) note_irregularities(read->irregularities, notes);
    return read;
  }
  return SecondFormat(file, dictionary, sink, options, notes).read(facts);
}

}  // namespace weir::gotrace
