#include "weir/dump/goroutine_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::dump {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A GoroutineText that outlives the sink's call.
struct Kept {
  std::uint64_t id = 0;
  std::string state;
  std::string stack;
  std::uint64_t key = 0;
  std::uint64_t offset = 0;
  std::uint32_t dump = 0;
  std::uint32_t frames = 0;
  bool cut = false;
  bool unavailable = false;
};

struct Scanned {
  std::vector<Kept> goroutines;
  std::vector<std::string> reasons;
  Summary summary;
};

Scanned scan(std::string_view text, std::size_t piece = std::string_view::npos) {
  Scanned scanned;
  Scanner scanner(
      [&](const GoroutineText& g) {
        scanned.goroutines.push_back({g.header.id.value, std::string(g.header.state),
                                      std::string(g.stack), g.stack_key, g.offset, g.dump, g.frames,
                                      g.cut, g.unavailable});
      },
      [&](const DumpStart& start) { scanned.reasons.emplace_back(start.reason); });
  while (!text.empty()) {
    scanner.feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  scanned.summary = scanner.finish();
  return scanned;
}

std::vector<std::uint64_t> ids(const Scanned& scanned) {
  std::vector<std::uint64_t> list;
  for (const auto& g : scanned.goroutines) list.push_back(g.id);
  return list;
}

constexpr std::string_view two_goroutines =
    "goroutine 1 [running]:\n"
    "main.main()\n"
    "\t/home/user/app/main.go:10 +0x1d\n"
    "\n"
    "goroutine 6 [chan receive, 3 minutes]:\n"
    "main.(*worker).run(0xc000010000, {0x1, 0x2?}, ...)\n"
    "\t/home/user/app/worker.go:33 +0x45\n"
    "created by main.start in goroutine 1\n"
    "\t/home/user/app/worker.go:12 +0x5a\n";

/// A goroutine with one call.
std::string called(int id, std::string_view call, std::string_view location,
                   std::string_view line_end = "\n") {
  return fmt::format("goroutine {} [select]:{}{}{}\t{}{}{}", id, line_end, call, line_end, location,
                     line_end, line_end);
}

/// The keys that this text gives where nothing came before.
std::vector<std::uint64_t> keys_of(std::string_view text) {
  std::vector<std::uint64_t> keys;
  for (const Kept& goroutine : scan(text).goroutines) keys.push_back(goroutine.key);
  return keys;
}

// A call that came before is recognised by its text; that must not change what it is.
TEST(Scanner, WhatCameBeforeChangesNothing) {
  const std::vector<std::string> texts = {
      called(1, "main.f(0x1)", "/a.go:7 +0x1d"),
      called(2, "main.f(0x2, {0x3?, ...})", "/a.go:7 +0x1d"),
      called(3, "main.f(0x1)", "/a.go:7 +0x1d1"),
      called(4, "main.f(0x1)", "/a.go:8 +0x1d"),
      called(5, "main.f()(0x1)", "/a.go:7 +0x1d"),
      called(6, "main.f(0x1) ", "/a.go:7 +0x1d"),
      called(7, "main.f(...)", "/a.go:7"),
      called(8, "main.f(0x1)", "/a.go:7 +0x1d fp=0xc000053fe0 sp=0xc000053f30 pc=0x50ba25"),
      called(9, "main.f(0x1)", "/a.go:7 +0x1d fp=0xc000053fff sp=0xc000053f30 pc=0x50ba25"),
      called(10, "main.f(0x1)", "/a.go:7 +0x1d", "\r\n"),
      called(11, "main.f", "/a.go:7 +0x1d"),
      called(12, "main.f(\nmain.f(0x1)", "/a.go:7 +0x1d"),
      called(13, "main.fg(0x1)", "/a.go:7 +0x1d"),
      called(14, "created by main.f(0x1)", "/a.go:7 +0x1d"),
      called(15, "[originating from goroutine 7]:\nmain.f(0x1)", "/a.go:7 +0x1d"),
  };
  std::string all;
  std::vector<std::uint64_t> keys;
  for (const std::string& first : texts)
    for (const std::string& second : texts)
      for (const std::string& text : {first, second}) {
        const auto alone = keys_of(text);
        keys.insert(keys.end(), alone.begin(), alone.end());
        all += text;
      }
  ASSERT_GT(keys.size(), texts.size() * 24);
  EXPECT_EQ(keys_of(all), keys);
}

// More different calls than can be kept.
TEST(Scanner, ForgetsCallsAndStaysRight) {
  std::string text;
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 20000; ++i)
      text += called(i + 2, fmt::format("main.f{}({:#x})", i, round), "/a.go:7 +0x1d");
  const Scanned scanned = scan(text);
  ASSERT_EQ(scanned.goroutines.size(), 40000u);
  for (std::size_t i = 0; i < 20000; ++i) {
    ASSERT_EQ(scanned.goroutines[i].key, scanned.goroutines[i + 20000].key) << i;
    ASSERT_EQ(scanned.goroutines[i].frames, 1u);
  }
  EXPECT_THAT(keys_of(called(1, "main.f7()", "/a.go:7 +0x1d")),
              ElementsAre(scanned.goroutines[7].key));
}

