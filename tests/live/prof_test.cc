// weir prof against go tool pprof: profiles of all kinds, made by a real Go program of every
// version, and the same words from both.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/live/browser.h"
#include "tests/support/child.h"
#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using test_support::ChildOptions;
using test_support::Completed;
using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;

/// Before, pprof writes times and numbers its locations in another way.
constexpr int oldest_pprof = 25;

/// The pprof of the newest Go, as a program: Go builds it where it does not ship it.
const std::string& pprof_tool() {
  static const std::string tool = [] {
    const auto newest = test_support::find_newest_go_toolchain();
    if (!newest || newest->minor < oldest_pprof) return std::string();
    const ChildOptions options{.environment = test_support::go_environment(*newest, {})};
    const auto found = test_support::run({newest->go(), "tool", "-n", "pprof"}, options);
    std::string path = found ? found->out : "";
    while (path.ends_with('\n')) path.pop_back();
    if (fs::exists(path)) return path;
    // A built one may be gone from the cache again: -n only names it.
    (void)test_support::run({newest->go(), "tool", "pprof", "-help"}, options);
    return fs::exists(path) ? path : std::string();
  }();
  return tool;
}

class ProfTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    if (pprof_tool().empty())
      WEIR_SKIP("there is no go tool pprof of Go 1.25 or later to compare with");
    folder_ = make_folder();
    WEIR_BUILD_GO(program, go(), "profiled");
    text_folder_ = make_folder();
    WEIR_ASSERT_OK(const Completed made, test_support::run({program, folder_, text_folder_}));
    ASSERT_EQ(made.exit.code, 0) << made.err;
  }
  void TearDown() override {
    std::error_code ignored;
    for (const std::string& folder : made_) fs::remove_all(folder, ignored);
  }
  std::string make_folder() {
    std::string folder = (fs::temp_directory_path() / "weir-prof-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    made_.push_back(folder);
    return folder;
  }
  std::vector<std::string> profiles() const {
    std::set<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder_)) files.insert(entry.path().string());
    return {files.begin(), files.end()};
  }
  std::string profile(const std::string& kind) const { return folder_ + "/" + kind + ".pb.gz"; }

  static Completed run(const Words& argv) {
    const ChildOptions options{.environment = {"TZ=UTC", "PPROF_TMPDIR=/nonexistent"}};
    const auto done = test_support::run(argv, options);
    EXPECT_TRUE(done.has_value()) << (done ? "" : to_string(done.error()));
    return done ? *done : Completed{};
  }
  static Completed weir(Words args) {
    args.insert(args.begin(), {WEIR_BINARY, "prof"});
    return run(args);
  }
  /// Without what weir says beyond pprof.
  static std::string common(const std::string& out) {
    std::string kept;
    for (std::size_t at = 0; at < out.size();) {
      const std::size_t end = std::min(out.find('\n', at), out.size() - 1) + 1;
      const std::string line = out.substr(at, end - at);
      if (!line.starts_with("Not shown: ") && !line.starts_with("Note: ")) kept += line;
      at = end;
    }
    return kept;
  }
  static void expect_equal(const Words& args) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(args, " ")));
    Words theirs = args;
    theirs.insert(theirs.begin(), pprof_tool());
    const Completed expected = run(theirs), got = weir(args);
    EXPECT_EQ(got.exit.code == 0, expected.exit.code == 0) << expected.err << got.err;
    EXPECT_EQ(common(got.out), expected.out) << got.err;
  }

  /// From a -json of -top: the cum of each function of package main.
  static std::map<std::string, std::int64_t> cums(const Words& args) {
    const auto top = nlohmann::json::parse(weir(args).out, nullptr, false);
    std::map<std::string, std::int64_t> all;
    if (!top.is_object()) return all;
    for (const auto& node : top["nodes"])
      if (node.value("function", "").starts_with("main."))
        all[node.value("function", "")] = node.value("cum", std::int64_t{0});
    return all;
  }

  std::string folder_, text_folder_;
  std::vector<std::string> made_;
};

