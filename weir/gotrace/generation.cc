#include "weir/gotrace/generation.h"

#include <fmt/format.h>

namespace weir::gotrace {
namespace {

std::string place_of(std::uint64_t offset) {
  return fmt::format("byte {}", offset);
}

void note_damage(Notes& notes, std::string what, const Batch& batch) {
  notes.add(Severity::loss, std::move(what), place_of(batch.offset));
}

/// False if the batch does not hold what its first byte says.
bool read_strings(bytes::Bytes data, Dictionary& dictionary, LocalIds& ids) {
  bytes::Cursor cursor(data);
  cursor.skip(1);
  while (!cursor.done()) {
    if (static_cast<EventType>(cursor.u8()) != EventType::string) return false;
    const std::uint64_t id = cursor.varint(), length = cursor.varint();
    if (length > longest_string) return false;
    const auto text = cursor.take(length);
    if (!cursor.ok()) return false;
    ids.set(id, dictionary.add_string(bytes::as_text(text)));
  }
  return cursor.ok();
}

bool read_stacks(bytes::Bytes data, Dictionary& dictionary, const LocalIds& strings,
                 LocalIds& stacks, std::uint64_t& unknown) {
  VarintReader reader = reader_of(data.subspan(1));
  std::vector<FrameId> frames;
  while (reader.left() != 0) {
    if (static_cast<EventType>(*reader.at++) != EventType::stack) return false;
    std::uint64_t id = 0, count = 0;
    if (!reader.read(id) || !reader.read(count) || count > most_frames) return false;
    frames.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      std::uint64_t pc = 0, function = 0, file = 0, line = 0;
      if (!reader.read(pc) || !reader.read(function) || !reader.read(file) || !reader.read(line))
        return false;
      frames.push_back(
          dictionary.add_frame({strings.find(function, unknown), strings.find(file, unknown),
                                static_cast<std::uint32_t>(line), pc}));
    }
    stacks.set(id, dictionary.add_stack(frames));
  }
  return true;
}

/// A sync batch, or the lone frequency of 1.22 to 1.24.
bool read_sync(bytes::Bytes data, const Batch& batch, Generation& generation) {
  VarintReader reader = reader_of(data);
  std::uint64_t time = batch.time;
  while (reader.left() != 0) {
    const auto type = static_cast<EventType>(*reader.at++);
    if (type == EventType::sync) continue;
    if (type == EventType::frequency) {
      if (!reader.read(generation.frequency)) return false;
      continue;
    }
    std::uint64_t dt = 0, mono = 0, seconds = 0, nanos = 0;
    if (type != EventType::clock_snapshot || !reader.read(dt) || !reader.read(mono) ||
        !reader.read(seconds) || !reader.read(nanos))
      return false;
    time += dt;
    generation.clock =
        ClockSnapshot{time, static_cast<std::int64_t>(seconds), static_cast<std::int64_t>(nanos)};
  }
  return true;
}

std::uint64_t count_samples(bytes::Bytes data) {
  VarintReader reader = reader_of(data.subspan(1));
  std::uint64_t count = 0, value = 0;
  while (reader.left() != 0) {
    ++reader.at;
    for (int i = 0; i < 5; ++i)
      if (!reader.read(value)) return count;
    ++count;
  }
  return count;
}

}  // namespace

void Generation::clear() {
  LocalIds kept_strings = std::move(strings), kept_stacks = std::move(stacks);
  kept_strings.clear();
  kept_stacks.clear();
  *this = Generation{};
  strings = std::move(kept_strings);
  stacks = std::move(kept_stacks);
}

void GenerationReader::add_batch(const Batch& batch, Generation& generation, Notes& notes) {
  const auto data = file_.subspan(batch.offset, batch.size);
  switch (batch.kind) {
    case EventType::strings:
      counts_.strings += batch.size;
      string_batches_.push_back(batch);
      return;
    case EventType::stacks:
      counts_.stacks += batch.size;
      stack_batches_.push_back(batch);
      return;
    case EventType::cpu_samples:
      counts_.cpu_samples += batch.size;
      generation.cpu_samples += count_samples(data);
      return;
    case EventType::frequency:
    case EventType::sync:
      counts_.sync += batch.size;
      if (!read_sync(data, batch, generation))
        note_damage(notes, "a batch of clock readings is damaged", batch);
      return;
    case EventType::experimental_batch:
      counts_.experimental += batch.size;
      return;
    default:
      break;
  }
  counts_.events += batch.size;
  const auto [known, is_new] = thread_index_.emplace(batch.thread, generation.threads.size());
  if (is_new) generation.threads.push_back(ThreadBatches{batch.thread, {}});
  generation.threads[known->second].batches.push_back(batch);
}

void GenerationReader::read_tables(Generation& generation, Notes& notes) {
  std::uint64_t unknown = 0;
  for (const Batch& batch : string_batches_)
    if (!read_strings(file_.subspan(batch.offset, batch.size), dictionary_, generation.strings))
      note_damage(notes, "a table of names is damaged; some names are missing", batch);
  for (const Batch& batch : stack_batches_)
    if (!read_stacks(file_.subspan(batch.offset, batch.size), dictionary_, generation.strings,
                     generation.stacks, unknown))
      note_damage(notes, "a table of stacks is damaged; some stacks are missing", batch);
  if (unknown != 0)
    notes.add(Severity::loss, "stacks name functions or files that the trace does not have",
              fmt::format("generation {}", generation.number));
}

bool GenerationReader::next(Generation& generation, Notes& notes) {
  generation.clear();
  string_batches_.clear();
  stack_batches_.clear();
  thread_index_.clear();
  bool any = false;
  generation.begin = walk_.position();
  if (ahead_) {
    generation.number = ahead_->generation;
    add_batch(*ahead_, generation, notes);
    ahead_.reset();
    any = true;
  }
  while (!damaged_) {
    const std::uint64_t before = walk_.position();
    auto batch = walk_.next();
    if (!batch) {
      damaged_ = true;
      notes.add(Severity::loss,
                fmt::format("{}; the last {} of {} bytes are not read", batch.error().what,
                            file_.size() - before, file_.size()),
                place_of(before), "record the trace again if the end matters");
      break;
    }
    if (!*batch) break;
    counts_.headers += walk_.position() - before - (*batch)->size;
    if ((*batch)->kind == EventType::end_of_generation) {
      if (any) break;
      continue;
    }
    if (any && (*batch)->generation != generation.number) {
      ahead_ = **batch;
      break;
    }
    generation.number = (*batch)->generation;
    any = true;
    add_batch(**batch, generation, notes);
  }
  generation.end = ahead_ ? ahead_->offset : walk_.position();
  if (any) read_tables(generation, notes);
  return any;
}

}  // namespace weir::gotrace