TEST(Header, PlainStates) {
  const auto header = parse_header("goroutine 18 [sync.Cond.Wait]:");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->id, Goid{18});
  EXPECT_EQ(header->state, "sync.Cond.Wait");
  EXPECT_FALSE(header->minutes);
  EXPECT_FALSE(header->locked_to_thread);
  EXPECT_EQ(parse_header("goroutine 9 [chan receive (nil chan)]:")->state,
            "chan receive (nil chan)");
  EXPECT_EQ(parse_header("goroutine 9 [sync.(*Cond).Wait]:")->state, "sync.(*Cond).Wait");
}

TEST(Header, EveryDetail) {
  const auto header = parse_header(
      "goroutine 7 gp=0xc000003500 m=3 mp=0xc000045008 [select (no cases) (leaked) (scan) "
      "(durable), "
      "12 minutes, locked to thread, synctest bubble 5]:");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->gp, Address{0xc000003500});
  EXPECT_EQ(header->m, 3);
  EXPECT_EQ(header->mp, Address{0xc000045008});
  EXPECT_EQ(header->state, "select (no cases)");
  EXPECT_EQ(header->state_text, "select (no cases) (leaked) (scan) (durable)");
  EXPECT_TRUE(header->leaked);
  EXPECT_TRUE(header->scanning);
  EXPECT_TRUE(header->durable);
  EXPECT_TRUE(header->locked_to_thread);
  EXPECT_EQ(header->minutes, 12u);
  EXPECT_EQ(header->bubble, 5u);
  EXPECT_FALSE(parse_header("goroutine 7 gp=0x10 m=nil [idle]:")->m);
}

TEST(Header, Go124SynctestWords) {
  const auto header =
      parse_header("goroutine 7 [chan receive (synctest), synctest group 6, locked to thread]:");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->state, "chan receive");
  EXPECT_TRUE(header->durable);
  EXPECT_EQ(header->bubble, 6u);
}

TEST(Header, LabelsOfGo127FollowTheBracket) {
  const auto header = parse_header(
      R"(goroutine 7 [select, 2 minutes] {case: "a]: {b}, \"c\"", n: , path: /a.b_c}:)");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->state, "select");
  EXPECT_EQ(header->minutes, 2u);
  EXPECT_THAT(parse_labels(header->labels),
              ElementsAre(Pair("case", "a]: {b}, \"c\""), Pair("n", ""), Pair("path", "/a.b_c")));
}

TEST(Header, LabelsOfGo126StandWithinTheBracket) {
  const auto header = parse_header(
      R"(goroutine 7 [select, locked to thread labels:{"h]": "v1", "k": "\u00e9\n"}]:)");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->state, "select");
  EXPECT_TRUE(header->locked_to_thread);
  EXPECT_THAT(parse_labels(header->labels), ElementsAre(Pair("h]", "v1"), Pair("k", "é\n")));
}

TEST(Header, RefusesWhatIsNone) {
  for (const char* line :
       {"", "goroutine", "goroutine 1", "goroutine x [running]:", "goroutine -1 [running]:",
        "goroutine 1 [running]", "goroutine 1 [running]: more", "goroutine 1 []:x",
        "goroutine 99999999999999999999999 [running]:", "goroutine 1 running:",
        "goroutine 1 [select] {a: \"b}:", "goroutine 1 gp=5 m=nil [idle]:",
        "goroutine profile: total 5"})
    EXPECT_FALSE(parse_header(line)) << line;
}

TEST(Labels, EndAtBrokenQuoting) {
  EXPECT_THAT(parse_labels(R"("a": "b", "c": "\q")"), ElementsAre(Pair("a", "b")));
  EXPECT_THAT(parse_labels(R"("a")"), IsEmpty());
  EXPECT_THAT(parse_labels(""), IsEmpty());
}

