#include "weir/target/live_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace weir::target {
namespace {

constexpr std::size_t page_size = 4096;

/// Pages of this process, some of which may be taken away.
class Pages {
 public:
  explicit Pages(std::size_t count) : size_(count * page_size) {
    data_ = static_cast<std::byte*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < size_; ++i)
      data_[i] = static_cast<std::byte>(i * 31 + i / page_size);
  }
  ~Pages() { munmap(data_, size_); }
  void unmap(std::size_t page) { munmap(data_ + page * page_size, page_size); }
  Address at(std::size_t offset) const {
    return {reinterpret_cast<std::uintptr_t>(data_) + offset};
  }
  const std::byte* data() const { return data_; }

 private:
  std::size_t size_;
  std::byte* data_;
};

LiveMemory self() {
  return LiveMemory::open(getpid()).value();
}

TEST(LiveMemory, ReadsAPrefixUpToTheHole) {
  Pages pages(3);
  pages.unmap(2);
  LiveMemory memory = self();
  std::vector<std::byte> into(2 * page_size);
  const auto n = memory.read_some(pages.at(page_size + 100), into);
  ASSERT_TRUE(n.has_value()) << to_string(n.error());
  EXPECT_EQ(*n, page_size - 100);
  EXPECT_EQ(std::memcmp(into.data(), pages.data() + page_size + 100, *n), 0);
  const auto hole = memory.read_some(pages.at(2 * page_size), into);
  ASSERT_FALSE(hole.has_value());
  EXPECT_EQ(hole.error().code, ErrorCode::unmapped);
  EXPECT_EQ(memory.read(pages.at(page_size), into).error().where,
            ErrorWhere(pages.at(2 * page_size)));
}

TEST(LiveMemory, OneUnmappedRequestDoesNotHurtTheOthers) {
  Pages pages(5);
  pages.unmap(1);
  pages.unmap(3);
  LiveMemory memory = self();
  std::vector<std::vector<std::byte>> into(6, std::vector<std::byte>(200));
  std::vector<ReadRequest> requests = {
      {pages.at(page_size - 300), into[0], 0},   {pages.at(page_size - 50), into[1], 0},
      {pages.at(page_size + 10), into[2], 0},    {pages.at(2 * page_size), into[3], 0},
      {pages.at(3 * page_size - 1), into[4], 0}, {pages.at(4 * page_size), into[5], 0}};
  ASSERT_TRUE(memory.read_many(requests).has_value());
  const std::size_t want[] = {200, 50, 0, 200, 1, 200};
  for (std::size_t i = 0; i < std::size(want); ++i) {
    EXPECT_EQ(requests[i].got, want[i]) << i;
    const auto offset = requests[i].at - pages.at(0);
    EXPECT_EQ(std::memcmp(into[i].data(), pages.data() + offset, requests[i].got), 0) << i;
  }
}

/// Any mixture of sizes, gaps, overlaps, orders and holes gives what a read of each piece alone
/// gives.
TEST(LiveMemory, ManyPiecesEqualSinglePieces) {
  constexpr std::size_t page_count = 64;
  Pages pages(page_count);
  std::mt19937 random(11);
  std::vector<bool> mapped(page_count, true);
  for (std::size_t i = 0; i < page_count; ++i) {
    if (random() % 4 == 0) {
      mapped[i] = false;
      pages.unmap(i);
    }
  }
  LiveMemory memory = self();
  for (int round = 0; round < 20; ++round) {
    const std::size_t n = round % 2 == 0 ? 300 : 5000;
    std::vector<ReadRequest> requests;
    std::vector<std::byte> room(n * 6000);
    std::size_t used = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t size = random() % 20 == 0 ? random() % 6000 : random() % 64;
      const std::size_t at = random() % (page_count * page_size - 6000);
      requests.push_back({pages.at(at), std::span(room).subspan(used, size), 77});
      used += size;
    }
    if (round % 3 != 0) {
      std::sort(requests.begin(), requests.end(),
                [](const ReadRequest& a, const ReadRequest& b) { return a.at < b.at; });
    }
    ASSERT_TRUE(memory.read_many(requests).has_value());
    for (const ReadRequest& request : requests) {
      const std::size_t at = request.at - pages.at(0);
      std::size_t want = 0;
      while (want < request.into.size() && mapped[(at + want) / page_size]) ++want;
      ASSERT_EQ(request.got, want);
      ASSERT_EQ(std::memcmp(request.into.data(), pages.data() + at, want), 0);
    }
  }
}

TEST(LiveMemory, StrangeAddressesAreUnmapped) {
  LiveMemory memory = self();
  std::vector<std::byte> into(64);
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{1} << 47, ~std::uint64_t{0} - 8,
                                 std::uint64_t{0x8000'0000'0000'0000}}) {
    const auto n = memory.read_some(Address{at}, into);
    ASSERT_FALSE(n.has_value()) << at;
    EXPECT_EQ(n.error().code, ErrorCode::unmapped) << at;
  }
  EXPECT_EQ(memory.read_some(Address{1}, {}).value(), 0U);
}

TEST(LiveMemory, ListsItsOwnMappings) {
  Pages pages(1);
  bool found = false;
  for (const Region& region : self().regions()) {
    found = found || (region.start <= pages.at(0) && pages.at(page_size) <= region.end &&
                      region.readable && region.writable && !region.executable);
  }
  EXPECT_TRUE(found);
}

TEST(LiveMemory, AProcessThatIsNotThere) {
  const auto memory = LiveMemory::open(0x3fffff);
  ASSERT_FALSE(memory.has_value());
  EXPECT_EQ(memory.error().code, ErrorCode::gone);
}

TEST(FrozenMemory, FailsOnceTheStopIsOver) {
  LiveMemory live = self();
  bool holds = true;
  FrozenMemory frozen(live, [&] { return holds; });
  EXPECT_EQ(frozen.consistency(), Consistency::frozen);
  const int value = 42;
  const Address at{reinterpret_cast<std::uintptr_t>(&value)};
  EXPECT_EQ(frozen.read<int>(at).value(), 42);
  holds = false;
  EXPECT_EQ(frozen.read<int>(at).error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace weir::target
