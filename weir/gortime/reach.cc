#include "weir/gortime/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "weir/gortime/reach_marker.h"
#include "weir/gortime/reach_roots.h"
#include "weir/gortime/reach_state.h"

namespace weir::gortime {
namespace {

constexpr std::uint64_t xreg_bytes = 2176;  // runtime.xRegState: 32 × 64 + 8 × 8, rounded up
constexpr std::uint64_t most_list = 1'000'000;

/// Whether the argument holds for this program at all.
Result<void> check_program(const Program& program) {
  if (program.file().machine() != elf::Machine::amd64)
    return fail(ErrorCode::unsupported, "proofs are made on amd64 only");
  if (!program.layout_is_known())
    return fail(
        ErrorCode::unsupported,
        fmt::format("the runtime of {} is not one that weir knows exactly", program.go_version()));
  if (!program.globals().mheap || !program.globals().allfin)
    return fail(ErrorCode::not_found, "the heap's variables were not found in the program");
  if (program.layout().cleanup_block.queue_all.present() && !program.globals().gc_cleanups)
    return fail(ErrorCode::not_found, "runtime.gcCleanups was not found in the program");
  return {};
}

/// glibc's loader: it starts a program that is position independent, and is not called again by one
/// without cgo.
bool is_loader(const target::Region& region) {
  const auto name = region.path.rfind('/') + 1;
  return region.path.compare(name, 8, "ld-linux") == 0;
}

/// All of the region is weir's. The kernel makes one region of neighbours.
bool is_own(const target::Region& region, std::span<const MemoryRange> own) {
  Address at = region.start;
  for (const MemoryRange& one : own)
    if (one.start <= at && at < one.end) at = one.end;
  return at >= region.end;
}

/// Code of C is in the process: cgo, linked in any way. `own` is weir's.
bool has_foreign_code(const Program& program, target::Memory& memory,
                      std::span<const MemoryRange> own) {
  if (program.table().find_function("runtime/cgo.init.0") ||
      program.table().find_function("crosscall2"))
    return true;
  const auto& loads = program.file().loads();
  const auto ours = [&](const target::Region& region) {
    return std::any_of(loads.begin(), loads.end(), [&](const elf::Segment& load) {
      const Address start = program.bias().to_run(load.start);
      return region.start + 4096 > start && region.start < start + load.memory_size;
    });
  };
  for (const target::Region& region : memory.regions())
    if (region.executable && !is_own(region, own) && !region.path.starts_with("[") &&
        !is_loader(region) && !ours(region))
      return true;
  return false;
}

struct Candidate {
  const ReachG* g = nullptr;
  std::uint32_t first = 0, last = 0;  ///< what it waits for: places [first, last) of the search
  bool forever = false;
  std::string_view live_because;  ///< not empty: it counts as one that can go on
  Address reached;                ///< the object that something reaches
};

class Search {
 public:
  Search(const Program& program, target::Memory& memory, const HeapMap& heap, ReachState& state,
         ReachMarker marker, std::span<const MemoryRange> own)
      : program_(program),
        memory_(memory),
        heap_(heap),
        state_(state),
        marker_(std::move(marker)),
        own_(own) {}

  Result<ReachReport> run() {
    state_.make_opaque(marker_);
    WEIR_TRY_VOID(make_waiting_opaque());
    WEIR_TRY_VOID(find_candidates());
    const bool cgo = has_foreign_code(program_, memory_, own_);
    WEIR_TRY_VOID(mark_roots({program_, memory_, heap_, state_, cgo, own_}, marker_));
    WEIR_TRY_VOID(mark_those_that_go_on());
    WEIR_TRY_VOID(settle());
    return report();
  }

 private:
  Result<void> make_waiting_opaque();
  Result<void> find_candidates();
  void watch();
  std::span<const ReachWait::Place> places_of(const Candidate& candidate) const {
    return std::span(places_).subspan(candidate.first, candidate.last - candidate.first);
  }
  Result<void> mark_those_that_go_on();
  Result<void> settle();
  Result<void> mark_struct(const ReachG& g, const ReachRoot& root);
  Result<void> mark_goroutine(const ReachG& g);
  bool is_reached(Candidate& candidate);
  ReachReport report();
  ReachGoroutine describe(const Candidate& candidate) const;

