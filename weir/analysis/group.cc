#include "weir/analysis/group.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "weir/analysis/fingerprint.h"

namespace weir::analysis {

using model::Goroutine;
using model::Snapshot;

namespace {

/// Most goroutines share their stack value with others; computing a fingerprint costs far more than
/// comparing what it is made of.
class FingerprintCache {
 public:
  const model::Fingerprint& of(const Goroutine& goroutine) {
    const Key key{goroutine.stack.get(), goroutine.status, goroutine.wait_reason,
                  goroutine.blocked_on ? static_cast<int>(goroutine.blocked_on->kind) : -1,
                  goroutine.created.function};
    const auto [entry, is_new] = known_.try_emplace(key);
    if (is_new) entry->second = fingerprint(goroutine);
    return entry->second;
  }

 private:
  using Key = std::tuple<const model::Stack*, model::Status, std::string, int, std::string>;
  std::map<Key, model::Fingerprint> known_;
};

void finish(Group& group, const Snapshot& snapshot, const Attribution* attribution) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> shares;
  group.exemplar = group.members.front();
  for (const std::size_t member : group.members) {
    const std::optional<Nanos> waited = snapshot.goroutines[member].waiting_at_least;
    if (waited && (!group.oldest || *waited > *group.oldest)) {
      group.oldest = waited;
      group.exemplar = member;
    }
    if (attribution == nullptr) continue;
    const Owner& owner = (*attribution)[member];
    ++shares[{owner.test, owner.why}];
  }
  for (const auto& [owner, count] : shares)
    group.tests.push_back({owner.first, owner.second, count});
  std::stable_sort(group.tests.begin(), group.tests.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
}

}  // namespace

std::vector<Group> group(const Snapshot& snapshot, const std::vector<std::size_t>& chosen,
                         const Attribution* attribution) {
  FingerprintCache fingerprints;
  std::unordered_map<std::string, std::size_t> place;
  std::vector<Group> groups;
  for (const std::size_t index : chosen) {
    const model::Fingerprint& print = fingerprints.of(snapshot.goroutines[index]);
    const auto [entry, is_new] = place.try_emplace(print.key, groups.size());
    if (is_new) {
      groups.emplace_back();
      groups.back().fingerprint = print;
    }
    groups[entry->second].members.push_back(index);
  }
  for (Group& made : groups) finish(made, snapshot, attribution);
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.members.size() != b.members.size() ? a.members.size() > b.members.size()
                                                : a.fingerprint.key < b.fingerprint.key;
  });
  return groups;
}

}  // namespace weir::analysis
