// `weir trace` on traces of real programs, beside what `go tool trace` makes of them.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/live/browser.h"
#include "tests/support/go_test_case.h"
#include "tests/support/golden.h"
#include "weir/bytes/mapped_file.h"
#include "weir/pprof/read.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::Completed;

class TraceTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    folder_ = (fs::temp_directory_path() / "weir-trace-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// A trace of tests/programs/traced by the toolchain at hand.
  Result<std::string> record(int pings = 100) {
    WEIR_TRY(const std::string program, test_support::build_go_program(go(), "traced"));
    const std::string path = folder_ + "/trace.out";
    WEIR_TRY(const Completed done,
             test_support::run({program, "-pings", std::to_string(pings), "-o", path}, {}));
    if (done.exit.code != 0) return fail(ErrorCode::invalid, done.err);
    return path;
  }

  std::string folder_;
};

/// Count and nanoseconds of a profile, and how many stacks it has.
struct Sum {
  std::int64_t count = 0, nanos = 0;
  std::map<std::string, std::int64_t> by_leaf;
  bool operator==(const Sum&) const = default;
};
void PrintTo(const Sum& sum, std::ostream* out) {
  *out << sum.count << " in " << sum.nanos << " ns";
  for (const auto& [leaf, nanos] : sum.by_leaf) *out << "\n  " << leaf << " " << nanos;
}

Result<Sum> sum_of(const std::string& content) {
  WEIR_TRY(const pprof::Profile profile,
           pprof::parse_profile(std::as_bytes(std::span(content.data(), content.size()))));
  Sum sum;
  for (std::size_t i = 0; i < profile.samples.size(); ++i) {
    const auto sample = profile.sample(i);
    sum.count += sample.values[0];
    sum.nanos += sample.values[1];
    std::string leaf = "none";
    if (!sample.locations.empty()) {
      const auto lines = profile.lines_of(profile.locations[sample.locations[0]]);
      leaf = std::string(profile.text(profile.functions[lines[0].function].name));
      if (leaf.empty()) leaf = "none";  // Go takes a frame at 0 for none, or none for one
    }
    sum.by_leaf[leaf] += sample.values[1];
  }
  return sum;
}

Result<std::string> output(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment = {}) {
  WEIR_TRY(const Completed done,
           test_support::run(command, {.environment = environment}, test_support::Seconds(300)));
  if (done.exit.code != 0)
    return fail(ErrorCode::invalid, to_string(done.exit) + ": " + done.err + done.out);
  return done.out;
}

