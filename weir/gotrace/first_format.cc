// Reading and merging; what each event means is in first_format_events.cc.
#include "weir/gotrace/first_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/gotrace/first_types.h"
#include "weir/gotrace/merge_heap.h"

namespace weir::gotrace {
namespace {

constexpr std::uint64_t longest_event = 64 << 10;
constexpr std::uint64_t longest_text = 1'000'000;
constexpr std::uint64_t most_stack_frames = 1000;

bytes::Bytes take_bytes(VarintReader& reader, std::uint64_t size) {
  const bytes::Bytes taken(reinterpret_cast<const std::byte*>(reader.at), size);
  reader.at += size;
  return taken;
}

}  // namespace

FirstFormat::FirstFormat(bytes::Bytes file, Dictionary& dictionary, EventSink& sink,
                         const ReadOptions& options, Notes& notes)
    : file_(file),
      dictionary_(dictionary),
      blocks_(sink, options.ahead),
      options_(options),
      notes_(notes) {}

/// One event as it stands there: type and number of arguments in a byte, then these, or their
/// length in bytes first if there are many.
bool FirstFormat::read_raw(VarintReader& reader, Raw& raw) {
  raw = Raw{};
  const std::uint8_t byte = *reader.at++;
  raw.type = byte & 0x3f;
  if (raw.type == 0 || raw.type >= first::type_count) return false;
  if (raw.type == first::string) {
    if (!reader.read(raw.id) || !reader.read(raw.length) || raw.length > longest_text ||
        raw.length > reader.left())
      return false;
    raw.inside = take_bytes(reader, raw.length);
    return true;
  }
  const std::size_t count = (byte >> 6) + std::size_t{1};
  if (count < 4 || raw.type == first::batch) {
    raw.count = raw.type == first::batch ? 2 : count;
    for (std::size_t i = 0; i < raw.count; ++i)
      if (!reader.read(raw.args[i])) return false;
    return true;
  }
  std::uint64_t length = 0;
  if (!reader.read(length) || length > longest_event || length > reader.left()) return false;
  raw.inside = take_bytes(reader, length);
  VarintReader inside = reader_of(raw.inside);
  while (inside.left() != 0 && raw.count < most_arguments)
    if (!inside.read(raw.args[raw.count++])) return false;
  if (raw.type != first::user_log) return true;
  if (!reader.read(raw.length) || raw.length > longest_text || raw.length > reader.left())
    return false;
  raw.inside = take_bytes(reader, raw.length);
  return true;
}

void FirstFormat::read_stack(bytes::Bytes inside) {
  VarintReader reader = reader_of(inside);
  std::uint64_t id = 0, count = 0;
  if (!reader.read(id) || !reader.read(count) || count > most_stack_frames) {
    ++irregular_.unknown_names;
    return;
  }
  std::vector<FrameId> frames;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t pc = 0, function = 0, file = 0, line = 0;
    if (!reader.read(pc) || !reader.read(function) || !reader.read(file) || !reader.read(line)) {
      ++irregular_.unknown_names;
      return;
    }
    frames.push_back(dictionary_.add_frame(
        {string(function), string(file), static_cast<std::uint32_t>(line), pc}));
  }
  stacks_.set(id, dictionary_.add_stack(frames));
}

void FirstFormat::index_one(const Raw& raw, std::uint64_t offset,
                            std::vector<bytes::Bytes>& stacks) {
  switch (raw.type) {
    case first::batch: {
      Proc& proc = procs_[raw.args[0]];
      proc.id = raw.args[0];
      proc.batches.push_back({offset, file_.size()});
      break;
    }
    case first::string:
      strings_.set(raw.id, dictionary_.add_string(bytes::as_text(raw.inside)));
      break;
    case first::stack:
      stacks.push_back(raw.inside);
      break;
    case first::frequency:
      frequency_ = raw.args[0];
      break;
    default:
      break;
  }
}

/// The first pass.
void FirstFormat::index(TraceFacts& facts) {
  VarintReader reader = reader_of(file_.subspan(Header::size));
  const std::uint8_t* const begin = reader.at;
  const auto offset = [begin](const std::uint8_t* at) {
    return Header::size + static_cast<std::uint64_t>(at - begin);
  };
  std::vector<bytes::Bytes> stacks;
  std::uint64_t last_proc = ~std::uint64_t{1};
  bool any = false;
  Raw raw;
  while (reader.left() != 0) {
    const std::uint8_t* const at = reader.at;
    if (!read_raw(reader, raw)) {
      notes_.add(Severity::loss,
                 fmt::format("an event does not decode; the last {} of {} bytes are not read",
                             file_.size() - offset(at), file_.size()),
                 fmt::format("byte {}", offset(at)), "record the trace again if the end matters");
      if (any) procs_[last_proc].batches.back().end = offset(at);
      break;
    }
    if (raw.type == first::batch) {
      if (any) procs_[last_proc].batches.back().end = offset(at);
      last_proc = raw.args[0];
      any = true;
    }
    const auto size = static_cast<std::uint64_t>(reader.at - at);
    (raw.type == first::string       ? facts.bytes.strings
     : raw.type == first::stack      ? facts.bytes.stacks
     : raw.type == first::batch      ? facts.bytes.headers
     : raw.type == first::cpu_sample ? facts.bytes.cpu_samples
                                     : facts.bytes.events) += size;
    if (raw.type == first::cpu_sample) ++facts.cpu_samples;
    index_one(raw, offset(at), stacks);
  }
  for (const bytes::Bytes stack : stacks) read_stack(stack);
}

