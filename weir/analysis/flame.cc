#include "weir/analysis/flame.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "weir/analysis/call_nodes.h"
#include "weir/analysis/profile_merge.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::Flame;
using model::FlameBox;
using model::Profile;

namespace {

// Sums stay far from the edge of the range, so that widths can be added.
constexpr std::int64_t most = std::int64_t{1} << 61;
std::int64_t capped(std::int64_t value) {
  return std::clamp(value, -most, most);
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return std::min(most, a + b);
}

/// A sample on its way from the root: the frames below `depth` are behind it.
struct Walker {
  std::uint32_t sample = 0;
  std::uint32_t depth = 0;  ///< locations left, counted from the leaf
  std::uint32_t line = 0;   ///< lines left in the next location
  std::uint32_t node = 0;   ///< where it goes next
};
constexpr std::uint32_t ended = model::no_index;

/// Splits the samples by their next frame, again and again, as long as a part is wide enough. No
/// tree of all stacks is ever made.
class Folder {
 public:
  Folder(const Profile& profile, model::ValueChoice choice, double least_share)
      : profile_(profile), nodes_(profile, false) {
    std::uint32_t index = 0;
    for (const Sample& sample : profile.samples) {
      const std::int64_t value = capped(model::mean_of(choice.of(sample), choice.divisor(sample)));
      values_.push_back(value);
      const std::uint32_t at = index++;
      if (value == 0 || sample.depth == 0) continue;
      Walker walker{at, sample.depth, 0, 0};
      walker.line = lines_of(walker);
      walkers_.push_back(walker);
    }
    flame_.samples = walkers_.size();
    flame_.least_share = least_share;
  }

  /// Which samples are in a box is told to `on_box` (as a span of walkers).
  template <class OnBox>
  Flame run(std::size_t most_boxes, const OnBox& on_box) {
    const FlameBox root = box_of(0, walkers_.size(), 0, 0);
    flame_.names.emplace_back("root");
    limit_ = static_cast<double>(Flame::width(root)) * flame_.least_share;
    most_boxes_ = most_boxes;
    add(root, 0, walkers_.size(), on_box);
    return std::move(flame_);
  }
  bool overflowed() const { return overflowed_; }
  std::int64_t value(std::uint32_t sample) const { return values_[sample]; }

 private:
  std::uint32_t lines_of(const Walker& walker) const {
    const Sample& sample = profile_.samples[walker.sample];
    return static_cast<std::uint32_t>(nodes_.of(sample.stack[walker.depth - 1]).size());
  }
  /// The next frame of the stack, which is then behind.
  void step(Walker& walker) const {
    if (walker.depth == 0) {
      walker.node = ended;
      return;
    }
    const Sample& sample = profile_.samples[walker.sample];
    walker.node = nodes_.of(sample.stack[walker.depth - 1])[--walker.line];
    if (walker.line > 0) return;
    if (--walker.depth > 0) walker.line = lines_of(walker);
  }
  FlameBox box_of(std::size_t begin, std::size_t end, std::uint32_t name,
                  std::uint32_t depth) const {
    FlameBox box{name, depth, 0, 0};
    for (std::size_t i = begin; i < end; ++i) {
      const std::int64_t value = values_[walkers_[i].sample];
      std::int64_t& part = value > 0 ? box.value : box.base;
      part = sum(part, value > 0 ? value : -value);
    }
    return box;
  }
  std::uint32_t name_of(std::uint32_t node) {
    const auto next = static_cast<std::uint32_t>(flame_.names.size());
    const auto [at, added] = names_.try_emplace(node, next);
    if (added) flame_.names.push_back(nodes_.name(node).text());
    return at->second;
  }

  struct Part {
    std::size_t begin = 0, end = 0;
    FlameBox box;
  };
  /// [begin, end) by next frame; those that end here are in no part. Wide ones first.
  std::vector<Part> split(std::size_t begin, std::size_t end, std::uint32_t depth) {
    const auto at = [this](std::size_t i) {
      return walkers_.begin() + static_cast<std::ptrdiff_t>(i);
    };
    bool alike = true;
    for (std::size_t i = begin; i < end; ++i) {
      step(walkers_[i]);
      alike = alike && walkers_[i].node == walkers_[begin].node;
    }
    if (!alike)
      std::sort(at(begin), at(end), [](const Walker& a, const Walker& b) {
        return a.node != b.node ? a.node < b.node : a.sample < b.sample;
      });
    std::vector<Part> parts;
    for (std::size_t i = begin; i < end;) {
      std::size_t next = i + 1;
      while (next < end && walkers_[next].node == walkers_[i].node) ++next;
      if (walkers_[i].node != ended) {
        Part part{i, next, box_of(i, next, 0, depth)};
        if (static_cast<double>(Flame::width(part.box)) < limit_) {
          flame_.folded += next - i;
          flame_.folded_value = sum(flame_.folded_value, Flame::width(part.box));
        } else {
          part.box.name = name_of(walkers_[i].node);
          parts.push_back(part);
        }
      }
      i = next;
    }
    std::sort(parts.begin(), parts.end(), [this](const Part& a, const Part& b) {
      return flame_.names[a.box.name] < flame_.names[b.box.name];
    });
    return parts;
  }