TEST_P(ProfTest, SaysOfEveryKindWhatPprofSays) {
  const auto files = profiles();
  ASSERT_GE(files.size(), 8u);
  for (const std::string& file : files)
    for (const Words& view :
         {Words{"-top"}, Words{"-tree"}, Words{"-raw"}, Words{"-traces"}, Words{"-tags"}}) {
      Words args = view;
      args.push_back(file);
      expect_equal(args);
    }
}

WEIR_FOR_EACH_GO(ProfTest);

/// Options do not depend on who wrote the profile: the newest Go is enough.
class ProfOptionsTest : public ProfTest {};

TEST_P(ProfOptionsTest, OptionsMeanTheSame) {
  const std::string cpu = profile("cpu"), heap = profile("heap"), goroutine = profile("goroutine");
  for (const char* option : {"-cum",
                             "-focus=main",
                             "-ignore=flate|main.leave",
                             "-hide=runtime",
                             "-show=main",
                             "-show_from=main.work",
                             "-prune_from=flate",
                             "-noinlines",
                             "-nodecount=5",
                             "-nodefraction=0",
                             "-nodefraction=0.2",
                             "-tagfocus=/orders",
                             "-tagfocus=handler=search",
                             "-tagfocus=orders,shard:1",
                             "-tagignore=shard=1",
                             "-tagroot=handler",
                             "-tagleaf=shard,handler",
                             "-filefunctions",
                             "-lines",
                             "-addresses",
                             "-sample_index=0",
                             "-mean",
                             "-unit=ms",
                             "-divide_by=3"})
    expect_equal({"-top", option, cpu});
  for (const char* option : {"-sample_index=alloc_space", "-sample_index=1", "-unit=kb",
                             "-tagfocus=bytes=1kb:64kb", "-tagfocus=64kb:", "-tagfocus=:512b"})
    expect_equal({"-top", option, heap});
  expect_equal({"-top", "-relative_percentages", "-focus=main", cpu});
  expect_equal({"-tags", "-taghide=shard", cpu});
  expect_equal({"-tags", "-tagshow=shard", cpu});
  expect_equal({"-traces", "-taghide=bytes", heap});
  expect_equal({"-peek=main", cpu});
  expect_equal({"-peek=.*", "-hide=runtime", goroutine});
  expect_equal({"-tree", "-focus=main", "-cum", heap});
  expect_equal({"-list=main.*", cpu});
}

/// With -files pprof has a row for each function still, and those of one file and flat value come
/// in another order each time it runs: the rows are compared, less the running sum.
TEST_P(ProfOptionsTest, FilesHaveTheSameRows) {
  const auto rows = [](const std::string& text) {
    std::multiset<std::string> all;
    std::istringstream lines(common(text));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string flat, share, sum, cum, cum_share, file;
      if (words >> flat >> share >> sum >> cum >> cum_share >> file && file.starts_with('/'))
        all.insert(fmt::format("{} {} {} {} {}", flat, share, cum, cum_share, file));
    }
    return all;
  };
  for (const char* kind : {"cpu", "heap", "goroutine", "block"}) {
    const Words args = {"-top", "-files", "-nodefraction=0", profile(kind)};
    Words theirs = args;
    theirs.insert(theirs.begin(), pprof_tool());
    const auto expected = rows(run(theirs).out);
    EXPECT_FALSE(expected.empty()) << kind;
    EXPECT_EQ(rows(weir(args).out), expected) << kind;
  }
}

TEST_P(ProfOptionsTest, SumsAndDifferencesAreTheSame) {
  const std::string other = make_folder();
  WEIR_BUILD_GO(program, go(), "profiled");
  ASSERT_EQ(run({program, other}).exit.code, 0);
  for (const char* kind : {"cpu", "heap", "goroutine", "mutex", "block"}) {
    const std::string a = profile(kind), b = other + "/" + kind + ".pb.gz";
    expect_equal({"-top", a, b});
    expect_equal({"-top", "-base=" + a, b});
    expect_equal({"-top", "-base=" + a, a});
    expect_equal({"-top", "-diff_base=" + a, b});
    expect_equal({"-top", "-diff_base=" + a, "-normalize", b});
    // Neither -tree of a difference nor -drop_negative: pprof then counts calls of functions that
    // are no nodes, or not, depending on what else it leaves out; weir does not.
    expect_equal({"-tree", a, b});
  }
}

