// live = core = recorded: the same process, asked while it runs, read from a core of it, and from
// recordings of both, gives the same goroutines. Cores of three makes: the kernel's, gdb's, and cut
// and filtered ones made of them here.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/go_test_case.h"
#include "weir/bytes/mapped_file.h"
#include "weir/elf/file.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::BuildOptions;
using test_support::Child;
using test_support::Completed;

Result<Completed> weir(std::vector<std::string> args) {
  args.insert(args.begin(), WEIR_BINARY);
  return test_support::run(args);
}

/// The program's goroutines by id, with their stacks, as far as a core knows of them: without the
/// clock, and without what fds are open on. What could not be read as JSON comes back as it is.
json goroutines_of(const std::string& text) {
  const json dump = json::parse(text, nullptr, false);
  if (!dump.contains("goroutines")) return text;
  json found = json::object();
  for (json goroutine : dump["goroutines"]) {
    if (goroutine.value("system", false)) continue;
    goroutine.erase("waiting_at_least_ns");
    goroutine["stack"] = dump["stacks"][goroutine["stack"].get<std::size_t>()];
    if (goroutine.contains("blocked_on"))
      for (const char* key : {"fd_target", "wakes_in_ns", "unknown_why", "text"})
        goroutine["blocked_on"].erase(key);
    found[std::to_string(goroutine["id"].get<std::uint64_t>())] = goroutine;
  }
  return found;
}

/// The text of a dump, less the same.
std::string text_of(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (const auto fd = line.find(" on fd "); fd != line.npos)
      line = line.substr(0, line.find(" (", fd));
    if (const auto sleep = line.find(" sleep, "); sleep != line.npos) line.resize(sleep + 6);
    if (const auto sleep = line.find(" sleep ("); sleep != line.npos) line.resize(sleep + 6);
    out += line + "\n";
  }
  return out;
}

/// Empty if the kernel writes cores into the program's folder; else why not.
std::string why_no_kernel_core() {
  std::ifstream file("/proc/sys/kernel/core_pattern");
  std::string pattern;
  std::getline(file, pattern);
  if (pattern.starts_with("|")) return "core_pattern is a pipe: " + pattern;
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max == 0) return "ulimit -Hc is 0";
  if (pattern.find('/') != pattern.npos) return "core_pattern is in another folder: " + pattern;
  return "";
}

class CoreTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "weir-core-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  /// Started so that it can leave a core in folder_.
  Result<Child> start(const std::vector<std::string>& argv) const {
    return Child::start(
        argv,
        {.environment = {"GOTRACEBACK=crash"}, .directory = folder_.string(), .core_files = true});
  }

  /// Ends `child` with a core; its path, or why there is none.
  Result<std::string> kernel_core(Child& child) const {
    if (auto signalled = child.signal(SIGABRT); !signalled)
      return fail(std::move(signalled).error());
    WEIR_TRY(const auto exit, child.wait());
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with("core")) return entry.path().string();
    return fail(ErrorCode::not_found, "no core after " + to_string(exit) + ": " + child.err());
  }

  /// A core that gdb writes of a process that goes on; its path, or why there is none.
  Result<std::string> gcore(const std::string& pid) const {
    const auto there = test_support::run({"gcore", "-h"});
    if (!there || there->exit.code == 127)
      return fail(ErrorCode::not_found, "there is no gcore (package gdb)");
    WEIR_TRY(const Completed done,
             test_support::run({"gcore", "-o", file("core"), pid}, {}, test_support::Seconds(600)));
    if (std::string core = file("core." + pid); fs::exists(core)) return core;
    return fail(ErrorCode::not_found, "gcore made no core: " + done.err);
  }

  static json dump_of(const std::string& source, std::vector<std::string> flags = {}) {
    std::vector<std::string> args{"dump", "-json"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(source);
    const auto done = weir(args);
    if (!done) return to_string(done.error());
    return done->exit.code == 0 ? goroutines_of(done->out) : json(done->err);
  }
  static std::string dump_text(const std::string& source) {
    const auto done = weir({"dump", source});
    return done ? text_of(done->out) : to_string(done.error());
  }

  /// What `weir why -proof` says, less how long the process stood.
  static json proof_of(const std::string& source, std::vector<std::string> flags = {}) {
    std::vector<std::string> args{"why", "-proof", "-json"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(source);
    const auto done = weir(args);
    if (!done) return {{"refused", to_string(done.error())}};
    json report = json::parse(done->out, nullptr, false);
    if (!report.contains("proof")) return {{"refused", done->err}};
    report["proof"].erase("stopped_ns");
    return report["proof"];
  }
  /// By goroutine.
  static std::map<std::uint64_t, std::string> verdicts_of(const json& proof) {
    std::map<std::uint64_t, std::string> verdicts;
    EXPECT_FALSE(proof.contains("refused")) << proof;
    if (proof.contains("goroutines"))
      for (const json& one : proof["goroutines"]) verdicts[one.at("goroutine")] = one.at("verdict");
    return verdicts;
  }

  fs::path folder_;
};

TEST_P(CoreTest, LiveIsCoreIsRecorded) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  const bool even = go().minor % 2 == 0;
  const BuildOptions options{.ldflags = even ? "-s -w" : "", .pie = even};
  WEIR_BUILD_GO(program, go(), "parked", options);
  WEIR_ASSERT_OK(Child child, start({program, "-n", "300", "-kinds"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const std::string pid = std::to_string(child.pid());
  const json live = dump_of(pid, {"-o", file("live.weir")});
  const std::string live_text = dump_text(pid);
  ASSERT_EQ(live.size(), 302u) << live.dump(1).substr(0, 2000);
  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  const json from_core = dump_of(core, {"-o", file("core.weir")});
  ASSERT_EQ(from_core.size(), live.size()) << from_core.dump(1).substr(0, 2000);
  // SIGABRT itself may wake a goroutine or two: os/signal's loop, and main, which waits for one.
  std::size_t same = 0;
  for (const auto& [id, goroutine] : live.items())
    if (from_core.contains(id) && from_core[id] == goroutine) ++same;
  EXPECT_GE(same, live.size() - 2);
  EXPECT_EQ(dump_of(file("live.weir")), live);
  EXPECT_EQ(text_of(weir({"dump", file("live.weir")})->out), live_text);
  // Where neither the executable nor the core is.
  const std::string core_text = dump_text(core);
  const auto core_size = fs::file_size(core);
  fs::remove(core);
  EXPECT_EQ(dump_of(file("core.weir")), from_core);
  EXPECT_EQ(dump_text(file("core.weir")), core_text);
  EXPECT_LT(fs::file_size(file("core.weir")), core_size / 10);
}

TEST_P(CoreTest, WhyTopAndDiffReadCores) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  WEIR_BUILD_GO(program, go(), "circles", {.ldflags = "-s -w"});
  WEIR_ASSERT_OK(Child child, start({program, "-alive"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  WEIR_ASSERT_OK(const Completed recorded, weir({"dump", "-o", file("x.weir"), core}));
  EXPECT_EQ(recorded.exit.code, 0) << recorded.err;
  std::vector<json> reports;
  for (const std::string& source : {core, file("x.weir")}) {
    WEIR_ASSERT_OK(const Completed why, weir({"why", "-json", source}));
    EXPECT_EQ(why.exit.code, 1) << why.err;
    json report = json::parse(why.out);
    report.erase("source");
    EXPECT_EQ(report.at("deadlock"), "partial");
    EXPECT_FALSE(report.at("cycles").empty());
    reports.push_back(std::move(report));
  }
  EXPECT_EQ(reports[0], reports[1]);
  WEIR_ASSERT_OK(const Completed top, weir({"top", core}));
  EXPECT_EQ(top.exit.code, 0) << top.err;
  EXPECT_NE(top.out.find("main.transfer"), std::string::npos) << top.out;
  WEIR_ASSERT_OK(const Completed diff, weir({"diff", core, file("x.weir")}));
  EXPECT_EQ(diff.exit.code, 0) << diff.out << diff.err;
}

// The same verdict for each goroutine, or one more that is held: the words on the stacks of a
// thread that prints its traceback may hide a leak.
TEST_P(CoreTest, ProvesFromACoreAndFromRecordings) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  const bool even = go().minor % 2 == 0;
  WEIR_BUILD_GO(program, go(), "leakcases", {.ldflags = even ? "-s -w" : "", .pie = even});
  WEIR_ASSERT_OK(Child child, start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const std::string pid = std::to_string(child.pid());
  const json live = proof_of(pid, {"-max-stop", "60s"});
  WEIR_ASSERT_OK(const Completed recorded,
                 weir({"dump", "-proof", "-max-stop", "60s", "-o", file("live.weir"), pid}));
  ASSERT_EQ(recorded.exit.code, 0) << recorded.err;
  EXPECT_EQ(recorded.err.find("proves nothing"), std::string::npos) << recorded.err;
  EXPECT_EQ(verdicts_of(proof_of(file("live.weir"))), verdicts_of(live));
  WEIR_ASSERT_OK(const Completed plain, weir({"dump", "-o", file("plain.weir"), pid}));
  EXPECT_NE(proof_of(file("plain.weir")).at("refused").get<std::string>().find("the heap"),
            std::string::npos);

  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  const json from_core = proof_of(core);
  WEIR_ASSERT_OK(const Completed dumped, weir({"dump", "-proof", "-o", file("core.weir"), core}));
  ASSERT_EQ(dumped.exit.code, 0) << dumped.err;
  const auto core_size = fs::file_size(core);
  fs::remove(core);
  EXPECT_EQ(proof_of(file("core.weir")), from_core);
  EXPECT_LT(fs::file_size(file("core.weir")), core_size / 10);
  const auto in_core = verdicts_of(from_core);
  std::size_t proved_live = 0, proved_in_core = 0;
  for (const auto& [id, verdict] : verdicts_of(live)) {
    proved_live += verdict == "proved" ? 1U : 0U;
    if (!in_core.contains(id) || in_core.at(id) != "proved") continue;
    ++proved_in_core;
    EXPECT_EQ(verdict, "proved") << "goroutine " << id << " in the core only: " << from_core;
  }
  std::printf("proved: %zu in the process, %zu in the core\n", proved_live, proved_in_core);
  EXPECT_GE(proved_live, 15u) << live;
  // The thread that wrote the traceback has old words on its stack that may hide some.
  EXPECT_GE(proved_in_core * 10, proved_live * 8) << from_core;
}

TEST_P(CoreTest, ProvesNothingWithoutAllOfTheCore) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  WEIR_BUILD_GO(program, go(), "leakcases", {.ldflags = "-s -w"});
  WEIR_ASSERT_OK(Child child, start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  // The last bytes are of mappings that nobody looks at; that they are gone must be enough.
  fs::resize_file(core, fs::file_size(core) - 1);
  const json proof = proof_of(core);
  EXPECT_NE(proof.at("refused").get<std::string>().find("ends early"), std::string::npos) << proof;
  EXPECT_TRUE(proof.at("goroutines").empty());
}

TEST_P(CoreTest, TellsThatTheFilterLeftMemoryOut) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  WEIR_BUILD_GO(program, go(), "leakcases", {.ldflags = "-s -w"});
  WEIR_ASSERT_OK(Child child, start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  std::ofstream("/proc/" + std::to_string(child.pid()) + "/coredump_filter") << "0x10";
  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  WEIR_ASSERT_OK(const auto done, weir({"why", "-proof", core}));
  EXPECT_EQ(done.exit.code, 2);
  EXPECT_NE(done.err.find("without the program's memory"), std::string::npos) << done.err;
}

TEST_P(CoreTest, FindsTheExecutableByItsBuild) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  WEIR_BUILD_GO(original, go(), "circles", {.ldflags = "-s -w"});
  WEIR_BUILD_GO(another, go(), "parked", {.ldflags = "-s -w"});
  fs::copy_file(original, file("app"));
  WEIR_ASSERT_OK(Child child, start({file("app"), "-alive"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  const json expected = dump_of(core);
  ASSERT_TRUE(expected.is_object()) << expected;
  EXPECT_EQ(dump_of(core, {"-exe", original}), expected);
  fs::create_directory(file("bin"));
  fs::rename(file("app"), file("bin/app"));
  EXPECT_EQ(dump_of(core, {"-exe", file("bin")}), expected);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"dump", "-exe", another, core}, {"dump", core}}) {
    WEIR_ASSERT_OK(const Completed done, weir(wrong));
    EXPECT_EQ(done.exit.code, 2);
    EXPECT_EQ(done.out, "");
    EXPECT_NE(done.err.find("-exe"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find(wrong.size() == 4 ? "another build" : "not there"), std::string::npos)
        << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  }
  fs::copy_file(another, file("app"));
  EXPECT_NE(weir({"dump", core})->err.find("another build"), std::string::npos);
  // Cut: less and less is there, and each time it is said, never a crash.
  const auto whole = fs::file_size(core);
  for (const int part : {7, 6, 5, 4, 3, 2, 1}) {
    fs::resize_file(core, whole * static_cast<unsigned>(part) / 8);
    WEIR_ASSERT_OK(const Completed cut, weir({"dump", "-exe", original, core}));
    EXPECT_NE(cut.err.find("ends early"), std::string::npos) << part << ": " << cut.err;
    EXPECT_EQ(cut.err.find(":  at"), std::string::npos)
        << "an error that says nothing: " << cut.err;
  }
}

// As debug packages and debuginfod's client keep files.
TEST_P(CoreTest, FindsTheExecutableByItsBuildIdInFolders) {
  if (const std::string why = why_no_kernel_core(); !why.empty()) WEIR_SKIP(why);
  WEIR_BUILD_GO(original, go(), "circles", {});
  fs::copy_file(original, file("app"));
  WEIR_ASSERT_OK(Child child, start({file("app"), "-alive"}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  WEIR_ASSERT_OK(const std::string core, kernel_core(child));
  const json expected = dump_of(core);
  ASSERT_TRUE(expected.is_object()) << expected;
  fs::remove(file("app"));

  const std::string debug = file("app.debug");
  WEIR_ASSERT_OK(const Completed split,
                 test_support::run({"objcopy", "--only-keep-debug", original, debug}));
  ASSERT_EQ(split.exit.code, 0) << split.err;
  WEIR_ASSERT_OK(const Completed half, weir({"dump", "-exe", debug, core}));
  EXPECT_EQ(half.exit.code, 2);
  EXPECT_NE(half.err.find("debug information only"), std::string::npos) << half.err;

  if (go().minor < 24) return;  // its linker gives no GNU build id
  WEIR_ASSERT_OK(const auto content, bytes::MappedFile::open(original));
  WEIR_ASSERT_OK(const auto elf, elf::File::parse(content.bytes()));
  const std::string id = elf.gnu_build_id_near_notes();
  ASSERT_EQ(id.size(), 40u);
  const fs::path linked = folder_ / "lib/.build-id" / id.substr(0, 2) / id.substr(2);
  fs::create_directories(linked.parent_path());
  fs::create_symlink(original, linked);
  EXPECT_EQ(dump_of(core, {"-exe", file("lib")}), expected);
  fs::create_directories(folder_ / "cache" / id);
  const auto from_cache = [&]() -> Result<json> {
    WEIR_TRY(const auto done,
             test_support::run({WEIR_BINARY, "dump", "-json", core},
                               {.environment = {"DEBUGINFOD_CACHE_PATH=" + file("cache")}}));
    return done.exit.code == 0 ? goroutines_of(done.out) : json(done.err);
  };
  WEIR_ASSERT_OK(const json nothing, from_cache());
  EXPECT_NE(nothing.dump().find("(GNU " + id + ")"), std::string::npos) << nothing;
  fs::copy_file(original, folder_ / "cache" / id / "executable");
  WEIR_ASSERT_OK(const json cached, from_cache());
  EXPECT_EQ(cached, expected);
}

// gdb writes gigabytes for a Go program (all that is reserved), so one toolchain must do.
TEST_P(CoreTest, GcoreIsTheSameAsLive) {
  if (go().version != test_support::find_newest_go_toolchain()->version)
    GTEST_SKIP() << "the newest toolchain stands for all";
  WEIR_BUILD_GO(program, go(), "circles", {.ldflags = "-s -w", .pie = true});
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const std::string pid = std::to_string(child.pid());
  const json live = dump_of(pid);
  const std::string live_text = dump_text(pid);
  const auto live_verdicts = verdicts_of(proof_of(pid, {"-max-stop", "60s"}));
  const auto core = gcore(pid);
  if (!core) WEIR_SKIP(to_string(core.error()));
  EXPECT_EQ(dump_of(*core, {"-o", file("x.weir")}), live);
  EXPECT_EQ(dump_text(*core), live_text);
  EXPECT_EQ(verdicts_of(proof_of(*core)), live_verdicts);
  fs::remove(*core);
  EXPECT_EQ(dump_of(file("x.weir")), live);
  EXPECT_EQ(dump_text(file("x.weir")), live_text);
}

// What gdb leaves out it leaves out of the list of segments too, so that the first reads fail in
// other ways than those of the kernel's core.
TEST_P(CoreTest, TellsThatTheFilterLeftMemoryOutOfGcore) {
  if (go().version != test_support::find_newest_go_toolchain()->version)
    GTEST_SKIP() << "the newest toolchain stands for all";
  WEIR_BUILD_GO(program, go(), "leakcases", {.ldflags = "-s -w"});
  WEIR_ASSERT_OK(Child child, Child::start({program}));
  WEIR_ASSERT_OK(const std::string ready, child.wait_for_line("ready"));
  const std::string pid = std::to_string(child.pid());
  std::ofstream("/proc/" + pid + "/coredump_filter") << "0x10";
  const auto core = gcore(pid);
  if (!core) WEIR_SKIP(to_string(core.error()));
  WEIR_ASSERT_OK(const auto done, weir({"why", "-proof", *core}));
  EXPECT_EQ(done.exit.code, 2);
  EXPECT_NE(done.err.find("without the program's memory"), std::string::npos) << done.err;
}

TEST(CoreCommand, StandardInputIsNoPlaceForACore) {
  WEIR_ASSERT_OK(Child child, Child::start({WEIR_BINARY, "top", "-"}));
  std::string head("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0", 18);
  head.resize(5000);
  WEIR_ASSERT_OK(const bool written, [&]() -> Result<bool> {
    WEIR_TRY_VOID(child.write(head));
    return true;
  }());
  EXPECT_TRUE(written);
  child.close_stdin();
  WEIR_ASSERT_OK(const auto exit, child.wait());
  EXPECT_EQ(exit.code, 2);
  EXPECT_NE(child.err().find("plain file"), std::string::npos) << child.err();
}

WEIR_FOR_EACH_GO(CoreTest);

}  // namespace
}  // namespace weir::live
