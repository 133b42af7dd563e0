#include "weir/sched/dpor.h"

#include <algorithm>

#include "weir/base/assert.h"

namespace weir::sched {
namespace {

constexpr std::size_t most_kept = 1'000'000;
/// The work for one schedule grows with the square of them.
constexpr std::size_t most_steps = 5'000;

}  // namespace

/// A goroutine that need not go on here, since what follows is tried elsewhere, as long as nothing
/// is done that its next step touches.
struct Dpor::Sleeper {
  Goid goroutine;
  Footprint touches;
};

/// A choice point, as the schedules before it lead to it.
struct Dpor::Node {
  struct Branch {
    std::uint32_t choice = 0;
    Goid goroutine;
    Footprint touches = Footprint::everything();  ///< its step from here
    std::unique_ptr<Node> next{};
  };
  Branch* find(std::uint32_t choice) {
    const auto found = std::find_if(branches.begin(), branches.end(),
                                    [&](const Branch& one) { return one.choice == choice; });
    return found == branches.end() ? nullptr : &*found;
  }
  bool has(Goid goroutine) const {
    return std::any_of(branches.begin(), branches.end(),
                       [&](const Branch& one) { return one.goroutine == goroutine; });
  }
  bool sleeps(Goid goroutine) const {
    return std::any_of(asleep.begin(), asleep.end(),
                       [&](const Sleeper& one) { return one.goroutine == goroutine; });
  }

  Node* above = nullptr;
  std::uint32_t choice_above = 0;
  std::vector<Goid> enabled{};  ///< by choice; of a select empty
  std::vector<Branch> branches{};
  std::vector<Sleeper> asleep{};
};

/// Follows one schedule through the tree, and adds what is new of it.
class Dpor::Walk {
 public:
  Walk(Dpor& dpor, const RunRecord& record, const Steps& steps, const Job& job)
      : dpor_(dpor), record_(record), steps_(steps), job_(job), is_new_(job.node == nullptr) {}

  /// False if the schedule is not the one that was asked for.
  bool go() {
    for (const Step& step : steps_.all()) {
      nodes_.push_back(nullptr);
      if (!begin(step)) return cut_;
      Node* const node = nodes_.back();
      const std::uint32_t choice = choice_;
      for (const std::uint32_t event : step.selects)
        if (!select(event)) return false;
      if (is_new_) end(step, node == nullptr ? nullptr : node->find(choice));
    }
    return is_new_;
  }

  Node* node_of(std::size_t step) const { return nodes_[step]; }
  /// Steps that no schedule before had.
  std::size_t first_new() const { return first_new_; }
  /// How many steps are looked at: what follows is tried elsewhere.
  std::size_t steps() const { return nodes_.size() - (cut_ ? 1 : 0); }
  bool was_cut() const { return cut_; }

 private:
  bool sleeps(Goid goroutine) const {
    return std::any_of(asleep_.begin(), asleep_.end(),
                       [&](const Sleeper& one) { return one.goroutine == goroutine; });
  }

  /// False: the walk ends here.
  bool begin(const Step& step) {
    const Moment* const moment = step.moment ? &record_.moments[*step.moment] : nullptr;
    const RunEvent* const asked =
        moment != nullptr && moment->asked ? &record_.events[moment->event] : nullptr;
    const bool redundant = is_new_ && sleeps(step.goroutine);
    if (asked != nullptr && asked->alternatives > 1) {
      std::vector<Goid> enabled;
      for (const std::uint64_t goid : record_.goids_of(*moment)) enabled.push_back(Goid{goid});
      if (asked->choice >= enabled.size()) return false;
      Node* const node = enter(std::move(enabled), asked->choice);
      if (node == nullptr) return false;
      nodes_.back() = node;
      if (!redundant && is_new_ && node->branches.empty())
        node->branches.push_back({asked->choice, step.goroutine});
    }
    if (redundant) cut();
    return !cut_;
  }

  /// Another one goes on here, if there is one whose schedules are not all tried elsewhere.
  void cut() {
    cut_ = true;
    Node* const node = nodes_.back();
    if (node == nullptr) return;
    const auto other = std::find_if(node->enabled.begin(), node->enabled.end(),
                                    [&](Goid one) { return !node->sleeps(one); });
    if (other != node->enabled.end()) dpor_.add(*node, *other);
  }

  /// All cases are tried: which one is taken is no order.
  bool select(std::uint32_t event) {
    const RunEvent& chosen = record_.events[event];
    const bool is_first = is_new_;
    Node* const node = enter({}, chosen.choice);
    if (node == nullptr) return false;
    if (!is_first) return true;
    node->branches.push_back({chosen.choice, {}});
    for (std::uint32_t i = 0; i < chosen.alternatives; ++i)
      if (i != chosen.choice) dpor_.add(*node, std::size_t{i});
    return true;
  }

