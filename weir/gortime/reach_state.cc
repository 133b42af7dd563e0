#include "weir/gortime/reach_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace weir::gortime {
namespace {

constexpr std::uint64_t most_goroutines = 50'000'000;
constexpr std::uint64_t most_ms = 1 << 20, most_ps = 1 << 16;
constexpr std::uint64_t most_entries = 100'000'000;  // of all lists together
constexpr std::size_t short_queue = 16;              // waiters
constexpr std::size_t most_cases = 65'536;           // of one select
constexpr std::uint64_t largest_stack = std::uint64_t{2} << 30;
constexpr std::size_t batch = 1024;
constexpr std::uint32_t status_waiting = 4, status_syscall = 3, status_running = 2,
                        status_copystack = 8, status_leaked = 10, scan_bit = 0x1000;
constexpr std::size_t notify_words = 96;  // of a stack: where Cond.Wait keeps its notifyList

struct SliceHeader {
  std::uint64_t data = 0, length = 0, capacity = 0;
};

tl::unexpected<Error> cyclic(std::string_view what, Address at) {
  return fail(ErrorCode::invalid, fmt::format("{} does not end", what), at);
}

bool waits_on_channel(std::string_view reason) {
  return reason == "chan receive" || reason == "chan send" || reason == "select";
}
bool waits_for_ever(std::string_view reason) {
  return reason == "chan receive (nil chan)" || reason == "chan send (nil chan)" ||
         reason == "select (no cases)";
}
bool waits_on_semaphore(std::string_view reason) {
  return reason == "semacquire" || reason == "sync.Mutex.Lock" || reason == "sync.RWMutex.Lock" ||
         reason == "sync.RWMutex.RLock" || reason == "sync.WaitGroup.Wait";
}
bool waits_on_cond(std::string_view reason) {
  return reason == "sync.Cond.Wait";
}

}  // namespace

Result<std::vector<std::uint64_t>> ReachState::read_words(Address from, Address to) const {
  if (to < from || to - from > largest_stack)
    return fail(ErrorCode::invalid, "a range of memory makes no sense", from);
  std::vector<std::uint64_t> words((to - from) / 8);
  WEIR_TRY_VOID(memory_.read(from, std::as_writable_bytes(std::span(words))));
  return words;
}

Result<void> ReachState::read() {
  WEIR_TRY_VOID(read_goroutines());
  WEIR_TRY_VOID(read_ms());
  WEIR_TRY_VOID(read_ps());
  std::unordered_map<std::uint64_t, const ReachM*> running;
  for (const ReachM& m : ms_)
    if (m.curg) running[m.curg.value] = &m;
  for (ReachG& g : goroutines_) {
    const auto found = running.find(g.at.value);
    if (found != running.end()) g.running_on = found->second;
  }
  return read_semaphores();
}

