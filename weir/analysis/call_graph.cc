#include "weir/analysis/call_graph.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "weir/analysis/call_nodes.h"
#include "weir/analysis/profile_merge.h"

namespace weir::analysis {

using model::CallEdge;
using model::CallGraph;
using model::CallNode;
using model::magnitude;
using model::Profile;
using model::ValueChoice;
using model::wrapping_add;

namespace {

struct Sums {
  std::int64_t flat = 0, cum = 0, flat_divisor = 0, cum_divisor = 0;
};

constexpr std::uint32_t hidden_node = model::no_index;

/// One walk over all samples: which nodes are how heavy. Only nodes with a place in `kept` count;
/// a leaf that is not kept gives its flat value to nobody.
class Builder {
 public:
  Builder(const Profile& profile, ValueChoice choice, const CallNodes& nodes)
      : profile_(profile), choice_(choice), nodes_(nodes) {}

  std::vector<Sums> sum() const {
    std::vector<Sums> sums(nodes_.size());
    std::vector<std::uint32_t> seen(nodes_.size());
    std::uint32_t number = 0;
    for (const Sample& sample : profile_.samples) {
      const std::int64_t value = choice_.of(sample), divisor = choice_.divisor(sample);
      if (value == 0 && divisor == 0) continue;
      ++number;
      const auto stack = sample.locations();
      for (const std::uint32_t location : stack) {
        for (const std::uint32_t node : nodes_.of(location)) {
          if (seen[node] == number) continue;
          seen[node] = number;
          sums[node].cum = wrapping_add(sums[node].cum, value);
          if (choice_.mean) sums[node].cum_divisor = wrapping_add(sums[node].cum_divisor, divisor);
        }
      }
      if (stack.empty()) continue;
      Sums& leaf = sums[nodes_.of(stack.front()).front()];
      leaf.flat = wrapping_add(leaf.flat, value);
      if (choice_.mean) leaf.flat_divisor = wrapping_add(leaf.flat_divisor, divisor);
    }
    return sums;
  }

  /// Edges between kept nodes; `kept` has their new numbers.
  std::vector<CallEdge> edges(const std::vector<std::uint32_t>& kept) {
    edges_.clear();
    known_.clear();
    last_.clear();
    std::uint32_t number = 0;
    for (const Sample& sample : profile_.samples) {
      const std::int64_t value = choice_.of(sample), divisor = choice_.divisor(sample);
      if (value == 0 && divisor == 0) continue;
      add_edges(sample, value, divisor, ++number, kept);
    }
    return std::move(edges_);
  }

 private:
  void add_edges(const Sample& sample, std::int64_t value, std::int64_t divisor,
                 std::uint32_t number, const std::vector<std::uint32_t>& kept) {
    std::uint32_t caller = hidden_node;
    bool residual = false;
    for (std::uint32_t i = sample.depth; i-- > 0;) {
      const auto lines = nodes_.of(sample.stack[i]);
      for (std::size_t line = lines.size(); line-- > 0;) {
        const std::uint32_t callee = kept[lines[line]];
        if (callee == hidden_node) {
          residual = true;
          continue;
        }
        if (caller != hidden_node && caller != callee) {
          const std::uint32_t at = edge_of(caller, callee);
          // A call counts once a sample, with the kind that it has nearest to the root.
          if (last_[at] != number) {
            last_[at] = number;
            CallEdge& edge = edges_[at];
            edge.weight = wrapping_add(edge.weight, value);
            edge.divisor = wrapping_add(edge.divisor, divisor);
            edge.residual = edge.residual || residual;
            edge.inlined = edge.inlined && line + 1 != lines.size();
          }
        }
        caller = callee;
        residual = false;
      }
    }
  }
  std::uint32_t edge_of(std::uint32_t caller, std::uint32_t callee) {
    const auto next = static_cast<std::uint32_t>(edges_.size());
    const auto [at, added] = known_.try_emplace((std::uint64_t{caller} << 32) | callee, next);
    if (added) {
      edges_.push_back({caller, callee});
      last_.push_back(0);
    }
    return at->second;
  }