TEST(Stack, TakesFramesApart) {
  const Stack stack = parse_stack(
      "main.(*worker).run(0xc000010000, {0x1, 0x2?}, ...)\n"
      "\t/home/us er/a:b/worker.go:33 +0x45 fp=0xc000053fe0 sp=0xc000053f30 pc=0x50ba25\n"
      "main.inlined(...)\n"
      "\t/home/user/app/worker.go:40\n"
      "main.first({})\n"
      "\t_cgo_gotypes.go:48 +0x3a\n"
      "created by main.(*pool[...]).start.func1 in goroutine 17\n"
      "\t/home/user/app/worker.go:12 +0x5a\n");
  ASSERT_EQ(stack.frames.size(), 3u);
  const Frame& run = stack.frames[0];
  EXPECT_EQ(run.function, "main.(*worker).run");
  EXPECT_EQ(run.args, "0xc000010000, {0x1, 0x2?}, ...");
  EXPECT_EQ(run.file, "/home/us er/a:b/worker.go");
  EXPECT_EQ(run.line, 33);
  EXPECT_EQ(run.offset, 0x45u);
  EXPECT_EQ(run.fp, Address{0xc000053fe0});
  EXPECT_EQ(run.sp, Address{0xc000053f30});
  EXPECT_EQ(run.pc, Address{0x50ba25});
  EXPECT_FALSE(run.inlined);
  EXPECT_TRUE(stack.frames[1].inlined);
  EXPECT_FALSE(stack.frames[1].offset);
  EXPECT_FALSE(stack.frames[2].inlined);
  EXPECT_EQ(stack.created.function, "main.(*pool[...]).start.func1");
  EXPECT_EQ(stack.created.by, Goid{17});
  EXPECT_EQ(stack.created.line, 12);
  EXPECT_EQ(stack.created.offset, 0x5au);
}

TEST(Stack, ForeignFramesInAllThreeForms) {
  const Stack stack = parse_stack(
      "non-Go function at pc=0x7f00\n"
      "non-Go function\n"
      "\tpc=0x7f01\n"
      "ns::Widget::wait(int, char const*)\n"
      "\t/src/widget.cc:77 pc=0x7f02\n"
      "c_wait\n"
      "\t/src/widget.c:78 pc=0x7f03\n"
      "runtime.cgocall(0x1)\n"
      "\t/usr/local/go/src/runtime/cgocall.go:167 +0x4b\n");
  ASSERT_EQ(stack.frames.size(), 5u);
  EXPECT_EQ(stack.frames[0].pc, Address{0x7f00});
  EXPECT_EQ(stack.frames[1].function, "non-Go function");
  EXPECT_EQ(stack.frames[1].pc, Address{0x7f01});
  EXPECT_EQ(stack.frames[1].file, "");
  EXPECT_EQ(stack.frames[2].function, "ns::Widget::wait(int, char const*)");
  EXPECT_EQ(stack.frames[2].args, "");
  EXPECT_EQ(stack.frames[2].file, "/src/widget.cc");
  EXPECT_EQ(stack.frames[3].function, "c_wait");
  EXPECT_EQ(stack.frames[3].line, 78);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(stack.frames[i].foreign) << i;
  EXPECT_FALSE(stack.frames[4].foreign);
}

TEST(Stack, ElisionAncestorsAndUnavailable) {
  const Stack stack = parse_stack(
      "main.f(0x1)\n"
      "\t/a.go:1 +0x1\n"
      "...202 frames elided...\n"
      "main.g()\n"
      "\t/a.go:2 +0x2\n"
      "created by main.h in goroutine 5\n"
      "\t/a.go:3 +0x3\n"
      "[originating from goroutine 5]:\n"
      "main.h(...)\n"
      "\t/a.go:3 +0x3\n"
      "...additional frames elided...\n"
      "created by main.main\n"
      "\t/a.go:4 +0x4\n"
      "[originating from goroutine 1]:\n"
      "main.main(...)\n"
      "\t/a.go:4 +0x4\n");
  ASSERT_EQ(stack.frames.size(), 2u);
  ASSERT_TRUE(stack.elided);
  EXPECT_EQ(*stack.elided, (Elision{1, 202}));
  EXPECT_EQ(stack.created.function, "main.h");
  ASSERT_EQ(stack.ancestors.size(), 2u);
  EXPECT_EQ(stack.ancestors[0].id, Goid{5});
  EXPECT_TRUE(stack.ancestors[0].elided);
  EXPECT_EQ(stack.ancestors[0].created.function, "main.main");
  EXPECT_EQ(stack.ancestors[1].frames.at(0).function, "main.main");
  EXPECT_FALSE(stack.ancestors[1].frames.at(0).inlined);
  const Stack running = parse_stack(
      "\tgoroutine running on other thread; stack unavailable\n"
      "created by main.main in goroutine 1\n"
      "\t/a.go:4 +0x4\n");
  EXPECT_TRUE(running.unavailable);
  EXPECT_EQ(running.created.by, Goid{1});
  EXPECT_EQ(parse_stack("...additional frames elided...\n").elided, (Elision{0, {}}));
}