Result<json> trace_json(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{WEIR_BINARY, "trace", "-json"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  WEIR_TRY(const std::string text, output(command));
  json report = json::parse(text, nullptr, false);
  if (report.is_discarded()) return fail(ErrorCode::invalid, "no JSON: " + text);
  return report;
}

std::map<std::string, json> waits_of(const json& report) {
  std::map<std::string, json> waits;
  for (const json& section : report.at("waits")) waits[section.at("kind")] = section;
  return waits;
}

/// The go tool trace to compare with. Those of Go 1.25 and before count fewer waits for a P; those
/// of 1.23 and before print no events.
std::optional<test_support::GoToolchain> find_judge() {
  auto newest = test_support::find_newest_go_toolchain();
  return newest && newest->minor >= 26 ? newest : std::nullopt;
}

constexpr double most_apart = 20'000;  // ns

void expect_totals_of_go(const test_support::GoToolchain& judge, const std::string& trace) {
  const auto environment = test_support::go_environment(judge, {});
  for (const std::string kind : {"sched", "sync", "net", "syscall"}) {
    SCOPED_TRACE(kind);
    WEIR_ASSERT_OK(const std::string theirs,
                   output({judge.go(), "tool", "trace", "-pprof=" + kind, trace}, environment));
    WEIR_ASSERT_OK(const std::string ours, output({WEIR_BINARY, "trace", "-pprof", kind, trace}));
    WEIR_ASSERT_OK(const Sum expected, sum_of(theirs));
    WEIR_ASSERT_OK(const Sum found, sum_of(ours));
    EXPECT_EQ(found.count, expected.count);
    // Go's reader moves an event that is not later than the one before it to 1 ns after that.
    EXPECT_NEAR(static_cast<double>(found.nanos), static_cast<double>(expected.nanos), most_apart)
        << testing::PrintToString(found) << "\n"
        << testing::PrintToString(expected);
    for (const auto& [leaf, nanos] : expected.by_leaf) {
      ASSERT_TRUE(found.by_leaf.contains(leaf)) << leaf;
      EXPECT_NEAR(static_cast<double>(found.by_leaf.at(leaf)), static_cast<double>(nanos),
                  most_apart)
          << leaf;
    }
    if (kind == "sched" || kind == "sync") {
      EXPECT_GT(found.count, 0);
    }
  }
}

TEST_P(TraceTest, HasTheTotalsOfGoToolTrace) {
  const auto newest = find_judge();
  if (!newest) WEIR_SKIP("there is no go tool trace of Go 1.26 or later to compare with");
  WEIR_ASSERT_OK(const std::string trace, record());
  expect_totals_of_go(*newest, trace);
  WEIR_ASSERT_OK(const json report, trace_json({trace}));
  const auto waits = waits_of(report);
  EXPECT_TRUE(waits.contains("network") && waits.contains("syscall")) << "that net has something";
}

TEST_P(TraceTest, ReadsAFlightRecording) {
  if (go().minor < 25) return;  // there is no flight recorder
  const auto newest = find_judge();
  if (!newest) WEIR_SKIP("there is no go tool trace of Go 1.26 or later to compare with");
  WEIR_ASSERT_OK(const std::string program, test_support::build_go_program(go(), "flight"));
  const std::string trace = folder_ + "/flight.out";
  WEIR_ASSERT_OK(const std::string nothing, output({program, "-o", trace}));
  EXPECT_EQ(nothing, "");
  WEIR_ASSERT_OK(const json report, trace_json({trace}));
  EXPECT_EQ(report.at("trace").at("flight_recording"), true);
  EXPECT_THAT(report.at("notes"), testing::IsEmpty()) << report.at("notes");
  EXPECT_TRUE(waits_of(report).contains("sleep"));
  expect_totals_of_go(*newest, trace);
}

TEST_P(TraceTest, HasTheEventsOfGoToolTrace) {
  WEIR_ASSERT_OK(const std::string trace, record());
  const std::vector<std::string> ours{WEIR_BINARY, "trace", "-d", "wire", trace};
  if (go().minor < 22) {
    WEIR_ASSERT_OK(const Completed done, test_support::run(ours));
    EXPECT_EQ(done.exit.code, 2);
    EXPECT_THAT(done.err, testing::HasSubstr("from before Go 1.22"));
    return;
  }
  const auto newest = find_judge();
  if (!newest) WEIR_SKIP("there is no go tool trace of Go 1.26 or later to compare with");
  WEIR_ASSERT_OK(const std::string theirs, output({newest->go(), "tool", "trace", "-d=wire", trace},
                                                  test_support::go_environment(*newest, {})));
  WEIR_ASSERT_OK(const std::string found, output(ours));
  EXPECT_GT(found.size(), 10'000u);
  EXPECT_TRUE(found == theirs) << "see diff of " << trace;
}

TEST_P(TraceTest, SaysWhatItsBytesAreFor) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const std::string text, output({WEIR_BINARY, "trace", "-d", "bytes", trace}));
  std::istringstream lines(text);
  std::uint64_t sum = 0, bytes = 0;
  std::string share, percent, purpose;
  std::map<std::string, std::uint64_t> by_purpose;
  while (lines >> bytes >> share >> percent && std::getline(lines >> std::ws, purpose)) {
    if (purpose == "in all") break;
    sum += bytes;
    by_purpose[purpose] = bytes;
  }
  EXPECT_EQ(purpose, "in all") << text;
  EXPECT_EQ(bytes, fs::file_size(trace));
  EXPECT_EQ(sum, bytes) << text;
  EXPECT_GT(by_purpose["events"], sum / 10) << text;
  EXPECT_GT(by_purpose["stacks"], 100u) << text;
}

