#include "weir/target/copy_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace weir::target {
namespace {

constexpr std::size_t page_size = 4096, page_count = 64;

/// Pages of this process, each byte of them another one than its neighbours'; the last is taken
/// away.
class CopyMemoryTest : public testing::Test {
 protected:
  CopyMemoryTest()
      : data_(static_cast<std::byte*>(mmap(nullptr, page_size * page_count, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        memory_(CopyMemory::open(getpid()).value()) {
    for (std::size_t i = 0; i < page_size * page_count; ++i)
      data_[i] = static_cast<std::byte>(i * 31 + i / page_size);
    munmap(data_ + end, page_size);
  }
  ~CopyMemoryTest() override { munmap(data_, end); }
  Address at(std::size_t offset) const {
    return {reinterpret_cast<std::uintptr_t>(data_) + offset};
  }

  static constexpr std::size_t end = page_size * (page_count - 1);
  std::byte* data_;
  CopyMemory memory_;
};

TEST_F(CopyMemoryTest, ReadsWhatIsThereInAnySize) {
  for (const std::size_t size : {1, 8, 100, 4096, 4097, 100'000}) {
    std::vector<std::byte> into(size);
    for (std::size_t from = 0; from + size <= end; from += 4093) {
      ASSERT_TRUE(memory_.read(at(from), into).has_value()) << from;
      ASSERT_EQ(std::memcmp(into.data(), data_ + from, size), 0) << from << " " << size;
    }
  }
}

TEST_F(CopyMemoryTest, EndsWhereTheMappingDoes) {
  for (const std::size_t size : {200, 8192}) {
    std::vector<std::byte> into(size);
    const auto got = memory_.read_some(at(end - 100), into);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(*got, 100U);
    EXPECT_EQ(memory_.read(at(end - 100), into).error().where, ErrorWhere(at(end)));
    EXPECT_EQ(memory_.read_some(at(end), into).error().code, ErrorCode::unmapped);
    EXPECT_EQ(memory_.read_some(Address{~std::uint64_t{7}}, into).error().code,
              ErrorCode::unmapped);
  }
}

TEST_F(CopyMemoryTest, OneUnmappedRequestDoesNotHurtTheOthers) {
  std::vector<std::byte> into(24);
  std::vector<ReadRequest> requests{{at(8), std::span(into).first(8), 0},
                                    {at(end), std::span(into).subspan(8, 8), 0},
                                    {at(end - 4), std::span(into).subspan(16, 8), 0}};
  ASSERT_TRUE(memory_.read_many(requests).has_value());
  EXPECT_EQ(requests[0].got, 8U);
  EXPECT_EQ(requests[1].got, 0U);
  EXPECT_EQ(requests[2].got, 4U);
}

}  // namespace
}  // namespace weir::target