  const Program& program_;
  target::Memory& memory_;
  const HeapMap& heap_;
  ReachState& state_;
  ReachMarker marker_;
  std::span<const MemoryRange> own_;
  std::vector<Candidate> candidates_;  // in the order of the goroutines
  std::vector<ReachWait::Place> places_;
  std::vector<std::pair<ObjectIndex, std::uint32_t>> waits_for_;  // candidates by object; ascending
};

/// From a channel's queue the collector would go on to whoever waits in it.
Result<void> Search::make_waiting_opaque() {
  const auto& l = program_.layout().sudog;
  for (const ReachG& g : state_.goroutines()) {
    if (!g.alive()) continue;
    Address sudog = g.waiting;
    for (std::uint64_t n = 0; sudog; ++n) {
      if (n > most_list) return fail(ErrorCode::invalid, "g.waiting does not end", g.at);
      const auto owner = memory_.read_pointer(sudog + l.g);
      if (!owner || *owner != g.at) break;  // from 1.26 on it goes on to others'
      marker_.make_opaque(sudog);
      WEIR_TRY(sudog, memory_.read_pointer(sudog + l.waitlink));
    }
  }
  return {};
}

/// The runtime.g itself: of the heap, but for the one that a thread of the program starts with.
Result<void> Search::mark_struct(const ReachG& g, const ReachRoot& root) {
  const FoundObject object = heap_.find(g.at.value);
  if (object.span && object.span->scan && object.start() == g.at) {
    marker_.mark_words(HeapMap::words_of(object), g.at, root);
    return {};
  }
  WEIR_TRY(const auto words, state_.read_words(g.at, g.at + program_.layout().g.size.value()));
  marker_.mark_words(words, g.at, root);
  return {};
}

/// All that a goroutine that can go on has: its stack, and what its g leads to (defers, panics, a
/// closure to start with, a timer).
Result<void> Search::mark_goroutine(const ReachG& g) {
  const ReachRoot root{RootKind::goroutine, {}, g.id, 0};
  WEIR_TRY_VOID(mark_struct(g, root));
  if (g.stack.low) {
    const StackRange live = state_.live_stack(g);
    WEIR_TRY(const auto words, state_.read_words(live.low, live.high));
    marker_.mark_words(words, live.low, root,
                       state_.is_parked(g) ? Counts::not_for_queues : Counts::for_all);
  }
  if (g.xregs) {
    WEIR_TRY(const auto words, state_.read_words(g.xregs, g.xregs + xreg_bytes));
    marker_.mark_words(words, g.xregs, root);
  }
  return {};
}

Result<void> Search::find_candidates() {
  for (const ReachG& g : state_.goroutines()) {
    if (!g.alive() || !state_.is_candidate(g)) continue;
    WEIR_TRY(const ReachWait wait, state_.wait_of(g));
    const auto first = static_cast<std::uint32_t>(places_.size());
    places_.insert(places_.end(), wait.places.begin(), wait.places.end());
    const auto last = static_cast<std::uint32_t>(places_.size());
    candidates_.push_back({&g, first, last, wait.forever, wait.not_settled, {}});
  }
  watch();
  return {};
}

/// The marker is to tell when something reaches what a candidate waits for.
void Search::watch() {
  waits_for_.reserve(2 * places_.size());
  for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
    for (const ReachWait::Place& place : places_of(candidates_[i])) {
      for (const Address at : {place.object, place.sudog}) {
        const FoundObject object = heap_.find(at.value);
        if (!object.span) continue;
        marker_.watch(object);
        waits_for_.emplace_back(object.index, i);
      }
    }
  }
  std::sort(waits_for_.begin(), waits_for_.end());
}

Result<void> Search::mark_those_that_go_on() {
  auto candidate = candidates_.begin();
  for (const ReachG& g : state_.goroutines()) {
    if (!g.alive()) continue;
    const bool is_candidate = candidate != candidates_.end() && candidate->g == &g;
    if (!is_candidate || !candidate->live_because.empty()) WEIR_TRY_VOID(mark_goroutine(g));
    if (is_candidate) ++candidate;
  }
  return {};
}

bool Search::is_reached(Candidate& candidate) {
  for (const ReachWait::Place& place : places_of(candidate)) {
    const FoundObject object = heap_.find(place.object.value);
    if (object.span && !marker_.is_marked(object)) continue;
    candidate.reached = place.object;
    candidate.live_because = object.span ? "something that can go on leads to it"
                                         : "it is a variable of a package, or on a stack";
    return true;
  }
  for (const ReachWait::Place& place : places_of(candidate)) {
    const FoundObject object = heap_.find(place.sudog.value);
    if (object.span && !marker_.is_marked_for_queues(object)) continue;
    candidate.reached = place.sudog;
    candidate.live_because = "something that can go on leads to its place in a queue";
    return true;
  }
  return false;
}

/// Until nothing changes: who waits for something that is reached can go on, and what it leads to
/// is reached.
Result<void> Search::settle() {
  std::vector<std::uint32_t> to_look_at(candidates_.size());
  std::iota(to_look_at.begin(), to_look_at.end(), 0U);
  marker_.drain();
  marker_.take_seen();  // all candidates are looked at anyway
  while (!to_look_at.empty()) {
    for (const std::uint32_t i : to_look_at) {
      Candidate& candidate = candidates_[i];
      if (candidate.forever || !candidate.live_because.empty()) continue;
      if (is_reached(candidate)) WEIR_TRY_VOID(mark_goroutine(*candidate.g));
    }
    marker_.drain();
    to_look_at.clear();
    for (const ObjectIndex object : marker_.take_seen()) {
      auto waiter = std::lower_bound(waits_for_.begin(), waits_for_.end(), std::pair(object, 0U));
      for (; waiter != waits_for_.end() && waiter->first == object; ++waiter)
        to_look_at.push_back(waiter->second);
    }
  }
  return {};
}

ReachGoroutine Search::describe(const Candidate& candidate) const {
  ReachGoroutine out{candidate.g->id, ReachVerdict::proved, candidate.live_because, {}, {}};
  if (candidate.live_because.empty()) return out;
  out.verdict = ReachVerdict::held;
  const FoundObject object = heap_.find(candidate.reached.value);
  if (object.span && marker_.is_marked(object)) {
    out.root.emplace();
    out.path = marker_.path_to(object, *out.root);
  } else if (candidate.reached && !object.span) {
    out.root = ReachRoot{RootKind::global, candidate.reached, {}, 0};
  }
  return out;
}

ReachReport Search::report() {
  ReachReport report;
  report.spans = heap_.spans().size();
  report.objects_marked = marker_.marked();
  report.scanned_bytes = heap_.scan_bytes();
  report.goroutines.reserve(state_.goroutines().size());
  auto candidate = candidates_.begin();
  for (const ReachG& g : state_.goroutines()) {
    if (!g.alive()) continue;
    if (candidate != candidates_.end() && candidate->g == &g) {
      report.goroutines.push_back(describe(*candidate++));
    } else {
      report.goroutines.push_back({g.id, ReachVerdict::not_applicable, {}, {}, {}});
    }
  }
  return report;
}

}  // namespace

