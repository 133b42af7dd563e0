// Profiles written down by hand. What pprof says of real ones, tests/live/prof_test.cc has.
#include <gmock/gmock.h>

#include <map>

#include "weir/analysis/call_graph.h"
#include "weir/analysis/flame.h"
#include "weir/analysis/profile_filter.h"
#include "weir/analysis/profile_health.h"
#include "weir/analysis/profile_merge.h"

namespace weir::analysis {
namespace {

using model::CallGraph;
using model::Profile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Types = std::vector<model::ValueType>;

/// Makes a profile of stacks in words, leaf first; "f|g" is f inlined into g.
class Maker {
 public:
  explicit Maker(Types types) { profile_.types = std::move(types); }

  Maker& add(const std::vector<std::string>& stack, std::vector<std::int64_t> values,
             const std::string& handler = "") {
    std::vector<std::uint32_t> locations;
    for (const std::string& words : stack) locations.push_back(location(words));
    profile_.samples.add(locations, values, labels(handler));
    return *this;
  }
  Profile take() { return std::move(profile_); }

 private:
  StringId string(const std::string& text) {
    const auto [at, added] = strings_.try_emplace(text, 0);
    if (added && !text.empty()) at->second = profile_.strings.add(text);
    return at->second;
  }
  std::uint32_t location(const std::string& words) {
    const auto next = static_cast<std::uint32_t>(profile_.locations.size());
    const auto [at, added] = locations_.try_emplace(words, next);
    if (!added) return at->second;
    model::ProfileLocation place;
    place.first_line = static_cast<std::uint32_t>(profile_.lines.size());
    for (std::size_t from = 0; from <= words.size();) {
      const std::size_t end = std::min(words.find('|', from), words.size());
      profile_.functions.push_back({string(words.substr(from, end - from)), 0, 0, 0});
      profile_.lines.push_back({static_cast<std::uint32_t>(profile_.functions.size() - 1), 0, 0});
      ++place.line_count;
      from = end + 1;
    }
    profile_.locations.push_back(place);
    return next;
  }
  std::uint32_t labels(const std::string& handler) {
    if (handler.empty()) return 0;
    const auto next = static_cast<std::uint32_t>(profile_.label_sets());
    const auto [at, added] = sets_.try_emplace(handler, next);
    if (added) {
      profile_.labels.push_back({string("handler"), string(handler), 0, 0});
      profile_.label_ends.push_back(profile_.labels.size());
    }
    return at->second;
  }
  Profile profile_;
  std::map<std::string, StringId> strings_;
  std::map<std::string, std::uint32_t> locations_, sets_;
};

Maker cpu() {
  return Maker(Types{{"cpu", "nanoseconds"}});
}

using Sums = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;
Sums sums_of(const CallGraph& graph) {
  Sums sums;
  for (const model::CallNode& node : graph.nodes) sums[node.text] = {node.flat, node.cum};
  return sums;
}
CallGraph graph_of(const Profile& profile, GraphOptions options = {}) {
  return call_graph(profile, {}, total_of(profile, {}), options);
}

TEST(CallGraph, CountsAFunctionOnceAStack) {
  const Profile profile = cpu().add({"f", "g", "f", "main"}, {10}).add({"g", "main"}, {5}).take();
  EXPECT_EQ(sums_of(graph_of(profile)), (Sums{{"f", {10, 10}}, {"g", {5, 15}}, {"main", {0, 15}}}));
}

TEST(CallGraph, TellsInlinedCallsFromOthers) {
  const Profile profile =
      cpu().add({"leaf|mid", "main"}, {10}).add({"leaf", "mid", "main"}, {5}).take();
  const CallGraph graph = graph_of(profile);
  ASSERT_EQ(graph.edges.size(), 2u);
  for (const model::CallEdge& edge : graph.edges) {
    EXPECT_EQ(edge.weight, 15);
    EXPECT_FALSE(edge.inlined) << "one of them is a real call";
  }
  const Profile inlined = cpu().add({"leaf|mid", "main"}, {10}).take();
  const CallGraph other = graph_of(inlined);
  for (const model::CallEdge& edge : other.edges)
    EXPECT_EQ(edge.inlined, other.nodes[edge.callee].text == "leaf");
}

TEST(CallGraph, SaysWhatItHides) {
  Maker maker = cpu();
  for (int i = 0; i < 300; ++i) maker.add({"light" + std::to_string(i), "main"}, {1});
  maker.add({"light7", "main"}, {1}).add({"heavy", "main"}, {700});
  const Profile profile = maker.take();
  const CallGraph graph = graph_of(profile);
  EXPECT_EQ(sums_of(graph), (Sums{{"heavy", {700, 700}}, {"main", {0, 1001}}}));
  EXPECT_EQ(graph.hidden.light_nodes, 300u);
  EXPECT_EQ(graph.hidden.flat, 301);
  EXPECT_EQ(graph.hidden.heaviest, "light7");
  EXPECT_EQ(graph.hidden.heaviest_flat, 2);
  const CallGraph one = graph_of(profile, {.node_fraction = 0, .node_count = 1});
  EXPECT_EQ(one.hidden.more_nodes, 301u);
  EXPECT_EQ(one.hidden.heaviest, "light7");
}

TEST(CallGraph, EdgesGoOverHiddenNodes) {
  const Profile profile =
      cpu().add({"leaf", "rare", "main"}, {1}).add({"leaf", "main"}, {999}).take();
  const CallGraph graph = graph_of(profile);
  ASSERT_EQ(graph.edges.size(), 1u);
  EXPECT_EQ(graph.edges[0].weight, 1000);
  EXPECT_TRUE(graph.edges[0].residual);
}

TEST(ProfileMerge, AddsUpAndSubtracts) {
  const auto one = [] { return cpu().add({"f", "main"}, {10}).add({"g", "main"}, {5}).take(); };
  std::vector<Profile> both;
  both.push_back(one());
  both.push_back(cpu().add({"g", "main"}, {7}).add({"h", "main"}, {1}).take());
  const auto merged = merge(std::move(both));
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->samples.size(), 3u) << "equal stacks are one sample";
  EXPECT_EQ(sums_of(graph_of(*merged)),
            (Sums{{"f", {10, 10}}, {"g", {12, 12}}, {"h", {1, 1}}, {"main", {0, 23}}}));
  const auto nothing = subtract(one(), one(), {});
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->samples.empty());
  const auto diff = subtract(one(), cpu().add({"f", "main"}, {4}).take(), {.diff = true});
  ASSERT_TRUE(diff.has_value());
  EXPECT_EQ(sums_of(graph_of(*diff))["f"].first, 6);
  EXPECT_EQ(total_of(*diff, {}).value, 4) << "percentages are of the base";
}

