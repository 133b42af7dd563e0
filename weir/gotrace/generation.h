#pragma once
// Generation: a part of a trace that has its own tables of strings and stacks, and every thread's
// batches of events.
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "weir/base/notes.h"
#include "weir/gotrace/batch.h"
#include "weir/gotrace/dictionary.h"

namespace weir::gotrace {

/// The events of one thread, in its own order.
struct ThreadBatches {
  std::uint64_t thread = 0;
  std::vector<Batch> batches;
};

struct ClockSnapshot {
  std::uint64_t ticks = 0;
  std::int64_t seconds = 0;  ///< wall clock, since 1970
  std::int64_t nanos = 0;
};

/// Where a trace's bytes go, by what they are for; headers are in `headers`.
struct ByteCounts {
  std::uint64_t events = 0, stacks = 0, strings = 0, cpu_samples = 0, sync = 0, experimental = 0;
  std::uint64_t headers = 0;
};

struct Generation {
  std::uint64_t number = 0;
  std::vector<ThreadBatches> threads;  ///< in the order of appearance
  LocalIds strings, stacks;
  std::uint64_t frequency = 0;  ///< ticks per second; 0: the generation does not say
  std::optional<ClockSnapshot> clock;
  std::uint64_t begin = 0, end = 0;  ///< file offsets
  std::uint64_t cpu_samples = 0;

  /// An empty one; the tables of numbers keep their room.
  void clear();
};

/// Reads generation after generation. Only headers and tables are looked at; events stay where they
/// are.
class GenerationReader {
 public:
  GenerationReader(bytes::Bytes file, Dictionary& dictionary)
      : file_(file), walk_(file), dictionary_(dictionary) {}

  /// False: there is no more. Damage ends the reading with a note of severity `loss`; what came
  /// before it is handed out.
  bool next(Generation& generation, Notes& notes);
  const ByteCounts& byte_counts() const { return counts_; }

 private:
  void add_batch(const Batch& batch, Generation& generation, Notes& notes);
  void read_tables(Generation& generation, Notes& notes);

  bytes::Bytes file_;
  BatchWalk walk_;
  Dictionary& dictionary_;
  std::optional<Batch> ahead_;  // the first of the next generation
  std::vector<Batch> string_batches_, stack_batches_;
  std::unordered_map<std::uint64_t, std::size_t> thread_index_;  // of the generation at hand
  ByteCounts counts_;
  bool damaged_ = false;
};

}  // namespace weir::gotrace