TEST_P(TraceTest, PrintsEventsInOrder) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const std::string lines, output({WEIR_BINARY, "trace", "-d", "parsed", trace}));
  EXPECT_THAT(lines,
              testing::ContainsRegex("GoBlock p=[0-9]+ g=[0-9]+ \"chan (send|receive)\" stack="));
  EXPECT_THAT(lines, testing::ContainsRegex("GoUnblock p=[0-9]+ g=[0-9]+ goroutine=[0-9]+ stack="));
}

TEST_P(TraceTest, TellsWaitsApart) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const json report, trace_json({trace}));
  EXPECT_EQ(report.at("schema"), "weir.trace/1");
  EXPECT_THAT(report.at("notes"), testing::IsEmpty()) << report.at("notes");
  const auto waits = waits_of(report);
  for (const char* kind : {"scheduling", "select", "sync.Mutex", "sync.RWMutex", "sync.WaitGroup",
                           "sync.Cond", "network", "sleep", "syscall"})
    EXPECT_TRUE(waits.contains(kind)) << kind;
  // Which of the two that hand values to and fro has to wait is chance.
  EXPECT_TRUE(waits.contains("chan receive") || waits.contains("chan send"));
  ASSERT_TRUE(waits.contains("sync.RWMutex"));
  const json& row = waits.at("sync.RWMutex").at("rows")[0];
  EXPECT_EQ(row.at("key"), "main.locked");
  ASSERT_FALSE(row.at("wakers").empty());
  EXPECT_EQ(row.at("wakers")[0].at("where"), "main.locked");
  for (const auto& [kind, section] : waits) {
    EXPECT_LE(section.at("p50_ns"), section.at("p99_ns")) << kind;
    EXPECT_LE(section.at("p99_ns"), section.at("max_ns")) << kind;
    std::uint64_t counted = 0;
    for (const json& bucket : section.at("histogram"))
      counted += bucket.at("count").get<std::uint64_t>();
    EXPECT_EQ(counted, section.at("count")) << kind;
  }
}

TEST_P(TraceTest, NamesWhatNobodyWoke) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const json report, trace_json({trace}));
  std::map<std::string, std::uint64_t> open;
  for (const json& waits : report.at("open"))
    open[waits.at("key")] += waits.at("count").get<std::uint64_t>();
  EXPECT_EQ(open, (std::map<std::string, std::uint64_t>{
                      {"chan send: main.leakSend; created by main.main", 3},
                      {"select: main.leakSelect; created by main.main", 1}}));
}

TEST_P(TraceTest, ByTaskAndRegion) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const json report, trace_json({"-by", "region", "-focus", "waitTurn", trace}));
  const auto waits = waits_of(report);
  ASSERT_TRUE(waits.contains("sync.Cond"));
  std::vector<std::string> regions;
  for (const json& row : waits.at("sync.Cond").at("rows")) regions.push_back(row.at("key"));
  EXPECT_THAT(regions, testing::Contains("turns"));
}

