#pragma once
// The format of traces of Go 1.11 to 1.21: one stream of events for each P, with the tables and the
// clock's frequency at the end. Source of truth: src/internal/trace/internal/tracev1, go1.26.8.
#include <cstdint>
#include <map>
#include <vector>

#include "weir/gotrace/batch.h"
#include "weir/gotrace/dictionary.h"
#include "weir/gotrace/event.h"
#include "weir/gotrace/event_blocks.h"
#include "weir/gotrace/goroutine_table.h"
#include "weir/gotrace/reader.h"

namespace weir::gotrace {

/// Two passes over the bytes: the first finds the batches and reads the tables, the second merges
/// the Ps. Memory grows with the tables, the batches and the goroutines.
class FirstFormat {
 public:
  FirstFormat(bytes::Bytes file, Dictionary& dictionary, EventSink& sink,
              const ReadOptions& options, Notes& notes);
  Result<TraceFacts> read(TraceFacts facts);

 private:
  static constexpr std::size_t most_arguments = 8;
  struct Raw {
    std::uint8_t type = 0;
    std::size_t count = 0;  // of arguments, the time included
    std::uint64_t args[most_arguments] = {};
    std::uint64_t id = 0, length = 0;  // a string
    bytes::Bytes inside;               // of a length-prefixed event, or a string
  };
  struct Range {
    std::uint64_t begin = 0, end = 0;
  };
  struct Proc {
    std::uint64_t id = 0;
    std::vector<Range> batches;
    std::size_t next = 0;
    VarintReader bytes;
    std::uint64_t goroutine = 0;  // that runs, across batches
    std::uint64_t time = 0;
    bool has_head = false;
    Raw head;
    std::uint64_t actor = 0;  // the goroutine that the head is of
    std::uint64_t thread = 0;
  };
  /// A system call whose next event tells whether it blocked.
  struct Pending {
    std::int64_t time = 0;
    StackId stack = 0;
    std::uint32_t proc = no_proc;
  };

  static bool read_raw(VarintReader& reader, Raw& raw);
  void index(TraceFacts& facts);
  void index_one(const Raw& raw, std::uint64_t offset, std::vector<bytes::Bytes>& stacks);
  void read_stack(bytes::Bytes inside);
  bool next_head(Proc& proc);
  bool ready(const Proc& proc);
  void merge();
  void take(Proc& proc, bool force);
  void goroutine_event(Proc& proc);
  void runtime_event(Proc& proc);
  void before_first_procs(Proc& proc);
  void create(Proc& proc);
  void block(Proc& proc, const char* reason);
  void leave_syscall(Proc& proc);
  void annotation(Proc& proc);
  void settle(std::uint64_t goroutine, bool blocked);
  void emit_syscall(std::uint64_t goroutine, const Pending& pending, bool blocked);
  Slot slot_of(std::uint64_t id, GoStatus status);
  Event& emit(EventType type, const Proc& proc, std::uint64_t goroutine);
  void status(std::uint64_t goroutine, GoStatus status, const Proc& proc);
  std::int64_t nanos(std::uint64_t ticks) const;
  StackId stack_argument(const Proc& proc) {
    return stacks_.find(proc.head.args[proc.head.count - 1], irregular_.unknown_names);
  }
  StringId string(std::uint64_t id) { return strings_.find(id, irregular_.unknown_names); }

  bytes::Bytes file_;
  Dictionary& dictionary_;
  EventBlocks blocks_;
  const ReadOptions& options_;
  Notes& notes_;
  std::map<std::uint64_t, Proc> procs_;  // by P, as the file numbers them
  LocalIds strings_, stacks_;
  std::uint64_t frequency_ = 0, origin_ = 0;
  double nanos_per_tick_ = 0;
  GoroutineTable goroutines_;
  std::map<std::uint64_t, StackId> early_;  // goroutines created before the first procs_change
  std::map<std::uint64_t, Pending> pending_;
  bool early_phase_ = true;
  std::uint64_t gc_sequence_ = 0, events_ = 0;
  Irregularities irregular_;
};

}  // namespace weir::gotrace