TEST_P(ProfOptionsTest, WhatItWritesPprofOpens) {
  for (const char* kind : {"cpu", "heap", "mutex"}) {
    const std::string written = folder_ + "/written.pb.gz";
    ASSERT_EQ(weir({"-proto", written, "-ignore=flate", profile(kind)}).exit.code, 0);
    const Completed from_whole = run({pprof_tool(), "-raw", "-ignore=flate", profile(kind)});
    EXPECT_EQ(run({pprof_tool(), "-raw", written}).out, from_whole.out) << kind;
  }
}

TEST_P(ProfOptionsTest, HiddenNodesAreTold) {
  const Completed done = weir({"-top", "-nodefraction=0.3", profile("cpu")});
  EXPECT_THAT(done.out, HasSubstr("Not shown: "));
  EXPECT_THAT(done.out, HasSubstr("the heaviest is "));
  EXPECT_THAT(weir({"-top", "-nodefraction=0", profile("cpu")}).out, Not(HasSubstr("Not shown")));
  const Completed none = weir({"-top", "-focus=nosuchfunction", profile("cpu")});
  EXPECT_THAT(none.out, HasSubstr("Note: -focus matches nothing"));
}

TEST_P(ProfOptionsTest, StatesComeFromStacks) {
  const Completed done = weir({"-cluster", "tenant", "-json", profile("goroutine")});
  const auto report = nlohmann::json::parse(done.out, nullptr, false);
  ASSERT_FALSE(report.is_discarded()) << done.out << done.err;
  std::map<std::string, std::map<std::string, int>> states;
  for (const auto& row : report["rows"])
    states[row.value("value", "")] = row["states"].get<std::map<std::string, int>>();
  EXPECT_EQ(states["t0"],
            (std::map<std::string, int>{{"chan receive", 3}, {"chan send", 3}, {"select", 3}}))
      << done.out;
}

TEST_P(ProfOptionsTest, HealthFollowsItsLimits) {
  const std::string goroutine = profile("goroutine"), mutex = profile("mutex"),
                    block = profile("block");
  EXPECT_EQ(weir({"-health", "-parked", "100", goroutine}).exit.code, 0);
  EXPECT_EQ(weir({"-health", "-parked", "1", goroutine}).exit.code, 1);
  EXPECT_EQ(weir({"-health", "-mutex-hold", "1h", "-block-wait", "1h", mutex, block}).exit.code, 0);
  const Completed crossed = weir({"-health", "-mutex-hold", "1ns", mutex});
  EXPECT_EQ(crossed.exit.code, 1);
  EXPECT_THAT(crossed.out, HasSubstr("FAIL mutex: "));
  EXPECT_THAT(crossed.out, HasSubstr("main.contend"));
  EXPECT_THAT(weir({"-health", "-block-wait", "1ns", block}).out, HasSubstr("FAIL block: "));
  const std::string xml = folder_ + "/health.xml", sarif = folder_ + "/health.sarif";
  EXPECT_EQ(weir({"-health", "-mutex-hold", "1ns", "-block-wait", "1h", "-junit", xml, "-sarif",
                  sarif, mutex, block})
                .exit.code,
            1);
  WEIR_ASSERT_OK(const std::string cases, bytes::read_file(xml));
  EXPECT_THAT(cases, HasSubstr("tests=\"2\" failures=\"1\""));
  EXPECT_THAT(cases, HasSubstr("mutex profile: " + mutex));
  WEIR_ASSERT_OK(const std::string results, bytes::read_file(sarif));
  EXPECT_THAT(results, AllOf(HasSubstr("profile-mutex"), Not(HasSubstr("profile-block"))));
  EXPECT_EQ(weir({"-top", "-junit", xml, mutex}).exit.code, 2);
  EXPECT_EQ(weir({"-health", profile("heap")}).exit.code, 2);
  std::ofstream(folder_ + "/.weir.yaml") << "prof:\n  mutex-hold: 1ns\n";
  const auto configured =
      test_support::run({WEIR_BINARY, "prof", "-health", mutex}, {.directory = folder_});
  ASSERT_TRUE(configured.has_value());
  EXPECT_EQ(configured->exit.code, 1);
}