TEST(ProfileMerge, ConvertsUnitsAndRefusesOtherKinds) {
  std::vector<Profile> both;
  both.push_back(Maker(Types{{"delay", "milliseconds"}}).add({"f"}, {2}).take());
  both.push_back(Maker(Types{{"delay", "microseconds"}}).add({"f"}, {500}).take());
  const auto merged = merge(std::move(both));
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->types[0].unit, "microseconds");
  EXPECT_EQ(merged->samples[0].values[0], 2500);
  std::vector<Profile> apart;
  apart.push_back(cpu().take());
  apart.push_back(Maker(Types{{"goroutine", "count"}}).take());
  const auto refused = merge(std::move(apart));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().what, HasSubstr("cpu/nanoseconds"));
}

Profile filtered(Profile profile, const ProfileFilter& filter) {
  add_label_frames(profile, filter);
  const auto done = apply_filter(profile, filter);
  EXPECT_TRUE(done.has_value()) << (done ? "" : to_string(done.error()));
  return profile;
}
ProfileFilter with(std::optional<Pattern> ProfileFilter::*field, const char* pattern) {
  ProfileFilter filter;
  filter.*field = *Pattern::compile(pattern);
  return filter;
}

TEST(ProfileFilter, NamesChooseSamplesAndFrames) {
  const auto whole = [] {
    return cpu().add({"leaf|mid", "top", "main"}, {10}).add({"other", "main"}, {5}).take();
  };
  const auto sums = [&](std::optional<Pattern> ProfileFilter::*field, const char* pattern) {
    return sums_of(graph_of(filtered(whole(), with(field, pattern))));
  };
  EXPECT_EQ(sums(&ProfileFilter::focus, "mid").count("other"), 0u);
  EXPECT_EQ(sums(&ProfileFilter::ignore, "mid"), (Sums{{"main", {0, 5}}, {"other", {5, 5}}}));
  EXPECT_EQ(sums(&ProfileFilter::hide, "leaf")["mid"].first, 10);
  EXPECT_EQ(sums(&ProfileFilter::show, "top|other"), (Sums{{"other", {5, 5}}, {"top", {10, 10}}}));
  EXPECT_EQ(sums(&ProfileFilter::show_from, "mid"), (Sums{{"leaf", {10, 10}}, {"mid", {0, 10}}}));
  EXPECT_EQ(sums(&ProfileFilter::prune_from, "top")["top"].first, 10);
  const Profile none = filtered(whole(), with(&ProfileFilter::focus, "nosuch"));
  ASSERT_EQ(none.notes.all().size(), 1u);
}

