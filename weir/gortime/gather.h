#pragma once
// Gatherer: copies the state of every goroutine out of a program's memory, in two steps that keep
// the stop short.
//
//   gather()   reads everything. While the program runs this is only a first draft.
//   refresh()  reads all g structs again (in few large reads) and gathers again just those
//   goroutines that ran, appeared
//              or ended since. Called while the program is stopped, its result is one instant of
//              the whole program.
//
// Why this is sound: a goroutine that has not run since its draft was taken has the same stack,
// sudogs and wait, and a channel it is blocked on cannot have become ready without waking it. "Has
// not run" is told by runtime.g's status, sched, stack, waiting and trackingSeq (bumped whenever it
// leaves _Grunning: casgstatus, src/runtime/proc.go, go1.19–1.27); trackingSeq alone wraps at 256,
// so the drafts are refreshed until the window is short.
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/notes.h"
#include "weir/elf/file.h"
#include "weir/gortime/globals.h"
#include "weir/gortime/goroutine.h"
#include "weir/gortime/layout.h"
#include "weir/target/crew.h"
#include "weir/target/memory.h"

namespace weir::gortime {

/// What the gatherer must know of the program; owned by the caller and alive as long as the
/// gatherer.
struct GatherContext {
  const Layout* layout = nullptr;
  const Globals* globals = nullptr;
  /// wait reason → what to look for beside the g (see gather.cc); from waitReasonStrings of the
  /// target.
  const std::vector<std::string>* wait_reasons = nullptr;
  elf::Machine machine = elf::Machine::amd64;
};

struct GatherLimits {
  std::uint64_t goroutines = 50'000'000;  ///< allglen above this is taken for a misread
  std::uint64_t stack_bytes = 256 << 10;  ///< copied per goroutine, from the stack pointer up
  std::uint64_t sudogs = 65'536;          ///< cases of one select
};

class Gatherer {
 public:
  Gatherer(GatherContext context, target::Memory& memory, GatherLimits limits = {});

  /// Reads through `memory` from now on: the same program, now frozen.
  void use(target::Memory& memory) { memory_ = &memory; }
  /// How to find the stack pointer of a stopped thread, by the number Go knows it by (m.procid).
  /// Without, goroutines that run have only what the scheduler left.
  void use_threads(std::function<std::optional<Address>(int)> stack_pointer) {
    thread_sp_ = std::move(stack_pointer);
  }

  /// refresh() compares on these threads too, where the memory allows it. `crew` must outlive this.
  void use_crew(target::Crew& crew) { crew_ = &crew; }

  /// The g structs alone: no stacks, no waits. Cheap; for a census.
  Result<void> read_headers();

  /// Errors: what reading allgs itself failed with; limit. A goroutine that can't be read is marked
  /// torn, and noted.
  Result<void> gather();

  struct Refreshed {
    std::size_t goroutines = 0;  ///< g structs compared
    std::size_t changed = 0;     ///< gathered again
    bool complete = true;  ///< false: `expired` said stop; the rest of the changed ones are torn
  };
  /// `expired` is asked between batches; a null function never expires.
  Result<Refreshed> refresh(const std::function<bool()>& expired = {});

  /// The goroutines that `which` picks (say, those running), for regather(). Before a stop: it
  /// looks at every one.
  std::vector<std::size_t> choose(const std::function<bool(const GoroutineState&)>& which);
  /// Gathers these again, whether they changed or not.
  Result<void> regather(std::span<const std::size_t> chosen);

  /// To be called once, when the program runs again: takes over what the stop had no time for.
  void finish();

  /// In allgs order, dead ones left in (status tells).
  const std::vector<GoroutineState>& goroutines() const { return states_; }
  std::vector<GoroutineState>& goroutines() { return states_; }
  const Notes& notes() const { return notes_; }

 private:
  struct Block {  ///< a run of g structs read in one piece
    Address start;
    std::size_t size = 0;
    std::size_t buffer_offset = 0;
    std::size_t first = 0, last = 0;  ///< its goroutines: order_[first, last)
  };
  /// What changes when a goroutine runs, ends, or its struct is used for another one.
  struct Identity {
    std::array<std::uint64_t, 10> words{};
    bool operator==(const Identity&) const = default;
  };

  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// The target's text for its wait reason; empty when it is not waiting.
  const std::string& reason_of(const GoroutineState& state) const;
  Result<std::size_t> read_all_pointers();
  void plan_blocks(std::size_t from);
  Result<void> read_block(const Block& block, std::span<std::byte> into);
  Result<void> compare_block(const Block& block, std::size_t known);
  Result<void> compare_all(std::size_t known);
  Identity identity_of(std::span<const std::byte> bytes) const;
  std::span<const std::byte> g_bytes(std::size_t index) const;
  void parse_g(std::size_t index);
  void gather_some(const std::vector<std::size_t>& indexes, const std::function<bool()>& expired,
                   bool& complete);
  void read_stacks(std::span<const std::size_t> indexes);
  void read_sudogs(std::span<const std::size_t> indexes);
  void read_channels(std::span<const std::size_t> indexes);
  void read_semaphores(std::span<const std::size_t> indexes);
  Address stack_pointer(const GoroutineState& state) const;
  void read_thread(GoroutineState& state);
  void read_own_code(GoroutineState& state);
  void read_details(GoroutineState& state);
  void read_labels(GoroutineState& state);
  void read_ancestors(GoroutineState& state);
  void read_poll(GoroutineState& state);
  void read_notify_list(GoroutineState& state);
  Result<Labels> read_label_slice(Address at);
  Result<Labels> read_label_map(Address at);
  bool list_holds(Address head, Address sudog);
  bool notify_list_holds(Address list, Address head, Address sudog);

  GatherContext context_;
  target::Memory* memory_;
  target::Crew* crew_ = nullptr;
  std::function<std::optional<Address>(int)> thread_sp_;
  GatherLimits limits_;
  Notes notes_;
  std::vector<Address> pointers_;  ///< allgs
  std::vector<Block> blocks_;
  std::vector<std::size_t> order_;        ///< indexes by address of the g
  std::vector<std::byte> buffer_;         ///< the g structs as last gathered
  std::vector<std::size_t> g_offsets_;    ///< where in buffer_ each goroutine's g struct is
  std::vector<std::uint8_t> readable_;    ///< its g struct came with the last read of its block
  std::vector<std::uint8_t> verified_;    ///< of one instant: see GoroutineState::verified
  std::vector<Identity> identities_;      ///< at the time of the draft
  std::vector<std::int64_t> wait_since_;  ///< as last seen
  std::array<std::uint32_t, 9> identity_offsets_{};
  std::vector<GoroutineState> states_;
  // Shared by the goroutines of one batch only: memory may be reused for something else later.
  std::unordered_map<Address, Labels> label_cache_;
  std::unordered_map<Address, std::pair<Address, std::unordered_set<Address>>> notify_lists_;
};

}  // namespace weir::gortime
