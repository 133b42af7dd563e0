// gosym against the runtime's own view of the same program: frames at pcs, module data, type names.
// And the promise recordings rest on: an image of only the touched pages gives the same answers.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <sstream>

#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"
#include "weir/gosym/build_info.h"
#include "weir/gosym/table.h"
#include "weir/gosym/type_name.h"

namespace weir::gosym {
namespace {

using test_support::BuildOptions;
using test_support::Child;
using test_support::GoTest;

constexpr std::uint64_t step = 5;

// One row per kind of file that finds its tables another way.
std::vector<BuildOptions> variants() {
  return {
      {},
      {.ldflags = "-s -w"},
      {.ldflags = "-s -w", .strip_sections = true},
      {.pie = true},
      {.ldflags = "-s -w", .pie = true, .strip_sections = true},
      {.ldflags = "-linkmode=external", .cgo = true},
      {.ldflags = "-linkmode=external -s -w", .pie = true, .cgo = true, .strip_sections = true},
  };
}

std::uint64_t parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// elideWrapperCalling, src/runtime/traceback.go.
bool panics(FuncId id) {
  return id == FuncId::gopanic || id == FuncId::sigpanic || id == FuncId::panicwrap;
}

// The frames at `pc` as symbols/main.go prints them.
std::string render_frames(const Table& table, LinkAddr pc, int go_minor) {
  const auto function = table.find_function(pc);
  if (!function) return fmt::format("{:x}\t0\tnone", pc.value);
  std::vector<InlineFrame> frames;
  table.append_frames(*function, pc, frames);
  std::string text = fmt::format("{:x}\t{:x}", pc.value, function->entry.value);
  FuncId callee = FuncId::normal;
  for (const InlineFrame& frame : frames) {
    // runtime_expandFinalInlineFrame leaves wrappers out, unless there is nothing to expand; up to
    // 1.20 it keeps the physical function in any case.
    const bool elided =
        frame.id == FuncId::wrapper && !panics(callee) && (frame.inlined || go_minor > 20);
    callee = frame.id;
    if (elided && frames.size() > 1) continue;
    text += fmt::format("\t{}|{}:{}|{}", name_for_print(frame.function, go_minor),
                        frame.source.file, frame.source.line, frame.start_line);
  }
  return text;
}

std::string_view without_pc(std::string_view row) {
  return row.substr(row.find('\t') + 1);
}

struct Range {
  LinkAddr start, end;
};

// What symbols/main.go prints for the same range, by our table.
std::vector<std::string> render_range(const Table& table, Range range, int go_minor) {
  std::vector<std::string> rows;
  std::string last;
  for (LinkAddr pc = range.start; pc < range.end; pc = pc + step) {
    // The runtime is asked for pc + 1, which is another function's then.
    const auto next = table.find_function(pc + 1);
    if (next && next->entry == pc + 1) continue;
    std::string row = render_frames(table, pc, go_minor);
    if (without_pc(row) == last) continue;
    last = without_pc(row);
    rows.push_back(std::move(row));
  }
  return rows;
}

struct Printed {
  std::vector<std::string> frames;
  std::map<std::uint64_t, std::string> types;
  std::uint64_t bias = 0;
};

Printed parse_output(const std::string& text) {
  Printed printed;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string_view view = line;
    if (view.starts_with("type ")) {
      const auto space = view.find(' ', 5);
      printed.types[parse_hex(view.substr(5, space - 5))] = view.substr(space + 1);
    } else if (view.starts_with("bias ")) {
      printed.bias = parse_hex(view.substr(5));
    } else if (view != "ready") {
      printed.frames.push_back(line);
    }
  }
  return printed;
}

ReadMemory live_memory(int pid) {
  const int fd = ::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC);
  const std::shared_ptr<const int> owner(new int(fd), [](const int* f) {
    ::close(*f);
    delete f;
  });
  return [owner](Address at, std::span<std::byte> into) {
    const ssize_t got = ::pread(*owner, into.data(), into.size(), static_cast<off_t>(at.value));
    return got == static_cast<ssize_t>(into.size());
  };
}

std::size_t count_differences(const std::vector<std::string>& want,
                              const std::vector<std::string>& got) {
  std::size_t differences =
      want.size() > got.size() ? want.size() - got.size() : got.size() - want.size();
  for (std::size_t i = 0; i < std::min(want.size(), got.size()); ++i) {
    if (want[i] == got[i]) continue;
    if (++differences <= 5) ADD_FAILURE() << "runtime: " << want[i] << "\nweir:    " << got[i];
  }
  return differences;
}

Location expect_located(const elf::File& file, int go_minor) {
  auto location = locate(file, go_minor);
  EXPECT_TRUE(location.has_value()) << to_string(location.error());
  auto blind = locate(file, 0);
  EXPECT_TRUE(blind.has_value()) << to_string(blind.error());
  if (!location || !blind) return {};
  // The layout can be told without the version.
  EXPECT_EQ(location->gofunc.value, blind->gofunc.value);
  EXPECT_EQ(location->types.value, blind->types.value);
  return *location;
}