Result<void> ReachState::read_goroutines() {
  const auto& l = layout_.g;
  const std::size_t size = l.size.value();
  WEIR_TRY(const auto count, memory_.read<std::uint64_t>(program_.globals().allglen));
  WEIR_TRY(const Address all, memory_.read_pointer(program_.globals().allgptr));
  if (count == 0 || count > most_goroutines)
    return fail(ErrorCode::invalid, fmt::format("{} goroutines", count),
                program_.globals().allglen);
  std::vector<std::uint64_t> pointers(count);
  WEIR_TRY_VOID(memory_.read(all, std::as_writable_bytes(std::span(pointers))));
  goroutines_.resize(count);
  std::vector<std::byte> bytes(batch * size);
  for (std::size_t done = 0; done < count; done += batch) {
    const std::size_t end = std::min<std::size_t>(done + batch, count);
    std::vector<target::ReadRequest> requests;
    for (std::size_t i = done; i < end; ++i)
      requests.push_back(
          {Address{pointers[i]}, std::span(bytes).subspan((i - done) * size, size), 0});
    WEIR_TRY_VOID(memory_.read_many(requests));
    for (std::size_t i = done; i < end; ++i) {
      ReachG& g = goroutines_[i];
      const std::span<const std::byte> raw = requests[i - done].into;
      if (requests[i - done].got != raw.size())
        return fail(ErrorCode::unmapped, "a goroutine cannot be read", requests[i - done].at);
      g.at = Address{pointers[i]};
      g.id = Goid{l.goid.load(raw)};
      const auto status = static_cast<std::uint32_t>(l.atomicstatus.load(raw));
      g.status = status & ~scan_bit;
      g.scanning = (status & scan_bit) != 0;
      g.stack = {Address{l.stack_lo.load(raw)}, Address{l.stack_hi.load(raw)}};
      g.sched_sp = Address{l.sched_sp.load(raw)};
      g.syscall_sp = Address{l.syscallsp.load(raw)};
      g.m = Address{l.m.load(raw)};
      g.waiting = Address{l.waiting.load(raw)};
      g.bubble = Address{l.bubble.load(raw)};
      g.xregs = Address{l.xregs_state.load(raw)};
      g.start_pc = Address{l.startpc.load(raw)};
      g.select_done = static_cast<std::uint32_t>(l.select_done.load(raw, 1));
      if (g.status == status_waiting || g.status == status_leaked) {
        const std::uint64_t reason = l.waitreason.load(raw);
        if (reason >= program_.wait_reasons().size())
          return fail(ErrorCode::invalid, "a wait reason is out of range", g.at);
        g.reason = program_.wait_reasons()[reason];
      }
    }
  }
  return {};
}

Result<StackRange> ReachState::stack_of(Address g) const {
  if (!g) return StackRange{};
  WEIR_TRY(const Address low, memory_.read_pointer(g + layout_.g.stack_lo));
  WEIR_TRY(const Address high, memory_.read_pointer(g + layout_.g.stack_hi));
  return StackRange{low, high};
}

Result<void> ReachState::read_ms() {
  const auto& l = layout_.m;
  std::unordered_map<int, const ReachThread*> by_id;
  for (const ReachThread& thread : threads_) by_id[thread.go_id] = &thread;
  WEIR_TRY(Address at, memory_.read_pointer(program_.globals().allm));
  while (at) {
    if (ms_.size() >= most_ms) return cyclic("the list of threads", at);
    ReachM m;
    m.at = at;
    WEIR_TRY(m.g0, memory_.read_pointer(at + l.g0));
    WEIR_TRY(m.gsignal, memory_.read_pointer(at + l.gsignal));
    WEIR_TRY(m.curg, memory_.read_pointer(at + l.curg));
    WEIR_TRY(m.p, memory_.read_pointer(at + l.p));
    WEIR_TRY(const auto procid, memory_.read<std::uint64_t>(at + l.procid));
    WEIR_TRY(m.system, stack_of(m.g0));
    WEIR_TRY(m.signal, stack_of(m.gsignal));
    m.procid = static_cast<int>(procid);
    const auto found = by_id.find(m.procid);
    if (found != by_id.end()) m.thread = found->second;
    ms_.push_back(m);
    WEIR_TRY(at, memory_.read_pointer(at + l.alllink));
  }
  return {};
}

Result<void> ReachState::read_ps() {
  WEIR_TRY(const auto all, memory_.read<SliceHeader>(program_.globals().allp));
  if (all.length == 0 || all.capacity > most_ps || all.length > all.capacity)
    return fail(ErrorCode::invalid, "runtime.allp makes no sense", program_.globals().allp);
  // Those beyond the length were in use before GOMAXPROCS shrank.
  std::vector<std::uint64_t> pointers(all.capacity);
  WEIR_TRY_VOID(memory_.read(Address{all.data}, std::as_writable_bytes(std::span(pointers))));
  for (const std::uint64_t p : pointers)
    if (p != 0) ps_.push_back(Address{p});
  return {};
}