TEST(Scanner, FindsGoroutinesWhateverThePieces) {
  const Scanned whole = scan(two_goroutines);
  EXPECT_THAT(ids(whole), ElementsAre(1, 6));
  EXPECT_EQ(whole.goroutines[1].frames, 1u);
  EXPECT_EQ(whole.goroutines[1].offset, two_goroutines.find("goroutine 6"));
  EXPECT_FALSE(whole.summary.cut);
  EXPECT_TRUE(whole.summary.notes.empty());
  for (std::size_t piece = 1; piece <= two_goroutines.size(); ++piece) {
    const Scanned pieces = scan(two_goroutines, piece);
    ASSERT_THAT(ids(pieces), ElementsAre(1, 6)) << piece;
    EXPECT_EQ(pieces.goroutines[1].stack, whole.goroutines[1].stack) << piece;
    EXPECT_EQ(pieces.goroutines[1].key, whole.goroutines[1].key) << piece;
    EXPECT_EQ(pieces.goroutines[1].offset, whole.goroutines[1].offset) << piece;
    EXPECT_EQ(pieces.summary.bytes, two_goroutines.size());
  }
}

TEST(Scanner, KeysAreEqualForEqualStacksOnly) {
  const std::string base = "goroutine 5 [select]:\nmain.f(0x1)\n\t/a.go:1 +0x1d\n";
  const auto key = [](const std::string& text) { return scan(text).goroutines.at(0).key; };
  EXPECT_EQ(key(base), key("goroutine 9 [chan send]:\nmain.f(0x2, ...)\n\t/a.go:1 +0x1d\n"));
  EXPECT_EQ(key(base),
            key("goroutine 9 [idle]:\nmain.f({})\n\t/a.go:1 +0x1d fp=0x1 sp=0x2 pc=0x3\n"));
  EXPECT_EQ(key(base), key("goroutine 9 [idle]:\r\nmain.f({})\r\n\t/a.go:1 +0x1d\r\n"));
  EXPECT_NE(key(base), key("goroutine 5 [select]:\nmain.g(0x1)\n\t/a.go:1 +0x1d\n"));
  EXPECT_NE(key(base), key("goroutine 5 [select]:\nmain.f(0x1)\n\t/a.go:2 +0x1d\n"));
  EXPECT_NE(key(base), key("goroutine 5 [select]:\nmain.f(0x1)\n\t/a.go:1 +0x1e\n"));
  EXPECT_NE(key(base), key(base + "created by main.m in goroutine 7\n\t/a.go:9 +0x1\n"));
  EXPECT_EQ(key(base + "created by main.m in goroutine 7\n\t/a.go:9 +0x1\n"),
            key(base + "created by main.m in goroutine 8\n\t/a.go:9 +0x1\n"));
}

TEST(Scanner, TakesCrlf) {
  std::string text;
  for (const char c : two_goroutines) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const Scanned scanned = scan(text);
  ASSERT_THAT(ids(scanned), ElementsAre(1, 6));
  EXPECT_EQ(scanned.goroutines[1].key, scan(two_goroutines).goroutines[1].key);
  EXPECT_EQ(parse_stack(scanned.goroutines[1].stack).created.by, Goid{1});
  EXPECT_FALSE(scanned.summary.cut);
}