void expect_live_data(const ReadMemory& read, const elf::File& file, const Location& location,
                      const Printed& printed) {
  const LoadBias bias{printed.bias};
  auto data = find_live_module_data(read, file, location.pclntab, bias, location.go_minor);
  ASSERT_TRUE(data.has_value()) << to_string(data.error());
  const Location live = to_location(*data, bias, location.go_minor);
  EXPECT_EQ(live.text.value, location.text.value);
  EXPECT_EQ(live.gofunc.value, location.gofunc.value);
  EXPECT_TRUE(data->has_main);
  EXPECT_EQ(data->next.value, 0u);
  // The runtime fills these in at start: one bit a word.
  EXPECT_EQ(data->data_mask.bit_count, (data->edata.value - data->data.value) / 8);
  EXPECT_EQ(data->bss_mask.bit_count, (data->ebss.value - data->bss.value) / 8);
  EXPECT_TRUE(bool(data->data_mask.bits));
  EXPECT_GE(printed.types.size(), 5u);
  for (const auto& [address, name] : printed.types) {
    const auto got = read_type_name(read, data->types, data->etypes, {address});
    ASSERT_TRUE(got.has_value()) << name << ": " << to_string(got.error());
    EXPECT_EQ(*got, name);
  }
}

// Lookups on some rows again, on an image that holds only the pages they touch.
void expect_replay(bytes::Bytes whole, const Location& location,
                   const std::vector<std::string>& rows) {
  bytes::PageSet touched(whole.size());
  auto file = elf::File::parse(whole, &touched);
  ASSERT_TRUE(file.has_value());
  auto table = Table::open(*file, location);
  ASSERT_TRUE(table.has_value()) << to_string(table.error());
  const auto ask = [&](const Table& from) {
    std::string answers;
    for (std::size_t i = 0; i < rows.size(); i += 4000) {
      const LinkAddr pc{parse_hex(rows[i])};
      answers += render_frames(from, pc, location.go_minor) + "\n";
      if (const auto f = from.find_function(pc)) {
        answers += fmt::format("{} {}\n", from.find_sp_delta(*f, pc).value_or(-1),
                               from.find_pcdata(*f, pcdata_unsafe_point, pc));
      }
    }
    for (const char* name : {"runtime.forEachG", "runtime.gopark", "runtime.memmove", "no.such"}) {
      const auto f = from.find_function(name);
      answers += fmt::format("{} {:x}\n", name, f ? f->entry.value : 0);
    }
    return answers;
  };
  const std::string before = ask(*table);
  std::vector<std::byte> image(whole.size());
  for (const std::uint64_t page : touched.indices()) {
    const std::uint64_t start = page * bytes::PageSet::page_size;
    const std::uint64_t size = std::min(bytes::PageSet::page_size, whole.size() - start);
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(start), size,
                image.begin() + static_cast<std::ptrdiff_t>(start));
  }
  EXPECT_LT(touched.count() * 5, whole.size() / bytes::PageSet::page_size);
  auto replayed_file = elf::File::parse(image);
  ASSERT_TRUE(replayed_file.has_value()) << to_string(replayed_file.error());
  auto replayed = Table::open(*replayed_file, location);
  ASSERT_TRUE(replayed.has_value()) << to_string(replayed.error());
  EXPECT_EQ(ask(*replayed), before);
}

class SymbolsTest : public GoTest {};

void check_variant(const test_support::GoToolchain& go, const BuildOptions& options) {
  WEIR_BUILD_GO(program, go, "symbols", options);
  WEIR_ASSERT_OK(const bytes::MappedFile mapped, bytes::MappedFile::open(program));
  WEIR_ASSERT_OK(const elf::File file, elf::File::parse(mapped.bytes()));
  EXPECT_EQ(file.is_pie(), options.pie);
  EXPECT_EQ(file.sections().empty(), options.strip_sections);
  EXPECT_FALSE(file.go_build_id().empty());
  WEIR_ASSERT_OK(const BuildInfo info, find_build_info(file));
  EXPECT_EQ(info.go_version, "go" + go.version);
  EXPECT_NE(info.module_text.find("path\tweir.test/"), std::string::npos) << info.module_text;

  const Location location = expect_located(file, info.version.minor);
  WEIR_ASSERT_OK(const Table table, Table::open(file, location));
  const auto main = table.find_function("main.main");
  ASSERT_TRUE(main.has_value());
  // Without the last byte: the runtime is asked for pc + 1.
  const Function last = *table.function(static_cast<std::uint32_t>(table.size() - 1));
  const Range range{table.function(0)->entry, {last.end.value - 1}};
  WEIR_ASSERT_OK(Child child,
                 Child::start({program, fmt::format("{:x}", range.start.value),
                               fmt::format("{:x}", range.end.value), fmt::format("{:x}", step),
                               fmt::format("{:x}", main->entry.value)}));
  const auto ready = child.wait_for_line("ready");
  ASSERT_TRUE(ready.has_value()) << to_string(ready.error());
  const Printed printed = parse_output(child.out());
  EXPECT_GT(printed.frames.size(), 10000u);
  EXPECT_EQ(count_differences(printed.frames, render_range(table, range, info.version.minor)), 0u);
  expect_live_data(live_memory(child.pid()), file, location, printed);
  expect_replay(mapped.bytes(), location, printed.frames);
}

TEST_P(SymbolsTest, EqualTheRuntimesOwn) {
  for (const BuildOptions& options : variants()) {
    SCOPED_TRACE(to_string(options));
    check_variant(go(), options);
    if (HasFatalFailure()) return;
  }
}

WEIR_FOR_EACH_GO(SymbolsTest);

}  // namespace
}  // namespace weir::gosym
