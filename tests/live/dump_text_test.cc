// weir::dump on what real programs print, for every toolchain: each goroutine written back is the
// text it came from, byte for byte.
#include <gtest/gtest.h>

#include "tests/support/go_test_case.h"
#include "tests/support/render_goroutine.h"

namespace weir::test_support {
namespace {

/// The goroutines of `text` by an independent, simple rule: paragraphs that begin with "goroutine N
/// ".
std::vector<std::string> split_paragraphs(std::string_view text) {
  std::vector<std::string> paragraphs;
  while (!text.empty()) {
    const auto end = text.find("\n\n");
    std::string_view paragraph = end == std::string_view::npos ? text : text.substr(0, end + 1);
    if (const auto registers = paragraph.find("\nrax  "); registers != std::string_view::npos)
      paragraph = paragraph.substr(0, registers + 1);
    if (paragraph.starts_with("goroutine ")) paragraphs.emplace_back(paragraph);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return paragraphs;
}

/// Scans `text` and writes every goroutine back.
std::vector<std::string> parse_and_render(std::string_view text, dump::Summary& summary) {
  std::vector<std::string> rendered;
  dump::Scanner scanner([&](const dump::GoroutineText& g) {
    const dump::Stack stack = dump::parse_stack(g.stack);
    EXPECT_EQ(g.frames, stack.frames.size()) << g.header.id.value;
    rendered.push_back(render_goroutine(g.header, stack));
  });
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 4096)))
    scanner.feed(text.substr(0, 4096));
  summary = scanner.finish();
  return rendered;
}

void expect_same_text(const std::string& text, std::size_t at_least) {
  std::vector<std::string> paragraphs = split_paragraphs(text);
  ASSERT_GE(paragraphs.size(), at_least);
  dump::Summary summary;
  const std::vector<std::string> rendered = parse_and_render(text, summary);
  ASSERT_EQ(rendered.size(), paragraphs.size());
  for (std::size_t i = 0; i < rendered.size(); ++i) EXPECT_EQ(rendered[i], paragraphs[i]);
  EXPECT_FALSE(summary.cut);
  EXPECT_TRUE(summary.notes.empty());
  EXPECT_EQ(summary.dumps, 1u);
}

/// What everywait prints when it is told to quit.
Result<std::string> read_quit_text(const std::string& program,
                                   std::vector<std::string> environment) {
  WEIR_TRY(Child child,
           Child::start({program, "-spin=2"}, {.environment = std::move(environment)}));
  WEIR_TRY_VOID(child.wait_for_line("ready"));
  WEIR_TRY_VOID(child.signal(SIGQUIT));
  WEIR_TRY_VOID(child.wait());
  return child.err();
}

class DumpTextTest : public GoTest {};

TEST_P(DumpTextTest, SystemTraceback) {
  WEIR_BUILD_GO(program, go(), "everywait");
  WEIR_ASSERT_OK(const std::string text, read_quit_text(program, {"GOTRACEBACK=system"}));
  expect_same_text(text, 90);
}

TEST_P(DumpTextTest, UserTracebackWithAncestors) {
  WEIR_BUILD_GO(program, go(), "everywait");
  WEIR_ASSERT_OK(const std::string text,
                 read_quit_text(program, {"GOTRACEBACK=all", "GODEBUG=tracebackancestors=5"}));
  EXPECT_NE(text.find("[originating from goroutine 1]:"), std::string::npos);
  expect_same_text(text, 80);
}

TEST_P(DumpTextTest, CrashOfACgoProgram) {
  WEIR_BUILD_GO(program, go(), "everywait", {.cgo = true});
  WEIR_ASSERT_OK(const std::string text, read_quit_text(program, {"GOTRACEBACK=crash"}));
  EXPECT_NE(text.find("\n-----\n"), std::string::npos);
  expect_same_text(text, 90);
}

WEIR_FOR_EACH_GO(DumpTextTest);

}  // namespace
}  // namespace weir::test_support
