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
#include "weir/dump/count_text.h"
#include "weir/dump/goroutine_text.h"

namespace weir::dump {
namespace {

namespace fs = std::filesystem;

/// Texts of goroutines, or those of count profiles.
std::map<std::string, std::string> read_golden(bool counts = false) {
  std::map<std::string, std::string> texts;
  for (const auto& entry : fs::directory_iterator(WEIR_SOURCE_DIR "/tests/golden/dump")) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".txt" || (name.find("-counts") != name.npos) != counts)
      continue;
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

/// Go prints frames of C code in two ways that say the same; render_goroutine prints the longer.
std::string in_longer_form(std::string text) {
  constexpr std::string_view shorter = "non-Go function at pc=";
  for (auto at = text.find(shorter); at != text.npos; at = text.find(shorter, at))
    text.replace(at, shorter.size(), "non-Go function\n\tpc=");
  return text;
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
    EXPECT_EQ(whole.goroutines, split_simply(in_longer_form(text)));
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

TEST(Golden, FramesOfCAreSeen) {
  const auto texts = read_golden();
  for (const char* version : {"go1.19", "go1.22", "go1.27"}) {
    for (const char* way : {"fault", "named"}) {
      SCOPED_TRACE(std::string(version) + way);
      std::vector<std::string> first;
      Scanner scanner([&](const GoroutineText& g) {
        if (!first.empty()) return;
        for (const Frame& frame : parse_stack(g.stack).frames)
          if (frame.foreign) first.push_back(fmt::format("{}|{}", frame.function, frame.file));
      });
      scanner.feed(texts.at(fmt::format("{}-foreign-{}", version, way)));
      scanner.finish();
      ASSERT_EQ(first.size(), 2u);
      EXPECT_EQ(first[0], std::string_view(way) == "named"
                              ? "ns::Widget::wait(int, char const*)|/src/my lib/foreign.c"
                              : "non-Go function|");
    }
  }
}

/// A record as Go prints it, but for the tabs that line up its columns.
std::string render_counts(const CountRecord& record) {
  std::string text = fmt::format("{} @", record.count);
  for (const Address pc : record.pcs) text += fmt::format(" {:#x}", pc.value);
  text += "\n";
  for (const CountFrame& frame : record.frames)
    text += frame.function.empty()
                ? fmt::format("#\t{:#x}\n", frame.pc.value)
                : fmt::format("#\t{:#x}\t{}+{:#x}\t{}:{}\n", frame.pc.value, frame.function,
                              frame.offset, frame.file, frame.line);
  return text + "\n";
}

TEST(Golden, CountsAreUnderstoodToTheLastByte) {
  const auto texts = read_golden(true);
  ASSERT_GE(texts.size(), 6u);
  for (const auto& [name, text] : texts) {
    SCOPED_TRACE(name);
    std::string plain, again;
    int labelled = 0;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = text.find('\n', at);
      std::string line = text.substr(at, end - at);
      for (auto tabs = line.find("\t\t"); tabs != line.npos; tabs = line.find("\t\t"))
        line.erase(tabs, 1);
      if (!line.starts_with("# labels: ")) plain += line + "\n";
    }
    const auto summary = parse_counts(text, [&](const CountRecord& record) {
      again += render_counts(record);
      if (record.labels.empty()) return;
      ++labelled;
      EXPECT_EQ(record.count, 3u);
      EXPECT_EQ(record.labels[0].second, "a \"b\": {c},\n");
      EXPECT_EQ(record.labels[1].second, "é");
    });
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(fmt::format("{} profile: total {}\n{}", summary->name, summary->total, again), plain);
    EXPECT_TRUE(summary->notes.empty());
    EXPECT_EQ(labelled, name.find("threads") == name.npos ? 1 : 0);
  }
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