TEST(ProfileFilter, LabelsChooseSamplesAndBecomeFrames) {
  const auto whole = [] {
    return cpu().add({"f"}, {10}, "/a").add({"f"}, {5}, "/b").add({"f"}, {1}).take();
  };
  const auto total = [&](const std::string& focus, const std::string& ignore) {
    ProfileFilter filter;
    filter.tag_focus = focus;
    filter.tag_ignore = ignore;
    const Profile profile = filtered(whole(), filter);
    return total_of(profile, {}).value;
  };
  EXPECT_EQ(total("/a", ""), 10);
  EXPECT_EQ(total("handler=b$", ""), 5);
  EXPECT_EQ(total("handler:/a", ""), 10);
  EXPECT_EQ(total("", "handler=."), 1);
  ProfileFilter root;
  root.tag_root = {"handler"};
  Profile profile = filtered(whole(), root);
  coarsen(profile, Granularity::functions, true, false);
  const Sums sums = sums_of(graph_of(profile));
  EXPECT_EQ(sums.at("/a").second, 10);
  EXPECT_EQ(sums.at("<unknown>").second, 1) << "without the label";
}

TEST(Flame, HoldsAllThatIsWideEnough) {
  Maker maker = cpu();
  maker.add({"f", "main"}, {600}, "/a").add({"g", "main"}, {300}, "/b");
  for (int i = 0; i < 100; ++i) maker.add({"light" + std::to_string(i), "main"}, {1});
  const model::Flame flame = analysis::flame(maker.take(), {}, {.least_share = 0.01});
  std::map<std::string, std::int64_t> widths;
  for (const model::FlameBox& box : flame.boxes) widths[flame.names[box.name]] = box.value;
  EXPECT_THAT(widths,
              ElementsAre(Pair("f", 600), Pair("g", 300), Pair("main", 1000), Pair("root", 1000)));
  EXPECT_EQ(flame.folded, 100u);
  EXPECT_EQ(flame.folded_value, 100);
  ASSERT_EQ(flame.labels.size(), 2u);
  EXPECT_EQ(flame.labels[0].text, "handler: /a");
  EXPECT_EQ(flame.labels[0].parts.size(), 3u);  // root, main, f
  EXPECT_FALSE(flame.compares);
}

TEST(Flame, WidensTheLimitUntilItFits) {
  Maker maker = cpu();
  for (int i = 0; i < 100; ++i) maker.add({"f" + std::to_string(i)}, {100 - i});
  const model::Flame flame =
      analysis::flame(maker.take(), {}, {.least_share = 0, .most_boxes = 200});
  EXPECT_EQ(flame.boxes.size(), 101u);
  Maker again = cpu();
  for (int i = 0; i < 100; ++i) again.add({"f" + std::to_string(i)}, {100 - i});
  const model::Flame less =
      analysis::flame(again.take(), {}, {.least_share = 0.0001, .most_boxes = 50});
  EXPECT_LE(less.boxes.size(), 50u);
  EXPECT_GT(less.folded, 0u);
}