TEST_P(TraceTest, SaysTheSameOnOneCpuAndOnTwo) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) WEIR_SKIP("this machine has one CPU");
  WEIR_ASSERT_OK(const std::string trace, record(20'000));
  const auto compare = [&](const std::vector<std::string>& arguments) {
    SCOPED_TRACE(arguments.empty() ? "" : arguments.front());
    std::vector<std::string> two{WEIR_BINARY, "trace"}, one{"taskset", "-c", "0"};
    two.insert(two.end(), arguments.begin(), arguments.end());
    two.push_back(trace);
    one.insert(one.end(), two.begin(), two.end());
    const auto told = output(two), told_by_one = output(one);
    ASSERT_TRUE(told) << to_string(told.error());
    ASSERT_TRUE(told_by_one) << to_string(told_by_one.error());
    EXPECT_GT(told->size(), 1000u);
    EXPECT_TRUE(*told == *told_by_one) << *told << "\nand on one CPU\n" << *told_by_one;
  };
  compare({"-json"});
  compare({"-json", "-by", "goroutine", "-min", "1us"});
  compare({"-intervals", "csv"});
}

TEST_P(TraceTest, TellsAGoroutinesLife) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const json whole, trace_json({trace}));
  const auto stuck = std::ranges::find_if(
      whole.at("open"), [](const json& open) { return open.at("kind") == "select"; });
  ASSERT_NE(stuck, whole.at("open").end());
  const std::string id = std::to_string(stuck->at("goroutines")[0].get<std::uint64_t>());
  WEIR_ASSERT_OK(const json report, trace_json({"-goroutine", id + ",999999", trace}));
  ASSERT_EQ(report.at("lives").size(), 2u);
  const json& life = report.at("lives")[0];
  EXPECT_EQ(life.at("function"), "main.leakSelect");
  EXPECT_EQ(life.at("created_by"), "main.main");
  EXPECT_EQ(life.at("ended"), false);
  EXPECT_EQ(life.at("at_end"), "select");
  std::int64_t spent = 0;
  for (const json& part : life.at("spent")) spent += part.at("total_ns").get<std::int64_t>();
  EXPECT_EQ(spent, life.at("last_ns").get<std::int64_t>() - life.at("first_ns").get<std::int64_t>())
      << life;
  EXPECT_EQ(report.at("lives")[1].at("seen"), false);
  WEIR_ASSERT_OK(const std::string text, output({WEIR_BINARY, "trace", "-goroutine", id, trace}));
  EXPECT_THAT(text,
              testing::ContainsRegex("goroutine " + id +
                                     "  main.leakSelect\n +created +at [^\n]* by main.main\n"));
  EXPECT_THAT(text, testing::ContainsRegex("ended +not in the trace: select for "));
}

TEST_P(TraceTest, ReadsWhatATruncatedTraceHas) {
  WEIR_ASSERT_OK(const std::string trace, record());
  WEIR_ASSERT_OK(const std::string whole, bytes::read_file(trace));
  const std::string cut = folder_ + "/cut.out";
  ASSERT_TRUE(bytes::write_file(cut, std::string_view(whole).substr(0, whole.size() - 100)));
  WEIR_ASSERT_OK(const json report, trace_json({cut}));
  EXPECT_GT(report.at("trace").at("events"), 100);
  ASSERT_FALSE(report.at("notes").empty());
  EXPECT_EQ(report.at("notes")[0].at("severity"), "loss");
}

/// What a page holds, as its script reads it.
Result<json> page_data(const std::string& page) {
  constexpr std::string_view before = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(before);
  if (begin == std::string::npos) return fail(ErrorCode::invalid, "no data in the page");
  const auto from = begin + before.size();
  json data = json::parse(page.substr(from, page.find("</script>", from) - from), nullptr, false);
  if (data.is_discarded()) return fail(ErrorCode::invalid, "the page's data is no JSON");
  return data;
}

TEST_P(TraceTest, WritesAPageOfWhatTheReportSays) {
  WEIR_ASSERT_OK(const std::string trace, record());
  const std::string file = folder_ + "/trace.html";
  // What comes through a pipe is read twice, too.
  WEIR_ASSERT_OK(const std::string nothing,
                 output({"/bin/sh", "-c", "cat \"$1\" | \"$2\" trace -html \"$3\" -", "sh", trace,
                         WEIR_BINARY, file}));
  EXPECT_EQ(nothing, "");
  WEIR_ASSERT_OK(const std::string page, bytes::read_file(file));
  WEIR_ASSERT_OK(const json data, page_data(page));
  WEIR_ASSERT_OK(const json report, trace_json({trace}));
  const auto waits = waits_of(report);
  ASSERT_EQ(data.at("kinds").size(), waits.size());
  for (const json& kind : data.at("kinds")) {
    EXPECT_EQ(kind.at("count"), waits.at(kind.at("name")).at("count")) << kind.at("name");
    std::uint64_t in_cells = 0;
    for (const json& cell : kind.at("heat").at("cells")) in_cells += cell[2].get<std::uint64_t>();
    EXPECT_EQ(in_cells, kind.at("count")) << kind.at("name");
  }
  ASSERT_GT(data.at("lanes").size(), 3u);
  for (const json& lane : data.at("lanes")) EXPECT_LE(lane.at("begin").size(), 1801u);
  const auto newest = test_support::find_newest_go_toolchain();
  if (newest && newest->minor == go().minor) expect_page_works("trace-page.cjs", {file});
}