Result<ReachReport> find_unreachable(const Program& program, target::Memory& memory,
                                     std::span<const ReachThread> threads,
                                     const ReachOptions& options) {
  WEIR_TRY_VOID(check_program(program));
  for (const ReachThread& thread : threads)
    if (thread.registers.syscall < 0 && thread.vectors.empty())
      return fail(ErrorCode::unsupported,
                  fmt::format("the vector registers of thread {} are not known", thread.go_id));
  if (memory.consistency() != target::Consistency::frozen)
    return fail(ErrorCode::unsupported, "the program ran while it was read");
  ReachState state(program, memory, threads);
  WEIR_TRY_VOID(state.read());
  if (std::string why = state.unsettled(); !why.empty()) return fail(ErrorCode::limit, why);
  WEIR_TRY(const HeapMap heap, HeapMap::read(program.layout(), program.globals(), memory,
                                             {options.max_memory, options.recorded}));
  for (const HeapSpan& span : heap.spans())
    if (span.user_arena)
      return fail(ErrorCode::unsupported, "the program uses arenas (GOEXPERIMENT=arenas)");
  ReachMarker marker(heap);
  marker.leave_out(options.without);
  return Search(program, memory, heap, state, std::move(marker), options.own_memory).run();
}

}  // namespace weir::gortime