  const Profile& profile_;
  ValueChoice choice_;
  const CallNodes& nodes_;
  std::vector<CallEdge> edges_;
  std::vector<std::uint32_t> last_;  ///< the sample that an edge was counted for
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

/// Trims a graph in the steps of report.newTrimmedGraph, and remembers what went.
class Trimmer {
 public:
  Trimmer(const Profile& profile, ValueChoice choice, Total total, const GraphOptions& options)
      : profile_(profile),
        options_(options),
        nodes_(profile, options.objects),
        builder_(profile, choice, nodes_),
        texts_(nodes_.size()) {
    graph_.total = total.value;
    graph_.type = (choice.mean ? "mean_" : "") + profile.types[choice.index].type;
    graph_.unit = profile.types[choice.index].unit;
  }

  CallGraph run() {
    sums_ = builder_.sum();
    std::int64_t all_flat = 0;
    for (std::uint32_t node = 0; node < sums_.size(); ++node) {
      if (!in_graph(sums_[node])) continue;
      order_.push_back(node);
      all_flat = wrapping_add(all_flat, sums_[node].flat);
    }
    const auto cutoff = [all_flat](double fraction) {
      return magnitude(model::rounded_down(static_cast<double>(all_flat) * fraction));
    };
    node_cutoff_ = cutoff(options_.node_fraction);
    edge_cutoff_ = cutoff(options_.edge_fraction);
    drop_light_nodes();
    sort_and_limit();
    name_nodes();
    add_edges();
    finish_hidden();
    return std::move(graph_);
  }

 private:
  bool in_graph(const Sums& sums) const {
    if (sums.cum == 0 && sums.flat == 0) return false;
    return !options_.drop_negative || !(sums.flat < 0 || (sums.flat == 0 && sums.cum < 0));
  }

  void hide(std::uint32_t node) {
    const std::int64_t flat = sums_[node].flat;
    model::CallGraphHidden& hidden = graph_.hidden;
    hidden.flat = wrapping_add(hidden.flat, flat);
    if (flat == 0 ||
        (heaviest_ != hidden_node && magnitude(flat) <= magnitude(sums_[heaviest_].flat)))
      return;
    heaviest_ = node;
  }

  void drop_light_nodes() {
    if (node_cutoff_ <= 0) return;
    const auto light = std::stable_partition(order_.begin(), order_.end(), [this](auto node) {
      return magnitude(sums_[node].cum) >= node_cutoff_;
    });
    graph_.hidden.light_nodes = static_cast<std::size_t>(order_.end() - light);
    std::for_each(light, order_.end(), [this](auto node) { hide(node); });
    order_.erase(light, order_.end());
  }

  /// FlatNameOrder and CumNameOrder. Names are made only where values do not decide.
  void sort_and_limit() {
    const auto key = [this](std::uint32_t node) {
      return magnitude(options_.by_cum ? sums_[node].cum : sums_[node].flat);
    };
    const auto other = [this](std::uint32_t node) {
      return magnitude(options_.by_cum ? sums_[node].flat : sums_[node].cum);
    };
    const auto less = [&](std::uint32_t a, std::uint32_t b) {
      if (key(a) != key(b)) return key(a) > key(b);
      const std::string& left = text_of(a);
      const std::string& right = text_of(b);
      if (left != right) return left < right;
      return other(a) != other(b) ? other(a) > other(b) : a < b;
    };
    const std::size_t limit = options_.node_count;
    if (limit == 0 || limit >= order_.size()) {
      std::sort(order_.begin(), order_.end(), less);
      return;
    }
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(limit);
    std::partial_sort(order_.begin(), end, order_.end(), less);
    graph_.hidden.more_nodes = order_.size() - limit;
    std::for_each(end, order_.end(), [this](auto node) { hide(node); });
    order_.erase(end, order_.end());
  }
  const std::string& text_of(std::uint32_t node) {
    std::string& text = texts_[node];
    if (text.empty()) text = nodes_.name(node).text();
    return text;
  }

  void name_nodes() {
    graph_.nodes.reserve(order_.size());
    for (const std::uint32_t from : order_) {
      CallNode node;
      node.name = nodes_.name(from);
      node.text = texts_[from].empty() ? node.name.text() : std::move(texts_[from]);
      const Sums& sums = sums_[from];
      node.flat = sums.flat;
      node.cum = sums.cum;
      node.flat_divisor = sums.flat_divisor;
      node.cum_divisor = sums.cum_divisor;
      graph_.shown = wrapping_add(graph_.shown, node.flat_value());
      graph_.nodes.push_back(std::move(node));
    }
  }