TEST_P(ProfOptionsTest, FlameGraphsHoldTheWholeProfile) {
  const std::string page = folder_ + "/flame.html", picture = folder_ + "/flame.svg";
  ASSERT_EQ(weir({"-html", page, profile("cpu")}).exit.code, 0);
  ASSERT_EQ(weir({"-svg", picture, profile("cpu")}).exit.code, 0);
  WEIR_ASSERT_OK(const std::string html, bytes::read_file(page));
  WEIR_ASSERT_OK(const std::string svg, bytes::read_file(picture));
  EXPECT_THAT(svg, HasSubstr("<title>main.hash: "));
  const std::string opening = "id=\"data\">";
  const auto begin = html.find(opening) + opening.size();
  const auto data =
      nlohmann::json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  const auto top = nlohmann::json::parse(weir({"-json", profile("cpu")}).out);
  EXPECT_EQ(data["value"][0], top["total"]);
  EXPECT_EQ(data["depth"].size(), data["value"].size());
  EXPECT_THAT(html, HasSubstr("handler: /orders"));
  EXPECT_THAT(html, Not(HasSubstr("http://")));
}

TEST_P(ProfOptionsTest, FlamePageWorksInABrowser) {
  const std::string page = folder_ + "/flame.html", difference = folder_ + "/difference.html";
  ASSERT_EQ(weir({"-html", page, profile("cpu")}).exit.code, 0);
  const std::string half = folder_ + "/half.pb.gz";
  ASSERT_EQ(weir({"-proto", half, "-ignore=main.compress", profile("cpu")}).exit.code, 0);
  ASSERT_EQ(weir({"-html", difference, "-diff-base", half, profile("cpu")}).exit.code, 0);
  expect_page_works("flame-page.cjs", {page, difference});
}

/// The two forms of a profile, written one after the other, say the same of the program's
/// functions.
TEST_P(ProfOptionsTest, TextSaysWhatTheProfileSays) {
  for (const char* kind : {"mutex", "block", "heap", "allocs", "goroutine", "threadcreate"}) {
    SCOPED_TRACE(kind);
    const std::string text = text_folder_ + "/" + kind;
    // The text of allocs has the same title as that of heap, and so the same default.
    const bool allocs = kind == std::string("allocs");
    const Words options = {"-json", "-nodefraction=0",
                           allocs ? "-sample_index=alloc_space" : "-sample_index="};
    Words binary = options, legacy = options;
    binary.push_back(profile(kind));
    legacy.push_back(text);
    const auto expected = cums(binary), got = cums(legacy);
    EXPECT_EQ(weir({"-top", text}).exit.code, 0);
    if (kind == std::string("threadcreate")) continue;  // it has no function of package main
    EXPECT_FALSE(expected.empty());
    for (const auto& [function, cum] : expected) {
      const auto at = got.find(function);
      ASSERT_NE(at, got.end()) << function;
      // Heap: what the first form itself allocates may come in between. Rounding: by one a sample.
      EXPECT_NEAR(static_cast<double>(at->second), static_cast<double>(cum),
                  static_cast<double>(cum) * 1e-3 + 200)
          << function;
    }
  }
  EXPECT_THAT(weir({"-top", text_folder_ + "/heap"}).out, HasSubstr("Note: a profile as text"));
  EXPECT_THAT(weir({"-tags", text_folder_ + "/goroutine"}).out, HasSubstr("tenant"));
  EXPECT_EQ(weir({"-health", "-mutex-hold=1ns", text_folder_ + "/mutex"}).exit.code, 1);
}

