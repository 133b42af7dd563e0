#include "weir/sched/order_hash.h"

#include <unordered_map>

#include "weir/sched/moments.h"

namespace weir::sched {
namespace {

/// RunRecord::order_hash: a sum of hashes that each follow from the events before it in the same
/// goroutine and on the same object, and from nothing else. An object is told by what was done to
/// it: its address may be another in another process (with Go 1.19 to 1.21 it is).
class OrderHash {
 public:
  void mix(const RunEvent& event) {
    if (event.kind == agent::PointKind::resume) return;
    const std::uint32_t object = event.object;
    Hash one;
    one.mix(event.goroutine.value);
    one.mix(event.pc.value);
    one.mix(static_cast<std::uint64_t>(object != 0));
    one.mix(static_cast<std::uint64_t>(event.timer));
    std::uint64_t& before = by_goroutine_[event.goroutine.value];
    one.mix(before);
    if (object != 0) one.mix(by_object_[object]);
    before = one.value();
    if (object != 0) by_object_[object] = before;
    sum_ += before;
  }
  std::uint64_t value(Ending ending) const {
    Hash all;
    all.mix(sum_);
    all.mix(static_cast<std::uint64_t>(ending));
    return all.value();
  }

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> by_goroutine_, by_object_;
  std::uint64_t sum_ = 0;
};

}  // namespace

std::uint64_t order_hash(const RunRecord& record) {
  OrderHash order;
  for (const std::uint32_t event : perform(record).events) order.mix(record.events[event]);
  return order.value(record.ending);
}

}  // namespace weir::sched