TEST(Scanner, TakesLogPrefixes) {
  int second = 0;
  std::string text = "plain line\n";
  std::string_view rest = two_goroutines;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    // The length of the time varies, as with trimmed nanoseconds.
    text += fmt::format("2026-11-23T10:00:0{}.{}Z stderr F {}\n", second % 10, 1 << second,
                        rest.substr(0, end));
    rest.remove_prefix(end + 1);
    ++second;
  }
  const Scanned scanned = scan(text);
  ASSERT_THAT(ids(scanned), ElementsAre(1, 6));
  EXPECT_EQ(scanned.goroutines[0].key, scan(two_goroutines).goroutines[0].key);
  EXPECT_EQ(scanned.goroutines[1].key, scan(two_goroutines).goroutines[1].key);
  const Stack stack = parse_stack(scanned.goroutines[1].stack);
  EXPECT_EQ(stack.frames.at(0).function, "main.(*worker).run");
  EXPECT_EQ(stack.created.file, "/home/user/app/worker.go");
  EXPECT_FALSE(scanned.summary.cut);
}

TEST(Scanner, TakesPrefixesWithoutBlanksAndTrimmedOnes) {
  const Scanned scanned = scan(
      "app|goroutine 1 [running]:\n"
      "app|main.main()\n"
      "app|\t/a.go:10 +0x1d\n"
      "app|\n"
      "web_1  | goroutine 2 [select]:\n"
      "web_1  | main.f()\n"
      "web_1  | \t/a.go:10 +0x1d\n"
      "web_1  |\n"
      "web_1  | goroutine 3 [select]:\n"
      "web_1  | main.f()\n"
      "web_1  | \t/a.go:10 +0x1d\n");
  ASSERT_THAT(ids(scanned), ElementsAre(1, 2, 3));
  EXPECT_EQ(scanned.goroutines[1].key, scanned.goroutines[2].key);
  EXPECT_EQ(scanned.goroutines[0].frames, 1u);
}

TEST(Scanner, GoesOnBehindLinesOfOtherWriters) {
  const Scanned scanned = scan(
      "goroutine 1 [running]:\n"
      "main.f()\n"
      "10:00 request served\n"
      "\t/a.go:10 +0x1d\n"
      "10:01 request served\n"
      "main.main()\n"
      "\t/a.go:11 +0x1d\n"
      "exit status 2\n");
  ASSERT_THAT(ids(scanned), ElementsAre(1));
  EXPECT_EQ(scanned.goroutines[0].frames, 2u);
  EXPECT_EQ(parse_stack(scanned.goroutines[0].stack).frames.size(), 2u);
  EXPECT_EQ(scanned.summary.notes.all().size(), 1u);
  EXPECT_FALSE(scanned.summary.cut);
}

TEST(Scanner, TakesCommentsForNothing) {
  const Scanned scanned = scan(
      "goroutine 1 [select]:\n"
      "# blocked on: chan int 0xc000012340 (len 0, cap 0)\n"
      "main.main()\n"
      "\t/a.go:11 +0x1d\n"
      "\n"
      "# goroutine 1: chan int 0xc000012340\n");
  ASSERT_THAT(ids(scanned), ElementsAre(1));
  EXPECT_EQ(parse_stack(scanned.goroutines[0].stack).frames.size(), 1u);
  EXPECT_EQ(scanned.goroutines[0].key,
            scan("goroutine 1 [select]:\nmain.main()\n\t/a.go:11 +0x1d\n").goroutines[0].key);
  EXPECT_TRUE(scanned.summary.notes.empty());
  EXPECT_FALSE(scanned.summary.cut);
}

TEST(Scanner, EndsAtTestOutputAndExitStatus) {
  const Scanned scanned = scan(
      "goroutine 1 [running]:\n"
      "main.main()\n"
      "\t/a.go:11 +0x1d\n"
      "FAIL\texample.com/x\t0.5s\n"
      "--- FAIL: TestX (0.00s)\n");
  ASSERT_THAT(ids(scanned), ElementsAre(1));
  EXPECT_EQ(scanned.goroutines[0].frames, 1u);
  EXPECT_FALSE(scanned.summary.cut);
  EXPECT_TRUE(scanned.summary.notes.empty());
}

TEST(Scanner, TellsDumpsApartAndWhyTheyWerePrinted) {
  const std::string plain(two_goroutines);
  const Scanned scanned =
      scan("panic: boom\n\n" + plain + "exit status 2\nSIGQUIT: quit\nPC=0x1\n\n" + plain + plain +
           "log: fatal error: all goroutines are asleep\n" + plain);
  EXPECT_EQ(scanned.goroutines.size(), 8u);
  EXPECT_THAT(scanned.reasons, ElementsAre("panic: boom", "SIGQUIT: quit", "",
                                           "fatal error: all goroutines are asleep"));
  EXPECT_EQ(scanned.goroutines.back().dump, 3u);
  EXPECT_EQ(scanned.summary.dumps, 4u);
}

