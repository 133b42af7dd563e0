// Texts of real programs (tests/golden/dump/make): every goroutine written back is the text it came
// from, and nothing else is taken for one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/support/render_goroutine.h"
#include "weir/dump/goroutine_text.h"

namespace weir::dump {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> read_golden() {
  std::map<std::string, std::string> texts;
  for (const auto& entry : fs::directory_iterator(WEIR_SOURCE_DIR "/tests/golden/dump")) {
    if (entry.path().extension() != ".txt") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    texts[entry.path().stem()] = std::string{std::istreambuf_iterator<char>(file), {}};
  }
  return texts;
}

struct Rendered {
  std::vector<std::string> goroutines;
  std::vector<std::string> reasons;
  Summary summary;
};

Rendered render(std::string_view text, std::size_t piece) {
  Rendered rendered;
  Scanner scanner(
      [&](const GoroutineText& g) {
        rendered.goroutines.push_back(
            test_support::render_goroutine(g.header, parse_stack(g.stack)));
      },
      [&](const DumpStart& start) { rendered.reasons.emplace_back(start.reason); });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    scanner.feed(text.substr(0, piece));
  rendered.summary = scanner.finish();
  return rendered;
}

/// Go 1.26 prints labels inside the brackets; render_goroutine prints the later form.
std::string in_later_form(std::string line) {
  constexpr std::string_view inner = " labels:{";
  const auto at = line.find(inner);
  if (at == std::string::npos || !line.ends_with("}]:\n")) return line;
  return line.substr(0, at) + "] {" +
         line.substr(at + inner.size(), line.size() - at - inner.size() - 4) + "}:\n";
}

/// The goroutines by a simple rule that shares nothing with the scanner: a line "goroutine N …:"
/// with a frame's place two lines below, and all up to the next line that no goroutine has.
std::vector<std::string> split_simply(std::string_view text) {
  std::vector<std::string> goroutines;
  bool inside = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    std::string line(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
    const auto place = text.find('\n');
    const bool starts = line.starts_with("goroutine ") && line.ends_with(":\n") &&
                        place != std::string_view::npos &&
                        (text.starts_with('\t') || text.substr(place + 1).starts_with('\t'));
    const bool ends = line == "\n" || line.starts_with("rax ") || line.starts_with("exit status");
    if (starts) {
      goroutines.push_back(in_later_form(std::move(line)));
    } else if (inside && !ends) {
      goroutines.back() += line;
    }
    inside = starts || (inside && !ends);
  }
  return goroutines;
}

TEST(Golden, TextsAreUnderstoodToTheLastByte) {
  const auto texts = read_golden();
  ASSERT_GE(texts.size(), 50u);
  for (const auto& [name, text] : texts) {
    SCOPED_TRACE(name);
    const Rendered whole = render(text, text.size());
    EXPECT_FALSE(whole.goroutines.empty());
    EXPECT_EQ(whole.goroutines, split_simply(text));
    EXPECT_EQ(whole.summary.dumps, 1u);
    EXPECT_FALSE(whole.summary.cut);
    EXPECT_TRUE(whole.summary.notes.empty());
    EXPECT_EQ(render(text, 77).goroutines, whole.goroutines);
  }
}

TEST(Golden, ReasonsAreTheProgramsOwn) {
  const auto texts = read_golden();
  const auto reason = [&](const char* name) { return render(texts.at(name), 4096).reasons.at(0); };
  EXPECT_EQ(reason("go1.27-panic"), "panic: boom");
  EXPECT_EQ(reason("go1.27-lines"), "panic: first line");
  EXPECT_EQ(reason("go1.27-asleep"), "fatal error: all goroutines are asleep - deadlock!");
  EXPECT_EQ(reason("go1.27-maps"), "fatal error: concurrent map writes");
  EXPECT_EQ(reason("go1.27-overflow"), "fatal error: stack overflow");
  EXPECT_EQ(reason("go1.27-system"), "SIGQUIT: quit");
  EXPECT_EQ(reason("go1.27-leaked"), "");
}

TEST(Golden, MarksAndBubblesAndLabelsAreSeen) {
  const auto texts = read_golden();
  const auto count = [&](const char* name, const std::function<bool(const Header&)>& holds) {
    int seen = 0;
    Scanner scanner([&](const GoroutineText& g) { seen += holds(g.header) ? 1 : 0; });
    scanner.feed(texts.at(name));
    scanner.finish();
    return seen;
  };
  EXPECT_GE(count("go1.26-leaked", [](const Header& h) { return h.leaked; }), 2);
  EXPECT_GE(count("go1.27-leaked", [](const Header& h) { return h.leaked; }), 2);
  for (const char* name : {"go1.25-bubble", "go1.26-bubble", "go1.27-bubble"}) {
    EXPECT_GE(count(name, [](const Header& h) { return h.bubble == 1u; }), 5) << name;
    EXPECT_GE(count(name, [](const Header& h) { return h.durable; }), 5) << name;
  }
  const auto labelled = [](const Header& h) {
    const auto labels = parse_labels(h.labels);
    return labels.size() == 3 &&
           labels[1] == std::pair<std::string, std::string>("quote", "say \"hi\"]: {x}");
  };
  EXPECT_EQ(count("go1.26-labels", labelled), 1);
  EXPECT_EQ(count("go1.27-system", labelled), 1);
}

}  // namespace
}  // namespace weir::dump