/// Every sudog of the semaphore table, by its g.
Result<void> ReachState::read_semaphores() {
  const auto& sl = layout_.sudog;
  const auto& rl = layout_.sema_root;
  const std::size_t size = sl.size.value(), stride = rl.stride.value(), count = rl.count.value();
  std::vector<std::byte> table(count * stride);
  WEIR_TRY_VOID(memory_.read(program_.globals().semtable, table));
  std::vector<std::uint64_t> wave;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t top = rl.treap.load(std::span<const std::byte>(table).subspan(i * stride));
    if (top != 0) wave.push_back(top);
  }
  std::unordered_set<std::uint64_t> seen(wave.begin(), wave.end());
  while (!wave.empty()) {
    std::vector<std::byte> bytes(wave.size() * size);
    std::vector<target::ReadRequest> requests;
    for (std::size_t i = 0; i < wave.size(); ++i)
      requests.push_back({Address{wave[i]}, std::span(bytes).subspan(i * size, size), 0});
    WEIR_TRY_VOID(memory_.read_many(requests));
    std::vector<std::uint64_t> next;
    for (const target::ReadRequest& request : requests) {
      if (request.got != size)
        return fail(ErrorCode::unmapped, "a waiter in the semaphore table", request.at);
      const std::span<const std::byte> raw = request.into;
      semaphores_[sl.g.load(raw)] = {request.at, Address{sl.elem.load(raw)}};
      for (const Offset link : {sl.prev, sl.next, sl.waitlink}) {
        const std::uint64_t to = link.load(raw);
        if (to != 0 && seen.insert(to).second) next.push_back(to);
      }
      if (seen.size() > most_entries) return cyclic("the semaphore table", request.at);
    }
    wave = std::move(next);
  }
  return {};
}

StackRange ReachState::live_stack(const ReachG& g) const {
  const StackRange whole = g.stack;
  if (g.scanning || g.status == status_copystack) return whole;
  const ReachM* m = g.running_on;
  if (m && m->thread) {
    const Address sp = m->thread->registers.sp;
    if (whole.holds(sp)) {
      if (g.status == status_syscall && whole.holds(g.syscall_sp))
        return {std::min(sp, g.syscall_sp), whole.high};
      return {sp, whole.high};
    }
  }
  if (g.status == status_syscall && whole.holds(g.syscall_sp)) return {g.syscall_sp, whole.high};
  if (m || g.status == status_running || g.status == status_syscall) return whole;
  if (whole.holds(g.sched_sp)) return {g.sched_sp, whole.high};
  return whole;
}

bool ReachState::is_parked(const ReachG& g) const {
  return (g.status == status_waiting || g.status == status_leaked) && !g.scanning &&
         !g.running_on && !g.m;
}

bool ReachState::is_candidate(const ReachG& g) const {
  if (!is_parked(g) || g.bubble) return false;
  if (!g.stack.holds(g.sched_sp)) return false;
  return waits_on_channel(g.reason) || waits_for_ever(g.reason) || waits_on_semaphore(g.reason) ||
         waits_on_cond(g.reason);
}

Result<ReachWait> ReachState::wait_of(const ReachG& g) {
  if (waits_for_ever(g.reason)) {
    ReachWait wait;
    wait.forever = true;
    return wait;
  }
  if (waits_on_channel(g.reason)) return channel_wait(g);
  if (waits_on_semaphore(g.reason)) return semaphore_wait(g);
  return cond_wait(g);
}

/// All who wait ask: a long queue is walked once, and not for each of them.
Result<bool> ReachState::queue_holds(Address first, Address sudog) {
  const auto known = long_queues_.find(first.value);
  if (known != long_queues_.end()) {
    const auto& [sudogs, ends] = known->second;
    if (!ends) return cyclic("a queue of waiting goroutines", first);
    return std::binary_search(sudogs.begin(), sudogs.end(), sudog.value);
  }
  Address at = first;
  for (std::size_t n = 0; at && at != sudog; ++n) {
    if (n == short_queue) {
      WEIR_TRY_VOID(keep_queue(first));
      return queue_holds(first, sudog);
    }
    WEIR_TRY(at, memory_.read_pointer(at + layout_.sudog.next));
  }
  return at == sudog;
}

