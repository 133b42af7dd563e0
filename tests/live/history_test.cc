// weir history on a store that weir watch has filled by looking at a real service.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/go_test_case.h"
#include "weir/ingest/http.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test_support::Child;
using test_support::Completed;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class HistoryCommand : public testing::Test {
 protected:
  void SetUp() override {
    const auto go = test_support::find_newest_go_toolchain();
    if (!go) WEIR_SKIP("no Go toolchain");
    WEIR_BUILD_GO(program, *go, "grower");
    std::string folder = (fs::temp_directory_path() / "weir-history-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    auto child = Child::start({program, "127.0.0.1:0"});
    ASSERT_TRUE(child.has_value()) << to_string(child.error());
    service_.emplace(std::move(*child));
    const auto line = service_->wait_for_line("ready ");
    ASSERT_TRUE(line.has_value()) << to_string(line.error());
    address_ = line->substr(6);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  Completed weir(std::vector<std::string> argv) const {
    argv.insert(argv.begin(), WEIR_BINARY);
    const std::string state = "XDG_STATE_HOME=" + folder_.string();
    auto done = test_support::run(
        argv, {.environment = {state, "TZ=UTC", "NO_COLOR=1"}, .directory = folder_.string()});
    EXPECT_TRUE(done.has_value());
    return done ? *done : Completed{};
  }
  /// A series of one look, which is then open; the same command takes another.
  void look(const std::string& target, int code = 0) const {
    const Completed done = weir({"watch", "-every", "1h", "-for", "1ms", "-new", target});
    EXPECT_EQ(done.exit.code, code) << done.out << done.err;
  }
  /// Goroutines that hang in main.work.
  void leak(int count) const {
    const auto done = ingest::fetch("http://" + address_ + "/leak?n=" + std::to_string(count), {},
                                    [](auto) { return Result<void>(); });
    ASSERT_TRUE(done.has_value()) << to_string(done.error());
  }
  json list() const {
    const Completed done = weir({"history", "-json"});
    return done.exit.code == 0 ? json::parse(done.out) : json();
  }

  fs::path folder_;
  std::optional<Child> service_;
  std::string address_;
};

TEST_F(HistoryCommand, ListsShowsComparesAndPrunes) {
  look(address_);
  leak(7);
  look(address_);
  look("127.0.0.1:1", 2);  // nobody listens there

  const json all = list();
  ASSERT_EQ(all["schema"], "weir.history/1");
  ASSERT_EQ(all["series"].size(), 3u) << all;
  EXPECT_EQ(all["series"][0]["target"], address_);
  EXPECT_EQ(all["series"][0]["state"], "over");
  EXPECT_EQ(all["series"][2]["missed"], 1);
  EXPECT_THAT(weir({"history", "-target", "127.0.0.1:1"}).out,
              AllOf(HasSubstr("1 without an answer"), Not(HasSubstr(address_))));

  const std::string second = std::to_string(all["series"][1]["series"].get<int>());
  const json shown = json::parse(weir({"history", "show", "-json", second}).out)["series"][0];
  ASSERT_EQ(shown["looks"].size(), 1u);
  const std::string after = "@" + std::to_string(shown["looks"][0]["look"].get<int>());
  EXPECT_THAT(weir({"history", "show", second}).out, HasSubstr(after));
  EXPECT_THAT(weir({"history", "show", "-focus", "main.work", after}).out,
              HasSubstr("7 goroutines"));

  const Completed grown = weir({"history", "diff", "@1", after});
  EXPECT_EQ(grown.exit.code, 1);
  EXPECT_THAT(grown.out, HasSubstr("new     0 → 7"));
  EXPECT_EQ(weir({"history", "diff", after, after}).exit.code, 0);

  EXPECT_THAT(weir({"history", "prune", "-series", second}).out,
              HasSubstr("removed: 1 look, 1 series"));
  EXPECT_EQ(list()["series"].size(), 2u);
  EXPECT_THAT(weir({"history", "prune", "-older", "30d"}).out, HasSubstr("removed: 0 looks"));
  EXPECT_THAT(weir({"history", "prune", "-older", "0"}).out,
              HasSubstr("removed: 2 looks, 2 series"));
  EXPECT_EQ(weir({"history"}).out, "no series\n");
}

TEST_F(HistoryCommand, ASeriesHasItsLooksAlarmsAndDiff) {
  WEIR_ASSERT_OK(Child watch,
                 Child::start({WEIR_BINARY, "watch", "-db", (folder_ / "h.db").string(), "-every",
                               "100ms", "-for", "0", address_},
                              {.directory = folder_.string()}));
  for (int i = 0; i < 100 && watch.out().find("ALARM") == std::string::npos; ++i) {
    leak(10);
    const std::size_t size = watch.out().size();
    for (int j = 0; j < 6000 && watch.out().size() == size; ++j) usleep(10'000);
  }
  ASSERT_TRUE(watch.signal(SIGINT).has_value());
  WEIR_ASSERT_OK(const auto exit, watch.wait());
  ASSERT_EQ(exit.code, 1) << watch.out() << watch.err();
  const auto of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "history");
    words.insert(words.end(), {"-db", (folder_ / "h.db").string(), "1"});
    return weir(std::move(words));
  };
  EXPECT_THAT(of({"show"}).out, AllOf(HasSubstr("open"), HasSubstr("ALARM"), HasSubstr("1 alarm")));
  const Completed grown = of({"diff"});
  EXPECT_EQ(grown.exit.code, 1);
  EXPECT_THAT(grown.out, HasSubstr("chan send: main.work"));
  EXPECT_THAT(weir({"history", "-db", (folder_ / "h.db").string()}).out, HasSubstr("1 alarm"));
}

TEST(HistoryUsage, SaysWhatIsMissing) {
  std::string folder = (fs::temp_directory_path() / "weir-history-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto fails_with = [&](std::vector<std::string> args, const std::string& words) {
    args.insert(args.begin(), {WEIR_BINARY, "history"});
    const auto done = test_support::run(args, {.environment = {"XDG_STATE_HOME=" + folder}});
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->exit.code, 2);
    EXPECT_THAT(done->err, HasSubstr(words));
  };
  fails_with({}, "there is no history yet; weir watch makes one");
  fails_with({"rewind"}, "none of list, show, diff and prune");
  fails_with({"list", "3"}, "takes flags only");
  fails_with({"-db", ":memory:", "show", "3"}, "there is no history yet");
  EXPECT_TRUE(fs::is_empty(folder)) << "asking makes no file";
  const std::string db = folder + "/empty.db";
  std::fclose(std::fopen(db.c_str(), "w"));
  fails_with({"show", "-db", db, "3"}, "there is no series 3");
  fails_with({"show", "-db", db, "@3"}, "there is no look 3");
  fails_with({"show", "-db", db, "three"}, "neither the number of a series nor an @look");
  fails_with({"diff", "-db", db, "@3"}, "two or more @looks");
  fails_with({"prune", "-db", db}, "-older TIME or -series N");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace weir::live
