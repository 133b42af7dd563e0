#include "weir/store/history.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/goroutines.h"
#include "weir/analysis/fingerprint.h"
#include "weir/store/encode.h"

namespace weir::store {
namespace {

namespace fs = std::filesystem;
using model::Series;
using model::Tally;
using test::Go;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "weir-history-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = (folder_ / "state/weir/history.db").string();
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  History open() const {
    auto history = History::open(path_);
    if (!history) throw std::runtime_error(to_string(history.error()));
    return std::move(*history);
  }

  fs::path folder_;
  std::string path_;
};

template <class T>
T value(Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return std::move(result).value();
}

model::Goroutine blocked() {
  model::Goroutine goroutine =
      Go(7).waits("chan receive").at({"runtime.gopark", "main.f"}).made_by("main.main");
  model::Blocking blocking;
  blocking.kind = model::WaitKind::channel_receive;
  blocking.cases = {{model::Direction::receive, {Address{0xc000012345}, "int", 1, 4, true, true}}};
  blocking.fd = 5;
  blocking.wakes_in = Nanos{-3};
  goroutine.blocked_on = blocking;
  goroutine.waiting_at_least = Nanos{60'000'000'000};
  goroutine.labels = {{"tenant", "a\n\x01"}, {"zone", ""}};
  return goroutine;
}

Tally tally(std::uint64_t count) {
  Tally made;
  made.source.kind = model::SourceKind::process;
  made.source.name = "4711";
  made.source.pid = 4711;
  made.source.taken_at = Nanos{5};
  made.knows.creator = false;
  made.partial = true;
  made.notes.add(Severity::warning, "torn", "goroutine 7", "look again");
  made.entries.push_back({blocked(), count, Nanos{9}, 1});
  made.entries.push_back({Go(8).at({"main.g"}), 2, {}, {}});
  return made;
}

Series series(const std::string& target) {
  return {0, target, Nanos{100}, Nanos{10}, Nanos{400}, false, 0};
}

TEST_F(HistoryTest, GivesBackWhatWasWritten) {
  const Tally written = tally(3);
  std::int64_t look = 0;
  {
    History history = open();
    const auto id = value(history.begin(series("4711")));
    look = value(history.add(id, Nanos{101}, true, written));
  }
  History history = open();
  const Tally read = value(history.read(look));
  ASSERT_THAT(read.entries, SizeIs(2));
  EXPECT_EQ(read.total(), 5u);
  EXPECT_EQ(read.source.name, "4711");
  EXPECT_EQ(read.source.taken_at, Nanos{5});
  EXPECT_TRUE(read.partial);
  EXPECT_FALSE(read.knows.creator);
  EXPECT_TRUE(read.knows.wait);
  ASSERT_THAT(read.notes.all(), SizeIs(1));
  EXPECT_EQ(read.notes.all()[0].advice, "look again");
  EXPECT_EQ(read.entries[0].longest_wait, Nanos{9});
  EXPECT_EQ(read.entries[0].objects, 1u);
  EXPECT_EQ(read.entries[1].objects, std::nullopt);
  const model::Goroutine& goroutine = read.entries[0].exemplar;
  const model::Goroutine before = blocked();
  EXPECT_EQ(goroutine.id, before.id);
  EXPECT_EQ(goroutine.labels, before.labels);
  EXPECT_EQ(goroutine.waiting_at_least, before.waiting_at_least);
  EXPECT_EQ(analysis::fingerprint(goroutine), analysis::fingerprint(before));
  ASSERT_TRUE(goroutine.blocked_on.has_value());
  EXPECT_EQ(goroutine.blocked_on->cases[0].channel.address, Address{0xc000012345});
  EXPECT_TRUE(goroutine.blocked_on->cases[0].channel.timer);
  EXPECT_EQ(goroutine.blocked_on->wakes_in, Nanos{-3});
  EXPECT_EQ(goroutine.blocked_on->fd, 5);
}

TEST_F(HistoryTest, IsForItsOwnerOnly) {
  open();
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(HistoryTest, FindsTheSeriesThatCanBeResumed) {
  History history = open();
  const auto first = value(history.begin(series("a")));
  const auto second = value(history.begin(series("a")));
  value(history.begin(series("b")));
  EXPECT_EQ(value(history.find_open("a", Nanos{399}))->id, second);
  EXPECT_EQ(value(history.find_open("a", Nanos{400})), std::nullopt) << "it has run out";
  EXPECT_EQ(value(history.find_open("c", Nanos{200})), std::nullopt);
  ASSERT_TRUE(history.set_over(second).has_value());
  EXPECT_EQ(value(history.find_open("a", Nanos{399}))->id, first);
  Series endless = series("d");
  endless.until = std::nullopt;
  const auto id = value(history.begin(endless));
  EXPECT_EQ(value(history.find_open("d", Nanos{INT64_MAX}))->id, id);
}

TEST_F(HistoryTest, KeepsMissedLooksAndAlarms) {
  History history = open();
  const auto id = value(history.begin(series("a")));
  value(history.add(id, Nanos{101}, false, tally(3)));
  const auto missed = value(history.add_missed(id, Nanos{102}, "refused"));
  ASSERT_TRUE(history.add({id, missed, Nanos{102}, "monotonic", "0123", "text"}).has_value());
  const auto looks = value(history.looks(id));
  ASSERT_THAT(looks, SizeIs(2));
  EXPECT_EQ(looks[0].total, 5u);
  EXPECT_EQ(looks[1].missed, "refused");
  EXPECT_THAT(to_string(history.read(missed).error()), HasSubstr("saw nothing"));
  EXPECT_THAT(to_string(history.read(99).error()), HasSubstr("no look 99"));
  const auto alarms = value(history.alarms(id));
  ASSERT_THAT(alarms, SizeIs(1));
  EXPECT_EQ(alarms[0].rule, "monotonic");
  EXPECT_EQ(value(history.series("a"))[0].looks, 2u);
}

TEST_F(HistoryTest, PrunesWhatIsOldAndNothingElse) {
  History history = open();
  const auto old = value(history.begin(series("a")));
  const auto young = value(history.begin(series("b")));
  value(history.add(old, Nanos{101}, false, tally(3)));
  value(history.add(young, Nanos{102}, false, tally(4)));
  const auto kept = value(history.add(young, Nanos{300}, false, tally(5)));
  ASSERT_TRUE(history.set_over(old).has_value());
  const Pruned pruned = value(history.prune(Nanos{200}, Nanos{300}));
  EXPECT_EQ(pruned.looks, 2u);
  EXPECT_EQ(pruned.series, 1u);
  EXPECT_THAT(value(history.series()), SizeIs(1));
  EXPECT_EQ(value(history.read(kept)).total(), 7u);
  EXPECT_EQ(value(history.remove(young)).looks, 1u);
  EXPECT_THAT(value(history.series()), IsEmpty());
  EXPECT_EQ(history.remove(young).error().code, ErrorCode::not_found);
}

TEST_F(HistoryTest, TwoMayUseItAtOnce) {
  History one = open(), other = open();
  const auto id = value(one.begin(series("a")));
  value(other.add(id, Nanos{101}, false, tally(1)));
  value(one.add(id, Nanos{102}, false, tally(1)));
  EXPECT_THAT(value(other.looks(id)), SizeIs(2));
}

TEST_F(HistoryTest, RefusesOtherFiles) {
  fs::create_directories(fs::path(path_).parent_path());
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_EQ(History::open(path_).error().code, ErrorCode::invalid);
  EXPECT_FALSE(History::open((folder_ / "state").string()).has_value());
}

TEST(HistoryPath, FollowsTheSpecification) {
  EXPECT_EQ(default_history_path("/s", "/h"), "/s/weir/history.db");
  EXPECT_EQ(default_history_path("s", "/h"), "/h/.local/state/weir/history.db");
  EXPECT_EQ(default_history_path(nullptr, "/h"), "/h/.local/state/weir/history.db");
  EXPECT_EQ(default_history_path("", nullptr), "");
}

TEST(Encoding, RefusesEveryCutAndEveryWrongWord) {
  const std::string bytes = encode_goroutine(blocked());
  ASSERT_TRUE(decode_goroutine(bytes).has_value());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_FALSE(decode_goroutine(std::string_view(bytes).substr(0, i)).has_value()) << i;
  EXPECT_FALSE(decode_goroutine(bytes + '\0').has_value());
  std::string wrong = bytes;
  wrong[1] = 0x7f;  // behind the id (7): the status
  EXPECT_FALSE(decode_goroutine(wrong).has_value());
  EXPECT_FALSE(decode_stack("\xff\xff\xff\xff\x7f").has_value()) << "more frames than bytes";
}

}  // namespace
}  // namespace weir::store