Result<void> ReachState::keep_queue(Address first) {
  LongQueue queue;
  Address earlier;  // of where the count was a power of two: a circle comes by there (Brent)
  for (Address at = first; at && queue.ends;) {
    queue.sudogs.push_back(at.value);
    if ((queue.sudogs.size() & (queue.sudogs.size() - 1)) == 0) earlier = at;
    WEIR_TRY(at, memory_.read_pointer(at + layout_.sudog.next));
    queue.ends = at != earlier;
  }
  if (!queue.ends) queue.sudogs = {};
  std::sort(queue.sudogs.begin(), queue.sudogs.end());
  long_queues_[first.value] = std::move(queue);
  return {};
}

Result<ReachWait> ReachState::channel_wait(const ReachG& g) {
  const auto& sl = layout_.sudog;
  const auto& hl = layout_.hchan;
  ReachWait wait;
  if (!g.waiting) {
    wait.not_settled = "it is in no channel's queue";
    return wait;
  }
  if (g.select_done != 0) {
    wait.not_settled = "its select has been decided";
    return wait;
  }
  Address sudog = g.waiting;
  for (std::size_t n = 0; sudog; ++n) {
    if (n > most_cases) return cyclic("the list of a select's cases", g.at);
    WEIR_TRY(const Address owner, memory_.read_pointer(sudog + sl.g));
    WEIR_TRY(const Address channel, memory_.read_pointer(sudog + sl.c));
    if (owner != g.at || !channel)
      return fail(ErrorCode::invalid, "a waiting goroutine's sudog is not its own", sudog);
    WEIR_TRY(const Address receivers, memory_.read_pointer(channel + hl.recvq_first));
    WEIR_TRY(const Address senders, memory_.read_pointer(channel + hl.sendq_first));
    WEIR_TRY(const bool receives, queue_holds(receivers, sudog));
    WEIR_TRY(const bool sends, receives ? Result<bool>(true) : queue_holds(senders, sudog));
    if (!sends) wait.not_settled = "it has been taken out of a channel's queue";
    wait.places.push_back({channel, sudog});
    WEIR_TRY(sudog, memory_.read_pointer(sudog + sl.waitlink));
  }
  return wait;
}

Result<ReachWait> ReachState::semaphore_wait(const ReachG& g) const {
  ReachWait wait;
  const auto found = semaphores_.find(g.at.value);
  if (found == semaphores_.end()) {
    wait.not_settled = "it is not in the semaphore table";
    return wait;
  }
  wait.places.push_back({found->second.word, found->second.sudog});
  return wait;
}

/// Where `list` is a guess, it may be anything, such as an element of a container/list: what goes
/// round is no notifyList.
bool ReachState::notify_list_holds(Address list, Address sudog) {
  const auto& nl = layout_.notify_list;
  const auto head = memory_.read_pointer(list + nl.head);
  const auto tail = memory_.read_pointer(list + nl.tail);
  const auto wait = memory_.read<std::uint32_t>(list + nl.wait);
  const auto notify = memory_.read<std::uint32_t>(list + nl.notify);
  const auto ticket = memory_.read<std::uint32_t>(sudog + layout_.sudog.ticket);
  if (!head || !tail || !wait || !notify || !ticket || !*head || !*tail) return false;
  if (*ticket - *notify >= *wait - *notify) return false;  // numbers that wrap: notifyListWait
  for (const Address member : {sudog, *tail}) {
    const auto held = queue_holds(*head, member);
    if (!held || !*held) return false;
  }
  const auto behind = memory_.read_pointer(*tail + layout_.sudog.next);
  return behind && !*behind;
}