  /// The node of the next choice point; null if it is another one than before.
  Node* enter(std::vector<Goid> enabled, std::uint32_t choice) {
    Node::Branch* const branch = node_ == nullptr ? nullptr : node_->find(choice_);
    if (node_ != nullptr && branch == nullptr) return nullptr;
    std::unique_ptr<Node>& place = branch == nullptr ? dpor_.root_ : branch->next;
    if ((place == nullptr) != is_new_) return nullptr;
    if (is_new_) {
      place = std::make_unique<Node>(Node{node_, choice_, std::move(enabled), {}, asleep_});
    } else if (place->enabled != enabled) {
      return nullptr;
    }
    node_ = place.get();
    choice_ = choice;
    if (node_ == job_.node) begin_branch();
    return node_;
  }

  // Those that were chosen here before need not go on, as long as nothing of theirs is touched.
  void begin_branch() {
    is_new_ = true;
    first_new_ = nodes_.size() - 1;
    asleep_ = node_->asleep;
    if (node_->enabled.empty()) return;
    for (std::size_t i = 0; i < job_.branch; ++i)
      asleep_.push_back({node_->branches[i].goroutine, node_->branches[i].touches});
  }

  void end(const Step& step, Node::Branch* branch) {
    // Another case would touch something else.
    if (branch != nullptr && step.selects.empty()) branch->touches = step.touches;
    std::erase_if(asleep_, [&](const Sleeper& one) {
      return one.goroutine == step.goroutine || one.touches.meets(step.touches);
    });
  }

  Dpor& dpor_;
  const RunRecord& record_;
  const Steps& steps_;
  const Job job_;
  bool is_new_;
  bool cut_ = false;
  std::size_t first_new_ = 0;
  Node* node_ = nullptr;  ///< the last choice point, and what was chosen there
  std::uint32_t choice_ = 0;
  std::vector<Node*> nodes_;  ///< by step; null: nobody else could go on
  std::vector<Sleeper> asleep_;
};

Dpor::Dpor() {
  waiting_.emplace_back();
}

Dpor::~Dpor() = default;

std::optional<std::vector<std::uint32_t>> Dpor::next() {
  if (waiting_.empty()) return std::nullopt;
  const Job job = running_.emplace_back(waiting_.front());
  waiting_.pop_front();
  ++tried_;
  std::vector<std::uint32_t> choices;
  if (job.node == nullptr) return choices;
  choices.push_back(job.node->branches[job.branch].choice);
  for (const Node* node = job.node; node->above != nullptr; node = node->above)
    choices.push_back(node->choice_above);
  std::reverse(choices.begin(), choices.end());
  return choices;
}

void Dpor::learn(const RunRecord& record) {
  WEIR_ASSERT(!running_.empty());
  const Job job = running_.front();
  running_.pop_front();
  if (failed()) return;
  if (is_unknown(record.ending)) return fail("a run had no verdict");
  if (record.unordered) return fail("the test uses timers, or what else weir sees no order of");
  if (!record.observations.empty())
    return fail("the test uses " + record.observations.front() + ", which weir does not control");
  if (record.refused != 0) return fail("the Go runtime refused a preemption");
  const auto steps = Steps::of(record);
  if (!steps) return fail("weir could not follow who ran");
  if (steps->all().size() > most_steps) return fail("a run has too many operations");
  Walk walk(*this, record, *steps, job);
  if (!walk.go()) return fail("equal choices gave different runs");
  add_reversals(*steps, walk);
  if (walk.was_cut() || record.ending == Ending::deadlock) return;
  // Who could still run when the program ended: it might have ended later.
  if (Node* const last = walk.node_of(walk.steps() - 1); last != nullptr)
    for (const Goid goroutine : last->enabled) add(*last, goroutine);
}

void Dpor::add_reversals(const Steps& steps, const Walk& walk) {
  for (const Race& race : steps.races()) {
    if (race.second < walk.first_new()) continue;
    if (race.second >= walk.steps()) return;
    Node* const node = walk.node_of(race.first);
    const auto instead = steps.reversals(race);
    if (node == nullptr || instead.empty()) return fail("weir could not follow who ran");
    const bool is_tried = std::any_of(instead.begin(), instead.end(), [&](Goid one) {
      return node->has(one) || node->sleeps(one);
    });
    if (!is_tried) add(*node, instead.front());
  }
}

void Dpor::add(Node& node, Goid goroutine) {
  const auto found = std::find(node.enabled.begin(), node.enabled.end(), goroutine);
  if (found == node.enabled.end()) return fail("weir could not follow who ran");
  if (node.has(goroutine) || node.sleeps(goroutine)) return;
  add(node, static_cast<std::size_t>(found - node.enabled.begin()));
}

void Dpor::add(Node& node, std::size_t choice) {
  if (++kept_ > most_kept) return fail("there are more orders than weir keeps in mind");
  const Goid goroutine = node.enabled.empty() ? Goid{} : node.enabled[choice];
  waiting_.push_back({&node, node.branches.size()});
  node.branches.push_back({static_cast<std::uint32_t>(choice), goroutine});
}

void Dpor::fail(std::string reason) {
  if (!failed()) failure_ = std::move(reason);
}

}  // namespace weir::sched