TEST(Scanner, ThreadsOfACrashAreOneDump) {
  const Scanned scanned = scan(
      "SIGQUIT: quit\n\ngoroutine 0 [idle]:\nruntime.futex()\n\t/f.s:1 +0x1\n\n"
      "goroutine 1 [select]:\nmain.main()\n\t/a.go:1 +0x1\n\n"
      "-----\n\nSIGQUIT: quit\n\ngoroutine 0 [idle]:\nruntime.futex()\n\t/f.s:1 +0x1\n\n"
      "rax    0xca\n");
  EXPECT_EQ(scanned.summary.dumps, 1u);
  EXPECT_EQ(scanned.goroutines.size(), 3u);
}

TEST(Scanner, SaysWhenTheTextIsCut) {
  const std::string_view whole = two_goroutines;
  for (const std::string_view end :
       {"goroutine 6 [cha", "goroutine 6 [chan receive, 3 minutes]:", "main.(*worker).run(0xc0000",
        "main.(*worker).run(0xc000010000, {0x1, 0x2?}, ...)",
        "main.(*worker).run(0xc000010000, {0x1, 0x2?}, ...)\n", "\t/home/user/app/wor",
        "\t/home/user/app/worker.go:", "\t/home/user/app/worker.go:33 +", "created by main.start",
        "created by main.start in goroutine 1\n",
        "created by main.start in goroutine 1\n\t/home"}) {
    const auto at = whole.find(end, whole.find("goroutine 6"));
    ASSERT_NE(at, std::string_view::npos) << end;
    const Scanned cut = scan(whole.substr(0, at + end.size()));
    EXPECT_TRUE(cut.summary.cut) << end;
    ASSERT_EQ(cut.summary.notes.all().size(), 1u) << end;
    EXPECT_EQ(cut.summary.notes.all()[0].severity, Severity::loss);
  }
  EXPECT_TRUE(scan(whole.substr(0, whole.find("created"))).goroutines.size() == 2);
  EXPECT_FALSE(scan(whole.substr(0, whole.size() - 1)).summary.cut);
  EXPECT_FALSE(scan("").summary.cut);
}

TEST(Scanner, KnowsTheRuntimesLimit) {
  std::string one = "goroutine 22 [select]:\n";
  for (int i = 0; i < 1000; ++i) one += "main.f()\n\t/a.go:1 +0x1\n";
  one += '\n';
  std::string text;
  text.reserve(runtime_stack_limit);
  for (char first = '2'; text.size() + one.size() < runtime_stack_limit; first = '3') {
    text += one;
    text[text.size() - one.size() + 10] = first;  // another number than the first goroutine's
  }
  text.append(runtime_stack_limit - text.size(), '\n');
  const auto summary_of = [](std::string_view input) {
    Scanner scanner([](const GoroutineText&) {});
    scanner.feed(input);
    return scanner.finish();
  };
  const Summary summary = summary_of(text);
  EXPECT_EQ(summary.dumps, 1u);
  EXPECT_TRUE(summary.cut);
  ASSERT_FALSE(summary.notes.empty());
  EXPECT_NE(summary.notes.all()[0].text.find("64 MiB"), std::string::npos);
  EXPECT_FALSE(summary_of(std::string_view(text).substr(1)).cut);
}

TEST(Scanner, KeepsMemoryBoundedOnEndlessGoroutinesAndLines) {
  Scanner scanner([](const GoroutineText& g) { EXPECT_LE(g.stack.size(), 4u << 20); });
  scanner.feed("goroutine 1 [running]:\n");
  const std::string frames = [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "main.f()\n\t/a.go:1 +0x1\n";
    return text;
  }();
  for (int i = 0; i < 1000; ++i) scanner.feed(frames);
  const std::string dots(1 << 16, '.');
  for (int i = 0; i < 100; ++i) scanner.feed(dots);
  scanner.feed("\ngoroutine 2 [select]:\nmain.f()\n\t/a.go:1 +0x1\n");
  const Summary summary = scanner.finish();
  EXPECT_EQ(summary.goroutines, 2u);
  EXPECT_TRUE(summary.cut);
  EXPECT_EQ(summary.notes.all().size(), 2u);
}

}  // namespace
}  // namespace weir::dump