TEST(Health, GoroutinesByWhatTheirStacksSay) {
  Profile profile =
      Maker(Types{{"goroutine", "count"}})
          .add({"runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "app.wait"}, {6})
          .add({"runtime.gopark", "runtime.selectgo", "app.choose"}, {2})
          .add({"app.work"}, {2})
          .take();
  profile.functions[3].file = profile.strings.add("/src/wait.go");
  profile.lines[3].line = 12;
  const auto report = judge_health(profile, {});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->measured, 80);
  EXPECT_TRUE(report->crossed);
  EXPECT_THAT(report->by_state,
              ElementsAre(Pair("chan receive", 6), Pair("not parked", 2), Pair("select", 2)));
  ASSERT_EQ(report->stacks.size(), 2u);
  EXPECT_THAT(report->stacks[0].functions, ElementsAre("app.wait"));
  EXPECT_EQ(report->stacks[0].file, "/src/wait.go");
  EXPECT_EQ(report->stacks[0].line, 12);
  EXPECT_FALSE(judge_health(profile, {.parked = 80})->crossed) << "beyond the limit, not at it";
}

TEST(Health, TellsLocksFromWaits) {
  const Types types{{"contentions", "count"}, {"delay", "nanoseconds"}};
  const Profile locks =
      Maker(types).add({"sync.(*Mutex).Unlock", "app.f"}, {10, 20'000'000}).take();
  const Profile waits = Maker(types).add({"sync.(*Mutex).Lock", "app.f"}, {10, 20'000'000}).take();
  const auto lock = judge_health(locks, {}), wait = judge_health(waits, {});
  ASSERT_TRUE(lock.has_value() && wait.has_value());
  EXPECT_EQ(lock->kind, model::HealthReport::Kind::locks);
  EXPECT_EQ(wait->kind, model::HealthReport::Kind::waits);
  EXPECT_TRUE(lock->crossed) << "2 ms, and 1 ms is the limit";
  EXPECT_FALSE(wait->crossed) << "2 ms, and 10 ms is the limit";
  EXPECT_FALSE(judge_health(cpu().take(), {}).has_value());
}

TEST(Cluster, DividesByLabel) {
  const Profile profile = cpu().add({"f"}, {10}, "/a").add({"g"}, {30}, "/b").take();
  const model::ClusterReport report = cluster(profile, {}, "handler");
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[0].value, "/b");
  EXPECT_EQ(report.rows[0].amount, 30);
  EXPECT_EQ(report.total, 40);
}

TEST(ProfileHealth, LeavesOutWhatPackageTestingWaitsFor) {
  const Profile profile =
      Maker({{"contentions", "count"}, {"delay", "nanoseconds"}})
          .add({"runtime.chanrecv1", "testing.(*T).Run", "testing.runTests"}, {1, 9'000'000'000})
          .add({"runtime.chanrecv1", "runtime/pprof.StopCPUProfile", "testing.(*M).after"},
               {1, 200'000'000})
          .add({"runtime.chanrecv1", "app.wait", "app.TestPut.func1", "testing.tRunner"},
               {2, 4'000'000})
          .add({"runtime.chanrecv1", "app.wait", "app.serve"}, {1, 1'000'000})
          .take();
  const auto report = judge_health(profile, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->count, 3);
  EXPECT_FALSE(report->crossed);
  ASSERT_EQ(report->stacks.size(), 2u);
  EXPECT_EQ(report->stacks[0].test, "TestPut");
  EXPECT_EQ(report->stacks[1].test, "");
  ASSERT_FALSE(report->notes.all().empty());
  EXPECT_THAT(report->notes.all()[0].text, HasSubstr("left out are 2 waits"));
}

TEST(ProfileHealth, LabelsTests) {
  Profile profile =
      Maker(Types{{"samples", "count"}})
          .add({"app.work", "example.com/my.app/v2.TestPut", "testing.tRunner"}, {1}, "/put")
          .add({"app.work", "example.com/my%2eapp.TestGet.func2", "testing.tRunner"}, {1})
          .add({"app.work", "app.serve"}, {1})
          .take();
  EXPECT_EQ(label_tests(profile), 2u);
  const auto report = cluster(profile, {}, "test");
  std::map<std::string, std::int64_t> amounts;
  for (const auto& row : report.rows) amounts[row.value] = row.amount;
  EXPECT_THAT(amounts, ElementsAre(Pair("", 1), Pair("TestGet", 1), Pair("TestPut", 1)));
  EXPECT_EQ(profile.labels_of(profile.samples[0].labels).size(), 2u);
}

}  // namespace
}  // namespace weir::analysis