/// Decodes the next event of a P that is one of its order; false at the end.
bool FirstFormat::next_head(Proc& proc) {
  for (;;) {
    while (proc.bytes.left() == 0) {
      if (proc.next == proc.batches.size()) return false;
      const Range range = proc.batches[proc.next++];
      proc.bytes = reader_of(file_.subspan(range.begin, range.end - range.begin));
    }
    Raw& raw = proc.head;
    if (!read_raw(proc.bytes, raw)) {  // the first pass stopped before it
      ++irregular_.bad_batches;
      proc.bytes.at = proc.bytes.end;
      continue;
    }
    if (raw.type == first::batch) {
      proc.time = raw.args[1];
      continue;
    }
    if (!first::is_timed(raw.type)) continue;
    if (raw.count != first::arguments(raw.type)) {
      ++irregular_.contradicting;
      continue;
    }
    ++events_;
    proc.time += raw.args[0];
    proc.actor = proc.goroutine;
    if (first::starts(raw.type)) proc.actor = proc.goroutine = raw.args[1];
    if (first::leaves(raw.type)) proc.goroutine = 0;
    return true;
  }
}

void FirstFormat::merge() {
  std::vector<Proc*> procs;
  MergeHeap heap;
  SearchBudget budget;
  for (auto& [id, proc] : procs_) {
    if (!next_head(proc)) continue;
    heap.add({proc.time, static_cast<std::uint32_t>(procs.size())});
    procs.push_back(&proc);
  }
  if (heap.empty()) return;
  origin_ = heap.top().time;
  while (!heap.empty()) {
    std::size_t at = 0;
    const bool in_turn = ready(*procs[heap.top().index]);
    if (!in_turn) {
      const std::uint64_t most = budget.left(events_);
      std::uint64_t tries = most;
      at = heap.find_other(tries, [&](std::uint32_t index) { return ready(*procs[index]); });
      budget.use(most - tries);
    }
    const bool forced = !in_turn && at == 0;
    if (forced) ++irregular_.forced;
    Proc& next = *procs[heap.at(at).index];
    take(next, forced);
    if (next_head(next))
      heap.postpone(at, next.time);
    else
      heap.drop(at);
  }
}

std::int64_t FirstFormat::nanos(std::uint64_t ticks) const {
  return to_nanos(ticks - origin_, nanos_per_tick_);
}

Event& FirstFormat::emit(EventType type, const Proc& proc, std::uint64_t goroutine) {
  Event& event = blocks_.add();
  event = Event{};
  event.type = type;
  event.time = nanos(proc.time);
  event.a = goroutine;
  event.slot = goroutine == 0 ? no_slot : goroutines_.find(goroutine);
  event.actor = proc.actor == 0 ? no_slot : goroutines_.find(proc.actor);
  event.proc = static_cast<std::uint32_t>(proc.id);
  return event;
}

Result<TraceFacts> FirstFormat::read(TraceFacts facts) {
  index(facts);
  if (procs_.empty())
    return fail(ErrorCode::truncated, "the trace ends behind its header", FileOffset{Header::size});
  if (frequency_ == 0) {
    frequency_ = 1'000'000'000;
    notes_.add(
        Severity::loss,
        "the trace does not say how fast its clock ticks, which stands at its end; times are "
        "in ticks of unknown length, printed as nanoseconds");
  }
  nanos_per_tick_ = 1e9 / static_cast<double>(frequency_);
  for (const char* reason : first::reasons) dictionary_.add_string(reason);
  if (options_.names_ready) options_.names_ready(dictionary_);
  merge();
  while (!pending_.empty()) settle(pending_.begin()->first, false);
  blocks_.flush();
  facts.events = events_;
  facts.generations = 1;
  facts.first_generation = 1;
  facts.nanos_per_tick = nanos_per_tick_;
  facts.irregularities = irregular_;
  return facts;
}

}  // namespace weir::gotrace