  /// Depth is bounded by that of a stack: an explicit list keeps a hostile one off weir's own.
  template <class OnBox>
  void add(const FlameBox& root, std::size_t begin, std::size_t end, const OnBox& on_box) {
    std::vector<Part> open{{begin, end, root}};
    while (!open.empty()) {
      const Part part = open.back();
      open.pop_back();
      if (flame_.boxes.size() >= most_boxes_) {
        overflowed_ = true;
        return;
      }
      const auto box = static_cast<std::uint32_t>(flame_.boxes.size());
      flame_.boxes.push_back(part.box);
      for (std::size_t i = part.begin; i < part.end; ++i) on_box(box, walkers_[i].sample);
      std::vector<Part> parts = split(part.begin, part.end, part.box.depth + 1);
      open.insert(open.end(), parts.rbegin(), parts.rend());
    }
  }

  const Profile& profile_;
  CallNodes nodes_;
  std::vector<std::int64_t> values_;
  std::vector<Walker> walkers_;
  std::unordered_map<std::uint32_t, std::uint32_t> names_;
  Flame flame_;
  double limit_ = 0;
  std::size_t most_boxes_ = 0;
  bool overflowed_ = false;
};

/// The values of text labels that hold most, and which of them each sample has.
class LabelChoice {
 public:
  LabelChoice(const Profile& profile, model::ValueChoice choice, std::size_t most_values) {
    std::vector<std::int64_t> by_set(profile.label_sets());
    for (const Sample& sample : profile.samples)
      by_set[sample.labels] =
          sum(by_set[sample.labels], model::magnitude(capped(choice.of(sample))));
    std::map<std::string, std::int64_t> values;
    for (std::uint32_t set = 0; set < by_set.size(); ++set)
      for (const std::string& text : texts(profile, set))
        values[text] = sum(values[text], by_set[set]);
    std::vector<std::pair<std::string, std::int64_t>> order(values.begin(), values.end());
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    left_out_ = order.size() - std::min(order.size(), most_values);
    order.resize(std::min(order.size(), most_values));
    std::sort(order.begin(), order.end());
    for (const auto& [text, value] : order) labels_.push_back({text, {}});
    of_set_.resize(profile.label_sets());
    for (std::uint32_t set = 0; set < by_set.size(); ++set)
      for (const std::string& text : texts(profile, set))
        for (std::uint32_t i = 0; i < labels_.size(); ++i)
          if (labels_[i].text == text) of_set_[set].push_back(i);
  }
  void count(std::uint32_t box, std::uint32_t set, std::int64_t value) {
    for (const std::uint32_t label : of_set_[set]) {
      auto& parts = labels_[label].parts;
      if (parts.empty() || parts.back().first != box) parts.emplace_back(box, 0);
      parts.back().second = sum(parts.back().second, value);
    }
  }
  /// What filters of these boxes need, without the longest of them if it is too much for a page.
  std::vector<model::FlameLabel> take(std::size_t most_parts) {
    const auto longer = [](const model::FlameLabel& a, const model::FlameLabel& b) {
      return a.parts.size() < b.parts.size();
    };
    std::size_t parts = 0;
    for (const model::FlameLabel& label : labels_) parts += label.parts.size();
    while (parts > most_parts) {
      const auto longest = std::max_element(labels_.begin(), labels_.end(), longer);
      parts -= longest->parts.size();
      labels_.erase(longest);
      ++left_out_;
    }
    return std::move(labels_);
  }
  std::uint64_t left_out() const { return left_out_; }

 private:
  static std::vector<std::string> texts(const Profile& profile, std::uint32_t set) {
    std::vector<std::string> result;
    for (const model::ProfileLabel& label : profile.labels_of(set))
      if (label.text != 0 && profile.text(label.key) != base_label)
        result.push_back(fmt::format("{}: {}", profile.text(label.key), profile.text(label.text)));
    return result;
  }
  std::vector<model::FlameLabel> labels_;
  std::vector<std::vector<std::uint32_t>> of_set_;
  std::uint64_t left_out_ = 0;
};

}  // namespace

Flame flame(const Profile& profile, model::ValueChoice choice, const FlameOptions& options) {
  for (double share = options.least_share;; share *= 2) {
    Folder folder(profile, choice, share);
    LabelChoice labels(profile, choice, options.most_labels);
    Flame flame = folder.run(options.most_boxes, [&](std::uint32_t box, std::uint32_t sample) {
      labels.count(box, profile.samples[sample].labels, model::magnitude(folder.value(sample)));
    });
    if (folder.overflowed() && share < 1) continue;
    flame.labels = labels.take(options.most_label_parts);
    flame.labels_left_out = labels.left_out();
    flame.type = profile.types[choice.index].type;
    flame.unit = profile.types[choice.index].unit;
    flame.compares = !flame.boxes.empty() && flame.boxes.front().base > 0;
    if (!profile.mappings.empty()) {
      const std::string& file = profile.mappings.front().file;
      flame.title = file.substr(file.rfind('/') + 1);
    }
    return flame;
  }
}

}  // namespace weir::analysis