TEST_P(TraceTest, FiltersHoldForEveryForm) {
  WEIR_ASSERT_OK(const std::string trace, record());
  const auto lines_of = [&](std::vector<std::string> arguments) -> Result<std::string> {
    arguments.insert(arguments.begin(), {WEIR_BINARY, "trace"});
    arguments.push_back(trace);
    return output(arguments);
  };
  for (const std::vector<std::string>& form : {std::vector<std::string>{"-heat", "scheduling"},
                                               {"-intervals", "csv"},
                                               {"-pprof", "sched"},
                                               {"-perfetto", "/dev/stdout"},
                                               {"-html", "/dev/stdout"}}) {
    SCOPED_TRACE(form[0]);
    WEIR_ASSERT_OK(const std::string all, lines_of(form));
    std::vector<std::string> narrow = form;
    narrow.insert(narrow.end(), {"-min", "10h"});
    WEIR_ASSERT_OK(const std::string none, lines_of(narrow));
    EXPECT_LT(none.size(), all.size());
  }
}

WEIR_FOR_EACH_GO(TraceTest);

TEST(TraceUsage, WhatDoesNotGoTogetherIsSaid) {
  const auto fails_with = [](std::vector<std::string> args, const std::string& words) {
    args.insert(args.begin(), {WEIR_BINARY, "trace"});
    args.push_back(std::string(WEIR_SOURCE_DIR) + "/tests/golden/flight.trace");
    WEIR_ASSERT_OK(const Completed done, test_support::run(args));
    EXPECT_EQ(done.exit.code, 2) << words;
    EXPECT_THAT(done.err, testing::HasSubstr(words));
    EXPECT_EQ(done.out, "");
  };
  fails_with({"-json", "-heat", "select"}, "-json and -heat cannot be written at once");
  fails_with({"-html", "x", "-pprof", "sched"}, "-pprof and -html cannot be written at once");
  fails_with({"-svg", "x"}, "-svg is of no use without -heat");
  fails_with({"-heat", "select", "-html", "x", "-svg", "y"}, "-svg is of no use");
  fails_with({"-fail", "runnable.most>1", "-d", "wire"}, "-fail is of no use with -d");
  fails_with({"-d", "parsed", "-min", "1s"}, "-d is about the whole trace");
  fails_with({"-goroutine", "1,x"}, "is no list of goroutines");
  fails_with({"-goroutine", "0"}, "is no list of goroutines");
  fails_with({"-html", "/nowhere/x"}, "/nowhere/x");
}

// A flight recording of tests/programs/flight by Go 1.27.4.
TEST(TraceGolden, TellsTheSameAsEver) {
  const std::string trace = std::string(WEIR_SOURCE_DIR) + "/tests/golden/flight.trace";
  WEIR_ASSERT_OK(
      const std::string text,
      output({"/bin/sh", "-c", "cd \"$(dirname \"$1\")\" && exec \"$2\" trace -top 2 flight.trace",
              "sh", trace, WEIR_BINARY}));
  test::expect_golden("flight.trace.txt", text);
  WEIR_ASSERT_OK(const std::string events, output({WEIR_BINARY, "trace", "-d", "parsed", trace}));
  test::expect_golden("flight.events.txt", events.substr(0, events.find('\n', 4000) + 1));
}

}  // namespace
}  // namespace weir::live