/// To 1.25 nothing but the stack of notifyListWait names the list and the sudog.
Result<Address> ReachState::find_notify_list(const ReachG& g, Address& sudog) {
  const Address end = std::min(g.stack.high, g.sched_sp + 8 * notify_words);
  WEIR_TRY(std::vector<std::uint64_t> words, read_words(g.sched_sp, end));
  std::erase_if(words, [&](std::uint64_t word) {
    return word < 4096 || word % 8 != 0 || word >> 47 != 0 || g.stack.holds(Address{word});
  });
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  for (const std::uint64_t candidate : words) {
    const auto owner = memory_.read_pointer(Address{candidate} + layout_.sudog.g);
    if (!owner || *owner != g.at) continue;
    for (const std::uint64_t list : words) {
      if (!notify_list_holds(Address{list}, Address{candidate})) continue;
      sudog = Address{candidate};
      return Address{list};
    }
  }
  return Address{};
}

Result<ReachWait> ReachState::cond_wait(const ReachG& g) {
  ReachWait wait;
  Address sudog = g.waiting, list;
  if (sudog) {
    WEIR_TRY(list, memory_.read_pointer(sudog + layout_.sudog.elem));
    if (!notify_list_holds(list, sudog)) wait.not_settled = "it is not in its Cond's list";
  } else {
    WEIR_TRY(list, find_notify_list(g, sudog));
    if (!list) wait.not_settled = "its Cond was not found";
  }
  wait.places.push_back({list, sudog});
  return wait;
}

void ReachState::make_opaque(ReachMarker& marker) const {
  for (const ReachG& g : goroutines_) marker.make_opaque(g.at);
  for (const ReachM& m : ms_)
    for (const Address at : {m.at, m.g0, m.gsignal}) marker.make_opaque(at);
  for (const Address p : ps_) marker.make_opaque(p);
  for (const auto& [g, entry] : semaphores_) marker.make_opaque(entry.sudog);
}

bool ReachState::is_being_preempted(const ReachM& m, const gosym::Function& preempt) const {
  const auto inside = [&](std::uint64_t pc) {
    const LinkAddr at = program_.bias().to_link(Address{pc});
    return at >= preempt.entry && at < preempt.end;
  };
  const auto on_stack = [&](const ReachG& g, Address from) {
    const auto words = read_words(from, std::min(g.stack.high, from + 512));
    return !words || std::any_of(words->begin(), words->end(), inside);
  };
  const bool in_handler = m.signal.holds(m.thread->registers.sp);
  if (m.thread->registers.syscall >= 0 && !in_handler) return false;
  if (inside(m.thread->registers.pc.value)) return true;
  std::vector<std::uint64_t> handler;
  if (in_handler) {
    const auto words = read_words(m.thread->registers.sp, m.signal.high);
    if (!words || std::any_of(words->begin(), words->end(), inside)) return true;
    handler = *words;
  }
  for (const ReachG& g : goroutines_) {
    if (g.running_on != &m || g.status != status_running) continue;
    // A signal handler's stack has the interrupted stack pointer somewhere.
    for (const std::uint64_t word : handler)
      if (word % 8 == 0 && g.stack.holds(Address{word}) && on_stack(g, Address{word})) return true;
    if (in_handler) continue;
    const StackRange live = live_stack(g);
    if (on_stack(g, live.holds(g.sched_sp) && live.low == g.stack.low ? g.sched_sp : live.low))
      return true;
  }
  return false;
}

std::string ReachState::unsettled() const {
  const auto& table = program_.table();
  const auto preempt = table.find_function("runtime.asyncPreempt");
  for (const ReachM& m : ms_) {
    if (!m.thread) {
      // An M that waits for a thread of C to call into Go has a goroutine, but a dead one (needm).
      const bool idle = std::any_of(goroutines_.begin(), goroutines_.end(),
                                    [&](const ReachG& g) { return g.at == m.curg && !g.alive(); });
      if (m.p || (m.curg && !idle)) return fmt::format("thread {} was not stopped", m.procid);
      continue;
    }
    // From 1.26 on, a thread being preempted has vector registers in its P (preempt_xreg.go).
    if (layout_.g.xregs_state.present() && preempt && is_being_preempted(m, *preempt))
      return fmt::format("thread {} is being preempted; look again", m.procid);
  }
  return {};
}

}  // namespace weir::gortime