  /// Without edges the only question is which nodes are inlined somewhere.
  bool needs_edges() const {
    if (options_.edges) return true;
    std::vector<bool> kept(nodes_.size());
    for (const std::uint32_t node : order_) kept[node] = true;
    for (std::uint32_t i = 0; i < profile_.locations.size(); ++i) {
      const auto lines = nodes_.of(i);
      for (std::size_t line = 0; line + 1 < lines.size(); ++line)
        if (kept[lines[line]]) return true;
    }
    return false;
  }

  void add_edges() {
    if (!needs_edges()) return;
    std::vector<std::uint32_t> kept(nodes_.size(), hidden_node);
    for (std::uint32_t i = 0; i < order_.size(); ++i) kept[order_[i]] = i;
    std::vector<CallEdge> edges = builder_.edges(kept);
    graph_.hidden.light_edges = std::erase_if(
        edges, [this](const CallEdge& edge) { return magnitude(edge.weight) < edge_cutoff_; });
    std::sort(edges.begin(), edges.end(), [this](const CallEdge& a, const CallEdge& b) {
      if (a.weight != b.weight) {
        if (magnitude(a.weight) != magnitude(b.weight))
          return magnitude(a.weight) > magnitude(b.weight);
        return a.weight > b.weight;
      }
      const auto& nodes = graph_.nodes;
      if (a.caller != b.caller) return nodes[a.caller].text < nodes[b.caller].text;
      return nodes[a.callee].text < nodes[b.callee].text;
    });
    for (std::uint32_t i = 0; i < edges.size(); ++i) {
      graph_.nodes[edges[i].caller].out.push_back(i);
      graph_.nodes[edges[i].callee].in.push_back(i);
    }
    graph_.edges = std::move(edges);
  }

  void finish_hidden() {
    model::CallGraphHidden& hidden = graph_.hidden;
    hidden.node_cutoff =
        magnitude(model::rounded_down(static_cast<double>(graph_.total) * options_.node_fraction));
    hidden.edge_cutoff =
        magnitude(model::rounded_down(static_cast<double>(graph_.total) * options_.edge_fraction));
    if (heaviest_ == hidden_node) return;
    hidden.heaviest = nodes_.name(heaviest_).text();
    hidden.heaviest_flat = sums_[heaviest_].flat;
  }

  const Profile& profile_;
  const GraphOptions& options_;
  CallNodes nodes_;
  Builder builder_;
  CallGraph graph_;
  std::vector<Sums> sums_;
  std::vector<std::uint32_t> order_;  ///< nodes of the graph
  std::vector<std::string> texts_;    ///< of nodes, where one was asked for
  std::uint32_t heaviest_ = hidden_node;
  std::int64_t node_cutoff_ = 0, edge_cutoff_ = 0;
};

}  // namespace

// report.computeTotal.
Total total_of(const Profile& profile, ValueChoice choice) {
  std::vector<bool> of_base(profile.label_sets());
  for (std::uint32_t set = 0; set < profile.label_sets(); ++set)
    for (const model::ProfileLabel& label : profile.labels_of(set))
      if (label.text != 0 && profile.text(label.key) == base_label) of_base[set] = true;
  std::int64_t all = 0, divisor = 0, base = 0, base_divisor = 0;
  for (const Sample& sample : profile.samples) {
    const std::int64_t value = magnitude(choice.of(sample));
    all = wrapping_add(all, value);
    divisor = wrapping_add(divisor, choice.divisor(sample));
    if (!of_base[sample.labels]) continue;
    base = wrapping_add(base, value);
    base_divisor = wrapping_add(base_divisor, choice.divisor(sample));
  }
  if (base > 0) return {model::mean_of(base, base_divisor), true};
  return {model::mean_of(all, divisor), false};
}

CallGraph call_graph(const Profile& profile, ValueChoice choice, Total total,
                     const GraphOptions& options) {
  return Trimmer(profile, choice, total, options).run();
}

}  // namespace weir::analysis
