#pragma once
// Who can run, as the Go scheduler of a process with one P has it, and the change of its mind.
// Source of truth: runtime.p.{runnext,runq}, runtime.sched.runq and execute(), src/runtime/proc.go,
// go1.19–1.27.
#include "weir/sched/agent/state.h"

namespace weir::sched::agent {
namespace {

constexpr U32 queue_slots = 256;  // len(p.runq)

void add(const Enabled& one) {
  const Offsets& o = config().offsets;
  State& s = state();
  if (one.place != Place::chosen && (is_system(one.g) || at<U64>(one.g + o.g_lockedm) != 0)) return;
  if (s.enabled_count == most_enabled) give_up(End::crowded);
  Enabled& entry = s.enabled[s.enabled_count];
  entry = one;
  entry.goid = at<U64>(one.g + o.g_goid);
  s.goids[s.enabled_count++] = entry.goid;
}

// `first` (the one that runs, or is about to), then the queues in the order in which Go takes from
// them: runnext, the P's ring, the global list (findRunnable, src/runtime/proc.go).
void list_enabled(U64 first) {
  const Offsets& o = config().offsets;
  const U64 p = config().p;
  state().enabled_count = 0;
  add({first, 0, 0, 0, Place::chosen, 0});
  if (const U64 next = at<U64>(p + o.p_runnext); next != 0) add({next, 0, 0, 0, Place::next, 0});
  const U32 head = at<U32>(p + o.p_runqhead), tail = at<U32>(p + o.p_runqtail);
  for (U32 i = head; i != tail; ++i) {
    const U32 slot = i % queue_slots;
    add({at<U64>(p + o.p_runq + slot * word), 0, 0, 0, Place::local, slot});
  }
  U64 previous = 0, link = 0;
  for (U64 g = at<U64>(config().sched + o.sched_runq_head); g != 0; previous = g, g = link) {
    link = at<U64>(g + o.g_schedlink);
    add({g, 0, previous, link, Place::global, 0});
  }
}

// At the entry of execute(instead): puts it into the place of `chosen`.
void swap(U64 instead, const Enabled& chosen) {
  const Offsets& o = config().offsets;
  switch (chosen.place) {
    case Place::chosen:
      return;
    case Place::next:
      at<U64>(config().p + o.p_runnext) = instead;
      return;
    case Place::local:
      at<U64>(config().p + o.p_runq + chosen.slot * word) = instead;
      return;
    case Place::global:
      break;
  }
  if (chosen.previous != 0)
    at<U64>(chosen.previous + o.g_schedlink) = instead;
  else
    at<U64>(config().sched + o.sched_runq_head) = instead;
  at<U64>(instead + o.g_schedlink) = chosen.schedlink;
  at<U64>(chosen.g + o.g_schedlink) = 0;
  if (chosen.schedlink == 0) at<U64>(config().sched + o.sched_runq_tail) = instead;
}

}  // namespace
}  // namespace weir::sched::agent