/// What other programs read of the same profile holds the same sums.
TEST_P(ProfOptionsTest, ExportsHoldTheWholeProfile) {
  const auto top = nlohmann::json::parse(weir({"-json", profile("cpu")}).out);
  const std::int64_t total = top["total"].get<std::int64_t>();
  std::int64_t folded = 0, of_work = 0;  // a signal may hit a thread on a stack of its own
  std::istringstream lines(weir({"-folded", profile("cpu")}).out);
  for (std::string line; std::getline(lines, line);) {
    const std::int64_t weight = std::stoll(line.substr(line.rfind(' ') + 1));
    folded += weight;
    if (line.find("main.work;") != line.npos) of_work += weight;
  }
  EXPECT_GT(of_work, total / 2);
  EXPECT_EQ(folded, total);
  const auto scope = nlohmann::json::parse(weir({"-speedscope", profile("cpu")}).out);
  const auto& sampled = scope["profiles"][0];
  std::int64_t weights = 0;
  for (const auto& weight : sampled["weights"]) weights += weight.get<std::int64_t>();
  EXPECT_EQ(weights, total);
  EXPECT_EQ(sampled["samples"].size(), sampled["weights"].size());
  for (const auto& stack : sampled["samples"])
    for (const auto& frame : stack)
      EXPECT_LT(frame.get<std::size_t>(), scope["shared"]["frames"].size());
  const std::string dot = weir({"-dot", profile("cpu")}).out;
  EXPECT_THAT(dot, testing::StartsWith("digraph "));
  EXPECT_THAT(dot, HasSubstr("main.hash"));
  EXPECT_EQ(std::count(dot.begin(), dot.end(), '{'), std::count(dot.begin(), dot.end(), '}'));
  expect_equal({"-callgrind", profile("cpu")});
  EXPECT_THAT(weir({"-json", "-traces", profile("cpu")}).err, HasSubstr("-json goes with"));
  EXPECT_EQ(weir({"-json", "-folded", profile("cpu")}).exit.code, 2);
}

TEST_P(ProfOptionsTest, CollectsWhatAServerHas) {
  WEIR_BUILD_GO(server, go(), "endpoint");
  WEIR_ASSERT_OK(test_support::Child child, test_support::Child::start({server, folder_}));
  WEIR_ASSERT_OK(std::string address, child.wait_for_line("elsewhere "));
  address = address.substr(address.find(' ') + 1);
  const std::string to = folder_ + "/bundle";
  const Completed done =
      weir({"-collect", "cpu,goroutine,heap,nosuch", "-seconds", "1", "-folder", to, address});
  EXPECT_EQ(done.exit.code, 2) << "one of them is not there";
  EXPECT_THAT(done.out + done.err, HasSubstr("nosuch"));
  EXPECT_FALSE(fs::exists(to + "/nosuch.pb.gz"));
  for (const char* kind : {"cpu", "goroutine", "heap"})
    expect_equal({"-top", to + "/" + kind + ".pb.gz"});
  EXPECT_THAT(weir({"-top", to + "/goroutine.pb.gz"}).out, HasSubstr("main.receive"));
}

TEST_P(ProfOptionsTest, BrokenProfilesAreRefused) {
  const std::string broken = folder_ + "/broken.pb.gz";
  WEIR_ASSERT_OK(std::string bytes, bytes::read_file(profile("heap")));
  std::ofstream(broken) << bytes.substr(0, bytes.size() / 2);
  const Completed done = weir({broken});
  EXPECT_EQ(done.exit.code, 2);
  EXPECT_THAT(done.err, HasSubstr("broken.pb.gz"));
  EXPECT_THAT(done.err, HasSubstr("ends early"));
  EXPECT_EQ(weir({folder_ + "/nosuch"}).exit.code, 2);
  EXPECT_EQ(weir({"-base", profile("cpu"), profile("goroutine")}).exit.code, 2);
  EXPECT_EQ(weir({"-sample_index=nosuch", profile("heap")}).exit.code, 2);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProfOptionsTest);
INSTANTIATE_TEST_SUITE_P(, ProfOptionsTest,
                         testing::ValuesIn([]() -> std::vector<test_support::GoToolchain> {
                           const auto newest = test_support::find_newest_go_toolchain();
                           if (!newest) return {};
                           return {*newest};
                         }()),
                         [](const auto& go_case) { return go_case.param.test_name(); });

}  // namespace
}  // namespace weir::live
