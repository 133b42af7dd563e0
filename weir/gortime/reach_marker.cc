#include "weir/gortime/reach_marker.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include "weir/base/assert.h"
#include "weir/gortime/reach_threads.h"

namespace weir::gortime {
namespace {

constexpr std::size_t objects_at_once = 32;
constexpr std::size_t part_words = 64;     // of a large object
constexpr std::size_t most_alone = 2'000;  // rounds before other threads are asked to help

}  // namespace

void ReachMarker::make_opaque(Address at) {
  const FoundObject object = heap_.find(at.value);
  if (object.span) flags_.set(object.index, ObjectFlags::opaque);
}

/// True if it is an object seen for the first time.
bool ReachMarker::visit(const FoundObject& object, std::uint32_t parent, Counts counts,
                        Share& share) {
  const ObjectIndex index = object.index;
  const unsigned flags = flags_.of(index);
  const bool watched = (flags & ObjectFlags::watched) != 0;
  if ((flags & ObjectFlags::opaque) != 0 && counts == Counts::for_all) {
    const unsigned before = flags_.set(index, ObjectFlags::counted);
    if (watched && (before & ObjectFlags::counted) == 0) share.seen.push_back(index);
  }
  if ((flags & ObjectFlags::marked) != 0) return false;
  if ((flags_.set(index, ObjectFlags::marked) & ObjectFlags::marked) != 0) return false;
  ++share.marked;
  const bool followed = object.scan && (flags & ObjectFlags::opaque) == 0;
  if (followed) {
    const auto span = static_cast<std::uint32_t>(object.span - heap_.spans().data());
    share.pending.push({span, object.slot, 0, parent});
  }
  if (watched) {
    share.seen.push_back(index);
    if (!followed) share.ends.push_back({index, parent});
  }
  return true;
}

void ReachMarker::mark(std::uint64_t word, const ReachRoot& root, Counts counts) {
  if ((without_ >> static_cast<unsigned>(root.kind) & 1) != 0) return;
  const FoundObject object = heap_.find(word);
  if (!object.span) return;
  if (visit(object, is_root | static_cast<std::uint32_t>(roots_.size()), counts, own_))
    roots_.push_back(root);
}

void ReachMarker::mark_words(std::span<const std::uint64_t> words, Address at, ReachRoot root,
                             Counts counts) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    root.at = at ? at + 8 * i : at;
    mark(words[i], root, counts);
  }
}

/// The words of the objects that were found last. Of a large one a part, and the rest is pending.
void ReachMarker::gather_leads(Share& share, std::vector<Lead>& leads) const {
  std::array<PendingObject, objects_at_once> taken;
  const std::size_t count = share.pending.pop(taken);
  const auto words_from = [this](const PendingObject& one) {
    return HeapMap::words_of(object_of(one)).subspan(std::size_t{one.part} * part_words);
  };
  for (const PendingObject& one : std::span(taken).first(count))
    __builtin_prefetch(&heap_.spans()[one.span]);
  for (const PendingObject& one : std::span(taken).first(count)) {
    const std::uint64_t* words = words_from(one).data();
    __builtin_prefetch(words);
    __builtin_prefetch(words + 8);
  }
  for (const PendingObject& one : std::span(taken).first(count)) {
    auto words = words_from(one);
    if (words.size() > part_words) {
      share.pending.push({one.span, one.slot, one.part + 1, 0});
      words = words.first(part_words);
    }
    const ObjectIndex parent = object_of(one).index;
    for (const std::uint64_t word : words) {
      const HeapMap::Page* page = heap_.find_page(word);
      if (!page) continue;
      __builtin_prefetch(page);
      leads.push_back({word, page, parent});
    }
    if (one.part == 0) words.front() = one.parent;
  }
}

/// Marks what a few objects lead to. Nearly each step needs memory that is in no cache, so each
/// step is made for all of them before the next one: the processor then fetches many lines at once.
void ReachMarker::follow_some(Share& share, std::vector<Lead>& leads) {
  leads.clear();
  gather_leads(share, leads);
  for (Lead& lead : leads) {
    lead.object = heap_.find_in(*lead.page, lead.word);
    if (lead.object.span) flags_.fetch_ahead(lead.object.index);
  }
  for (const Lead& lead : leads)
    if (lead.object.span) visit(lead.object, lead.parent, Counts::for_all, share);
}

/// What threads hand to each other. One that has nothing left to follow waits until another one
/// gives it half of what it has.
class ReachMarker::Pool {
 public:
  /// Of one thread that works: gives, if somebody waits.
  void offer(Share& share) {
    if (!wanted_.load(std::memory_order_relaxed) || share.pending.size() < 2 * objects_at_once)
      return;
    const std::scoped_lock hold(lock_);
    if (!pending_.empty()) return;  // another one gave
    pending_ = share.pending.take_half();
    wanted_ = false;
    changed_.notify_one();
  }

  /// Of one that has nothing left: false when nobody has.
  bool take(Share& share) {
    std::unique_lock hold(lock_);
    while (pending_.empty()) {
      if (busy_ == 0) return false;
      wanted_ = true;
      ++waiting_;
      changed_.wait(hold);
      --waiting_;
    }
    share.pending = std::exchange(pending_, {});
    wanted_ = waiting_ > 0;
    ++busy_;
    return true;
  }

  void leave() {
    const std::scoped_lock hold(lock_);
    if (--busy_ == 0) changed_.notify_all();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::atomic<bool> wanted_{true};
  PendingObjects pending_;
  unsigned waiting_ = 0;
  unsigned busy_ = 1;  // threads that have work; at first the one that made it
};

void ReachMarker::drain_together() {
  Pool pool;
  std::vector<Share> shares(reach_threads());
  std::swap(shares[0], own_);
  on_threads(reach_threads(), [&](unsigned thread) {
    Share& share = shares[thread];
    std::vector<Lead> leads;
    for (bool works = thread == 0 || pool.take(share); works; works = pool.take(share)) {
      for (; !share.pending.empty(); pool.offer(share)) follow_some(share, leads);
      pool.leave();
    }
  });
  std::swap(shares[0], own_);
  for (const Share& share : std::span(shares).subspan(1)) {
    own_.seen.insert(own_.seen.end(), share.seen.begin(), share.seen.end());
    own_.ends.insert(own_.ends.end(), share.ends.begin(), share.ends.end());
    own_.marked += share.marked;
  }
}

void ReachMarker::drain() {
  std::vector<Lead> leads;
  for (std::size_t round = 0; !own_.pending.empty(); ++round) {
    if (round == most_alone && reach_threads() > 1) {
      drain_together();
      break;
    }
    follow_some(own_, leads);
  }
  keep_ends();
}

void ReachMarker::keep_ends() {
  for (const End& end : own_.ends) ends_.emplace(end.object, end.parent);
  own_.ends.clear();
}

std::uint32_t ReachMarker::parent_of(const FoundObject& object) const {
  if (is_followed(object)) return static_cast<std::uint32_t>(HeapMap::words_of(object).front());
  const auto found = ends_.find(object.index);
  WEIR_ASSERT(found != ends_.end());
  return found->second;
}

std::vector<ReachObject> ReachMarker::path_to(const FoundObject& object, ReachRoot& root) const {
  std::vector<ReachObject> path;
  FoundObject at = object;
  while (true) {
    path.push_back({at.start(), at.span->element});
    const std::uint32_t parent = parent_of(at);
    if ((parent & is_root) != 0) {
      root = roots_[parent & ~is_root];
      break;
    }
    at = heap_.object(parent);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace weir::gortime
