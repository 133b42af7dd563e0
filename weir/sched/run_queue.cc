#include "weir/sched/run_queue.h"

#include <algorithm>
#include <cstring>

namespace weir::sched {
namespace {

constexpr std::size_t most =
    65'536;  // runnable goroutines of a program that can be explored at all
constexpr std::uint32_t slots = 256;  // len(p.runq), go1.19–1.27
constexpr std::size_t word = 8;

}  // namespace

// isSystemGoroutine, src/runtime/traceback.go: by where it starts.
bool RunQueue::is_system(Address start_pc) {
  const auto [entry, fresh] = system_.emplace(start_pc.value, false);
  if (!fresh) return entry->second;
  const auto function = program_.table().find_function(program_.bias().to_link(start_pc));
  entry->second =
      !function || (function->name.starts_with("runtime.") && function->name != "runtime.main" &&
                    function->name != "runtime.corostart");
  return entry->second;
}

Result<void> RunQueue::describe(const ControlledProcess& process, Runnable& one) {
  const auto& layout = program_.layout().g;
  g_bytes_.resize(layout.size.value());
  WEIR_TRY_VOID(process.read(one.g, g_bytes_));
  one.id = Goid{layout.goid.load(g_bytes_)};
  one.schedlink = Address{layout.schedlink.load(g_bytes_)};
  one.locked = layout.lockedm.load(g_bytes_) != 0;
  one.system = is_system(Address{layout.startpc.load(g_bytes_)});
  return {};
}

Result<std::vector<Runnable>> RunQueue::read(const ControlledProcess& process, Address p,
                                             Address first) {
  const auto& layout = program_.layout().p;
  const auto& global = program_.layout().schedt;
  const std::uint32_t from = layout.runqhead.value();
  p_bytes_.resize(layout.runnext.end() - from + word);
  const Address sched_head = program_.globals().sched + global.runq_head;
  const iovec local[] = {{p_bytes_.data(), p_bytes_.size() - word},
                         {p_bytes_.data() + p_bytes_.size() - word, word}};
  const iovec remote[] = {{reinterpret_cast<void*>((p + from).value), local[0].iov_len},
                          {reinterpret_cast<void*>(sched_head.value), word}};
  WEIR_TRY_VOID(process.read_pieces(local, remote));
  const auto load = [&]<class T>(std::uint32_t offset, T& value) {
    std::memcpy(&value, p_bytes_.data() + offset - from, sizeof value);
  };
  std::uint32_t head = 0, tail = 0;
  std::uint64_t next = 0, link = 0;
  load(layout.runqhead.value(), head);
  load(layout.runqtail.value(), tail);
  load(layout.runnext.value(), next);
  std::memcpy(&link, p_bytes_.data() + p_bytes_.size() - word, word);
  if (tail - head > slots) return fail(ErrorCode::invalid, "the run queue makes no sense", p);

  std::vector<Runnable> all;
  const auto add = [&](Runnable one) -> Result<void> {
    WEIR_TRY_VOID(describe(process, one));
    link = one.schedlink.value;
    if (one.place == Runnable::Place::chosen || (!one.system && !one.locked)) all.push_back(one);
    return {};
  };
  const Address global_first{link};
  WEIR_TRY_VOID(add({first, {}, Runnable::Place::chosen}));
  if (next != 0) WEIR_TRY_VOID(add({Address{next}, {}, Runnable::Place::next}));
  for (std::uint32_t at = head; at != tail; ++at) {
    std::uint64_t g = 0;
    load(layout.runq.value() + at % slots * static_cast<std::uint32_t>(word), g);
    WEIR_TRY_VOID(add({Address{g}, {}, Runnable::Place::local, at % slots}));
  }
  Address previous;
  std::size_t count = 0;
  for (Address g = global_first; g; g = Address{link}) {
    if (++count > most) return fail(ErrorCode::limit, "the run queue does not end", g);
    WEIR_TRY_VOID(add({g, {}, Runnable::Place::global, 0, previous}));
    previous = g;
  }
  return all;
}

Result<void> RunQueue::swap(const ControlledProcess& process, Address p, const Runnable& instead,
                            const Runnable& chosen) {
  const auto& layout = program_.layout();
  const Address g = instead.g;
  switch (chosen.place) {
    case Runnable::Place::chosen:
      return {};
    case Runnable::Place::next:
      return process.write_value(p + layout.p.runnext, g);
    case Runnable::Place::local:
      return process.write_value(p + layout.p.runq + chosen.slot * word, g);
    case Runnable::Place::global:
      break;
  }
  const Address sched = program_.globals().sched;
  const Address before =
      chosen.previous ? chosen.previous + layout.g.schedlink : sched + layout.schedt.runq_head;
  WEIR_TRY_VOID(process.write_value(before, g));
  WEIR_TRY_VOID(process.write_value(g + layout.g.schedlink, chosen.schedlink));
  WEIR_TRY_VOID(process.write_value(chosen.g + layout.g.schedlink, Address{}));
  if (!chosen.schedlink) WEIR_TRY_VOID(process.write_value(sched + layout.schedt.runq_tail, g));
  return {};
}

}  // namespace weir::sched
