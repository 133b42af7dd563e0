#include "weir/ingest/trace_intervals.h"

#include <algorithm>

#include "weir/ingest/trace.h"

namespace weir::ingest {

using gotrace::Event;
using gotrace::EventType;
using model::TraceKind;

namespace {

struct Reason {
  std::string_view text;
  TraceKind kind;
};
// traceBlockReasonStrings and traceGoStopReasonStrings, src/runtime/traceruntime.go, go1.22–1.27.
constexpr Reason reasons[] = {
    {"chan send", TraceKind::chan_send},
    {"chan receive", TraceKind::chan_receive},
    {"select", TraceKind::select},
    {"sync", TraceKind::sync_other},
    {"sync.(*Cond).Wait", TraceKind::cond},
    {"network", TraceKind::network},
    {"sleep", TraceKind::sleep},
    {"forever", TraceKind::forever},
    {"GC mark assist wait for work", TraceKind::gc_assist},
    {"GC background sweeper wait", TraceKind::gc},
    {"wait until GC ends", TraceKind::gc},
    {"GC weak to strong wait", TraceKind::gc},
    {"system goroutine wait", TraceKind::system},
    {"synctest", TraceKind::synctest},
    {"", TraceKind::coroutine},
};

/// The lock that the innermost frames belong to: the outermost of the sync package's that are
/// together on top, since RWMutex and Once are made of a Mutex.
TraceKind lock_of(const model::TraceNames& names, std::uint32_t stack) {
  TraceKind kind = TraceKind::sync_other;
  for (const std::uint32_t frame : names.stack(stack)) {
    const std::string_view function = names.function(frame);
    if (function.starts_with("runtime.")) continue;
    const bool internal = function.starts_with("internal/sync.");
    if (!internal && !function.starts_with("sync.")) break;
    if (function.find("(*RWMutex)") != std::string_view::npos ||
        function.find("_SemacquireRWMutex") != std::string_view::npos)
      kind = TraceKind::rwmutex;
    else if (function.find("(*WaitGroup)") != std::string_view::npos ||
             function.find("_SemacquireWaitGroup") != std::string_view::npos)
      kind = TraceKind::wait_group;
    else if (function.find("(*Cond)") != std::string_view::npos)
      kind = TraceKind::cond;
    else if (function.find("(*Mutex)") != std::string_view::npos && kind == TraceKind::sync_other)
      kind = TraceKind::mutex;
  }
  return kind;
}

/// What the runtime's own frames on top say, where the trace has no reason.
TraceKind kind_of_frames(const model::TraceNames& names, std::uint32_t stack) {
  struct Mark {
    std::string_view function;
    TraceKind kind;
  };
  constexpr Mark marks[] = {
      {"runtime.chansend", TraceKind::chan_send},
      {"runtime.chanrecv", TraceKind::chan_receive},
      {"runtime.selectgo", TraceKind::select},
      {"runtime.block", TraceKind::forever},
      {"runtime.netpollblock", TraceKind::network},
      {"time.Sleep", TraceKind::sleep},
      {"internal/poll.runtime_pollWait", TraceKind::network},
      {"sync.runtime_notifyListWait", TraceKind::cond},
      {"runtime.gcMarkDone", TraceKind::gc},
      {"runtime.coroswitch", TraceKind::coroutine},
  };
  for (const std::uint32_t frame : names.stack(stack)) {
    const std::string_view function = names.function(frame);
    for (const Mark& mark : marks)
      if (function.starts_with(mark.function)) return mark.kind;
    if (function.starts_with("sync.") || function.starts_with("internal/sync."))
      return lock_of(names, stack);
    if (!function.starts_with("runtime.")) break;
  }
  return TraceKind::unknown;
}

bool is_status(const Event& event) {
  return event.type == EventType::go_status || event.type == EventType::go_status_stack;
}

}  // namespace

TraceKind kind_of_wait(std::string_view reason, const model::TraceNames& names,
                       std::uint32_t stack) {
  const auto* const known = std::ranges::find(reasons, reason, &Reason::text);
  if (known == std::end(reasons)) return TraceKind::other;
  return known->kind == TraceKind::sync_other ? lock_of(names, stack) : known->kind;
}

TraceKind TraceIntervals::find_kind(std::uint32_t reason, std::uint32_t stack) {
  if (reason >= reason_kinds_.size()) reason_kinds_.resize(names_.strings.size());
  std::uint8_t& known = reason_kinds_[reason];
  if (known == 0)
    known = static_cast<std::uint8_t>(kind_of_wait(names_.strings[reason], names_, 0)) + 1;
  const auto kind = static_cast<TraceKind>(known - 1);
  if (kind != TraceKind::sync_other) return kind;
  if (stack >= sync_kinds_.size()) sync_kinds_.resize(names_.stack_count());
  std::uint8_t& lock = sync_kinds_[stack];
  if (lock == 0) lock = static_cast<std::uint8_t>(lock_of(names_, stack)) + 1;
  return static_cast<TraceKind>(lock - 1);
}

inline TraceKind TraceIntervals::kind_of(std::uint32_t reason, std::uint32_t stack) {
  constexpr auto by_stack = static_cast<std::uint8_t>(TraceKind::sync_other) + 1;
  if (reason >= reason_kinds_.size()) return find_kind(reason, stack);
  const std::uint8_t known = reason_kinds_[reason];
  if (known == 0 || known == by_stack) return find_kind(reason, stack);
  return static_cast<TraceKind>(known - 1);
}

/// IsSystemGoroutine, src/internal/trace/summary.go, go1.26.8.
bool TraceIntervals::is_system(std::uint32_t start_stack) const {
  const auto frames = names_.stack(start_stack);
  if (frames.empty()) return false;
  const std::string_view start = names_.function(frames.back());
  return start.starts_with("runtime.") && start != "runtime.main";
}

/// A goroutine from before the trace shows its own function only now.
void TraceIntervals::stand_at(Goroutine& goroutine, std::uint32_t stack) const {
  goroutine.stack = stack;
  if (goroutine.start_stack != 0 || stack == 0) return;
  goroutine.start_stack = stack;
  goroutine.system = is_system(stack);
}

void TraceIntervals::grow(gotrace::Slot slot) {
  slots_ = slot + std::size_t{1} + slot / 2;
  goroutines_.resize(slots_);
}

/// The record itself is handed on: a copy of it would have to wait until the fields that were
/// written a moment ago have reached the cache.
inline void TraceIntervals::hand_on(Goroutine& goroutine, std::int64_t end) {
  goroutine.end = end;
  if (end < goroutine.begin) {
    ++backward_;
    goroutine.end = goroutine.begin;
  }
  sink_.take(goroutine);
}

/// Ends what the goroutine has been doing.
inline void TraceIntervals::leave(Goroutine& goroutine, const Event& event) {
  if (goroutine.kind == TraceKind::running) {
    running_ += std::max<std::int64_t>(event.time - goroutine.begin, 0);
    if (!wants_running_) return;
  } else if (is_scheduling(goroutine.kind)) {
    --runnable_;
    runnable_area_ += last_;
    goroutine.proc = event.proc;
  }
  hand_on(goroutine, event.time);
}

inline void TraceIntervals::enter(Goroutine& goroutine, TraceKind kind, const Event& event,
                                  std::uint64_t waker, std::uint32_t waker_stack) {
  goroutine.begin = event.time;
  goroutine.kind = kind;
  goroutine.from_start = false;
  goroutine.waker = waker;
  goroutine.waker_stack = waker_stack;
  if (kind == TraceKind::running) {
    goroutine.before_first_run = false;
    goroutine.proc = event.proc;
  } else if (is_scheduling(kind)) {
    runnable_most_ = std::max(runnable_most_, ++runnable_);
    runnable_area_ -= last_;
  }
}

/// One of which nothing is known so far.
TraceIntervals::Goroutine TraceIntervals::stranger(std::uint64_t id) {
  Goroutine goroutine;
  goroutine.goroutine = id;
  goroutine.kind = TraceKind::unknown;
  goroutine.before_first_run = true;
  return goroutine;
}

/// The goroutine that an event makes known, in its slot.
TraceIntervals::Goroutine& TraceIntervals::add(const Event& event) {
  Goroutine& goroutine = at(event.slot);
  goroutine = stranger(event.a);
  goroutine.stack = event.start_stack;
  goroutine.start_stack = event.start_stack;
  goroutine.system = is_system(event.start_stack);
  ++seen_;
  return goroutine;
}

void TraceIntervals::create(const Event& event) {
  const std::uint64_t creator = id_of(event.actor);
  Goroutine& goroutine = add(event);
  goroutine.creation_stack = event.stack;
  ++created_;
  switch (event.type) {
    case EventType::go_create:
      enter(goroutine, TraceKind::created, event);
      break;
    case EventType::go_create_blocked:
      enter(goroutine, TraceKind::coroutine, event);
      break;
    default:
      enter(goroutine, TraceKind::syscall, event);
      break;
  }
  goroutine.waker = creator;
  goroutine.waker_stack = event.stack;
  if (creator == 0 || regions_.empty()) return;
  if (const auto open = regions_.find(creator); open != regions_.end() && !open->second.empty())
    goroutine.task = open->second.back().task;  // as go tool trace has it
}

void TraceIntervals::status(const Event& event) {
  if (!event.first_status) return;
  Goroutine& goroutine = add(event);
  Event began = event;
  began.time = first_;
  switch (static_cast<gotrace::GoStatus>(event.b)) {
    case gotrace::GoStatus::runnable:
      enter(goroutine, TraceKind::woken, began);
      break;
    case gotrace::GoStatus::running:
      enter(goroutine, TraceKind::running, began);
      break;
    case gotrace::GoStatus::syscall:
      enter(goroutine, TraceKind::syscall, began);
      break;
    default:
      enter(goroutine, kind_of_frames(names_, event.start_stack), began);
      break;
  }
  goroutine.from_start = true;
}

/// The goroutine that an event is about; null if the trace does not say.
inline TraceIntervals::Goroutine* TraceIntervals::find(const Event& event) {
  if (event.slot < slots_ && goroutines_[event.slot].goroutine == event.a)
    return &goroutines_[event.slot];
  return find_new(event);
}

/// Of a damaged trace: one that nothing has made known.
TraceIntervals::Goroutine* TraceIntervals::find_new(const Event& event) {
  if (event.slot == gotrace::no_slot) return nullptr;
  Goroutine& goroutine = at(event.slot);
  if (goroutine.goroutine == event.a) return &goroutine;
  goroutine = stranger(event.a);
  goroutine.begin = event.time;
  ++seen_;
  return &goroutine;
}

void TraceIntervals::end(Goroutine& goroutine) {
  if (!regions_.empty()) regions_.erase(goroutine.goroutine);
  goroutine.goroutine = 0;
  ++ended_;
}

/// go_switch, go_switch_destroy: the one that handed over.
void TraceIntervals::switch_from(const Event& event) {
  if (event.actor == gotrace::no_slot || event.actor == event.slot) return;
  Goroutine& from = at(event.actor);
  leave(from, event);
  if (event.type == EventType::go_switch_destroy) {
    end(from);
    return;
  }
  enter(from, TraceKind::coroutine, event);
  from.stack = 0;
}

/// Mark assists and the like lie within running; they are handed on as intervals of their own.
void TraceIntervals::assist(const Event& event) {
  if (event.slot == gotrace::no_slot) return;
  const Goroutine& goroutine = at(event.slot);
  if (event.type != EventType::gc_mark_assist_end) {
    Goroutine& assisting = assists_[goroutine.goroutine];
    assisting = goroutine;
    assisting.kind = TraceKind::gc_assist;
    assisting.begin = event.type == EventType::gc_mark_assist_active ? first_ : event.time;
    assisting.from_start = event.type == EventType::gc_mark_assist_active;
    if (event.stack != 0) assisting.stack = event.stack;
    assisting.waker_stack = 0;
    assisting.waker = 0;
    return;
  }
  const auto found = assists_.find(goroutine.goroutine);
  if (found == assists_.end()) return;
  hand_on(found->second, event.time);
  assists_.erase(found);
}

void TraceIntervals::annotation(const Event& event) {
  if (event.type == EventType::user_task_begin) {
    tasks_[event.a] = event.text;
    return;
  }
  if (event.slot == gotrace::no_slot) return;
  Goroutine& goroutine = at(event.slot);
  const auto task_name = [this](std::uint64_t task) {
    const auto known = tasks_.find(task);
    return known == tasks_.end() ? std::uint32_t{0} : known->second;
  };
  auto& open = regions_[goroutine.goroutine];
  if (event.type == EventType::user_region_begin)
    open.push_back({event.text, task_name(event.a)});
  else if (event.type == EventType::user_region_end && !open.empty())
    open.pop_back();
  goroutine.region = open.empty() ? 0 : open.back().name;
  goroutine.task = open.empty() ? 0 : open.back().task;
}

void TraceIntervals::other_event(const Event& event) {
  switch (event.type) {
    case EventType::procs_change:
      gomaxprocs_ = std::max(gomaxprocs_, event.a);
      break;
    case EventType::proc_start:
      procs_.insert(event.proc);
      break;
    case EventType::proc_status:
      if (event.b == 1) procs_.insert(static_cast<std::uint32_t>(event.a));
      break;
    case EventType::gc_active:
    case EventType::gc_begin:
      if (gc_since_ < 0) {
        gc_since_ = event.type == EventType::gc_begin ? event.time : first_;
        ++gc_cycles_;
      }
      break;
    case EventType::gc_end:
      if (gc_since_ >= 0) gc_active_ += std::max<std::int64_t>(event.time - gc_since_, 0);
      gc_since_ = -1;
      break;
    case EventType::stw_begin:
      stop_since_ = event.time;
      break;
    case EventType::stw_end:
      if (stop_since_ >= 0) stopped_ += std::max<std::int64_t>(event.time - stop_since_, 0);
      stop_since_ = -1;
      break;
    case EventType::gc_mark_assist_active:
    case EventType::gc_mark_assist_begin:
    case EventType::gc_mark_assist_end:
      assist(event);
      break;
    case EventType::heap_alloc:
      heap_largest_ = std::max(heap_largest_, event.a);
      break;
    case EventType::user_task_begin:
    case EventType::user_region_begin:
    case EventType::user_region_end:
      annotation(event);
      break;
    default:
      break;
  }
}

[[gnu::always_inline]] inline TraceIntervals::Goroutine* TraceIntervals::change_here(
    const Event& event, TraceKind kind) {
  Goroutine* goroutine = find(event);
  if (goroutine == nullptr) return nullptr;
  leave(*goroutine, event);
  enter(*goroutine, kind, event);
  return goroutine;
}

/// The goroutine that the event is about goes on to something else.
TraceIntervals::Goroutine* TraceIntervals::change(const Event& event, TraceKind kind) {
  return change_here(event, kind);
}

inline void TraceIntervals::unblock(const Event& event) {
  Goroutine* goroutine = find(event);
  if (goroutine == nullptr) return;
  const std::uint64_t waker = id_of(event.actor);
  goroutine->waker = waker;
  goroutine->waker_stack = event.stack;
  leave(*goroutine, event);
  enter(*goroutine, TraceKind::woken, event, waker, event.stack);
}

void TraceIntervals::seldom(const Event& event) {
  if (is_status(event)) {
    status(event);
    return;
  }
  pass_time(event);
  switch (event.type) {
    case EventType::go_syscall_end:
      change(event, TraceKind::running);
      break;
    case EventType::go_stop:
      if (Goroutine* goroutine = change(event, TraceKind::preempted); goroutine != nullptr) {
        stand_at(*goroutine, event.stack);
        goroutine->waker_stack = event.stack;
      }
      break;
    case EventType::go_syscall_begin:
      if (Goroutine* goroutine = change(event, TraceKind::syscall); goroutine != nullptr)
        stand_at(*goroutine, event.stack);
      break;
    case EventType::go_syscall_end_blocked:
      change(event, TraceKind::returned);
      break;
    case EventType::go_switch:
    case EventType::go_switch_destroy:
      if (change(event, TraceKind::running) != nullptr) switch_from(event);
      break;
    case EventType::go_destroy:
    case EventType::go_destroy_syscall:
      if (Goroutine* goroutine = find(event); goroutine != nullptr) {
        leave(*goroutine, event);
        end(*goroutine);
      }
      break;
    case EventType::go_create:
    case EventType::go_create_syscall:
    case EventType::go_create_blocked:
      create(event);
      break;
    default:
      other_event(event);
      break;
  }
}

/// What most events are is done here, in one piece.
inline void TraceIntervals::one(const Event& event) {
  switch (event.type) {
    case EventType::go_start:
      pass_time(event);
      change_here(event, TraceKind::running);
      break;
    case EventType::go_unblock:
      pass_time(event);
      unblock(event);
      break;
    case EventType::go_block:
      pass_time(event);
      if (Goroutine* goroutine = change_here(event, kind_of(event.text, event.stack)))
        stand_at(*goroutine, event.stack);
      break;
    default:
      seldom(event);
      break;
  }
}

/// Time begins with the first event that is not a status. Gives that and what follows.
std::span<const Event> TraceIntervals::begin(std::span<const Event> events) {
  for (; !events.empty() && is_status(events.front()); events = events.subspan(1))
    status(events.front());
  if (events.empty()) return events;
  first_ = last_ = events.front().time;
  runnable_area_ -= runnable_ * static_cast<decltype(runnable_area_)>(first_);
  any_ = true;
  return events;
}

void TraceIntervals::take(std::span<const Event> events) {
  if (!any_) events = begin(events);
  for (const Event& event : events) one(event);
}

void TraceIntervals::finish(model::TraceSummary& summary) {
  for (Goroutine& goroutine : goroutines_) {
    if (goroutine.goroutine == 0) continue;
    if (goroutine.kind == TraceKind::running)
      running_ += std::max<std::int64_t>(last_ - goroutine.begin, 0);
    goroutine.open = true;
    if (goroutine.kind != TraceKind::running || wants_running_)
      hand_on(goroutine, std::max(last_, goroutine.begin));
  }
  if (gc_since_ >= 0) gc_active_ += std::max<std::int64_t>(last_ - gc_since_, 0);
  const std::int64_t span = last_ - first_;
  summary.span = Nanos{span};
  summary.procs = procs_.size();
  summary.gomaxprocs = gomaxprocs_;
  summary.goroutines = seen_;
  summary.created = created_;
  summary.ended = ended_;
  summary.running = Nanos{running_};
  summary.gc_cycles = gc_cycles_;
  summary.gc_active = Nanos{gc_active_};
  summary.stopped_world = Nanos{stopped_};
  summary.heap_largest = heap_largest_;
  const auto area = runnable_area_ + runnable_ * static_cast<decltype(runnable_area_)>(last_);
  summary.runnable_mean = span > 0 ? static_cast<double>(area) / static_cast<double>(span) : 0;
  summary.runnable_most = static_cast<std::uint64_t>(std::max<std::int64_t>(runnable_most_, 0));
  summary.backward = backward_;
}

}  // namespace weir::ingest
