#pragma once
// What a proof by reachability knows of the runtime's threads and goroutines. Internal to reach.h.
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "weir/gortime/heap_map.h"
#include "weir/gortime/reach.h"
#include "weir/gortime/reach_marker.h"

namespace weir::gortime {

/// A stack: [low, high).
struct StackRange {
  Address low, high;
  bool holds(Address at) const { return at >= low && at < high; }
};

struct ReachM {
  Address at, g0, gsignal, curg, p;
  int procid = 0;
  StackRange system, signal;
  const ReachThread* thread = nullptr;
};

struct ReachG {
  Address at;
  Goid id;
  std::uint32_t status = 0;
  bool scanning = false;
  std::string_view reason;  ///< empty if it doesn't wait; the Program's
  StackRange stack;
  Address sched_sp, syscall_sp, m, waiting, bubble, xregs, start_pc;
  std::uint32_t select_done = 0;
  const ReachM* running_on = nullptr;
  bool alive() const { return status != 0 && status != 6 && status != 11; }
};

/// One wait: what must be unreachable for the goroutine to be leaked.
struct ReachWait {
  struct Place {
    Address object;  ///< channel, semaphore or notifyList
    Address sudog;   ///< in its queue
  };
  std::vector<Place> places;
  bool forever = false;  ///< a nil channel, select{}
  /// Not empty: it may be on its way to be woken, and how that is seen.
  std::string_view not_settled;
};

class ReachState {
 public:
  ReachState(const Program& program, target::Memory& memory, std::span<const ReachThread> threads)
      : program_(program), layout_(program.layout()), memory_(memory), threads_(threads) {}

  Result<void> read();
  const std::vector<ReachG>& goroutines() const { return goroutines_; }
  const std::vector<ReachM>& ms() const { return ms_; }
  const std::vector<Address>& ps() const { return ps_; }
  const std::span<const ReachThread>& threads() const { return threads_; }

  /// The words of a goroutine's stack that may be in use: all of it when that is not sure.
  StackRange live_stack(const ReachG& g) const;
  bool is_candidate(const ReachG& g) const;
  /// It waits, and no thread is about to park or to wake it.
  bool is_parked(const ReachG& g) const;
  Result<ReachWait> wait_of(const ReachG& g);
  /// The runtime's structs that it alone goes through.
  void make_opaque(ReachMarker& marker) const;
  /// Why no proof can be made at this very instant; empty if it can.
  std::string unsettled() const;

  Result<std::vector<std::uint64_t>> read_words(Address from, Address to) const;

 private:
  bool is_being_preempted(const ReachM& m, const gosym::Function& preempt) const;
  Result<void> read_goroutines();
  Result<void> read_ms();
  Result<void> read_ps();
  Result<void> read_semaphores();
  Result<StackRange> stack_of(Address g) const;
  Result<ReachWait> channel_wait(const ReachG& g);
  Result<ReachWait> semaphore_wait(const ReachG& g) const;
  Result<ReachWait> cond_wait(const ReachG& g);
  /// Of a queue that begins with `first`.
  Result<bool> queue_holds(Address first, Address sudog);
  Result<void> keep_queue(Address first);
  Result<Address> find_notify_list(const ReachG& g, Address& sudog);
  bool notify_list_holds(Address list, Address sudog);

  const Program& program_;
  const Layout& layout_;
  target::Memory& memory_;
  std::span<const ReachThread> threads_;
  std::vector<ReachG> goroutines_;
  std::vector<ReachM> ms_;
  std::vector<Address> ps_;
  struct SemaphoreEntry {
    Address sudog, word;
  };
  std::unordered_map<std::uint64_t, SemaphoreEntry> semaphores_;  ///< by g
  struct LongQueue {
    std::vector<std::uint64_t> sudogs;  ///< sorted
    bool ends = true;
  };
  std::unordered_map<std::uint64_t, LongQueue> long_queues_;  ///< by the first sudog
};

}  // namespace weir::gortime
