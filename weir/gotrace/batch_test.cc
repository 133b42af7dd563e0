// Varints of every length, with and without room behind them.
#include "weir/gotrace/batch.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::gotrace {
namespace {

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(0x80 | (number & 0x7f));
  return bytes + static_cast<char>(number);
}

/// Reads one number; gives how many bytes that took, 0 if there was none.
template <bool sure>
std::size_t read_one(const std::string& bytes, std::uint64_t& value) {
  VarintReader reader = reader_of(bytes::as_bytes(bytes));
  return reader.read<sure>(value) ? bytes.size() - reader.left() : 0;
}

TEST(VarintReader, ReadsEveryLengthWithAndWithoutRoom) {
  for (unsigned bits = 0; bits <= 64; ++bits) {
    const std::uint64_t number = bits == 0 ? 0 : (~std::uint64_t{0} >> (64 - bits)) ^ 2;
    const std::string bytes = varint(number);
    for (const std::string& behind :
         {std::string(), std::string("\x01"), std::string(20, '\xff')}) {
      std::uint64_t value = ~number;
      EXPECT_EQ(read_one<false>(bytes + behind, value), bytes.size()) << bits;
      EXPECT_EQ(value, number) << bits;
    }
    std::uint64_t value = ~number;
    EXPECT_EQ(read_one<true>(bytes + std::string(VarintReader::longest, '\xff'), value),
              bytes.size());
    EXPECT_EQ(value, number) << bits;
  }
}

TEST(VarintReader, RefusesWhatEndsEarlyOrDoesNotFit) {
  std::uint64_t value = 0;
  for (std::size_t length = 0; length <= 12; ++length)
    EXPECT_EQ(read_one<false>(std::string(length, '\x80'), value), 0u) << length;
  const std::string too_large = std::string(9, '\xff') + "\x02";
  EXPECT_EQ(read_one<false>(too_large, value), 0u);
  EXPECT_EQ(read_one<true>(too_large, value), 0u);
}

}  // namespace
}  // namespace weir::gotrace
