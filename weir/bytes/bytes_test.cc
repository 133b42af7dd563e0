#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "weir/bytes/cursor.h"
#include "weir/bytes/inflate.h"
#include "weir/bytes/mapped_file.h"

namespace weir::bytes {
namespace {

using namespace std::string_view_literals;

TEST(Cursor, FailureIsStickyAndKeepsTheFirstOffset) {
  Cursor cursor(as_bytes("\x01\x02\x03"sv));
  EXPECT_EQ(cursor.u16(), 0x0201);
  EXPECT_EQ(cursor.u32(), 0u);
  EXPECT_FALSE(cursor.ok());
  EXPECT_TRUE(cursor.done());
  EXPECT_EQ(cursor.u8(), 0);
  EXPECT_EQ(cursor.failed_at().value, 2u);
}

TEST(Cursor, HugeLengthsDoNotWrap) {
  Cursor cursor(as_bytes("abcd"sv));
  cursor.skip(2);
  EXPECT_TRUE(cursor.take(~std::size_t{0}).empty());
  EXPECT_FALSE(cursor.ok());
}

TEST(Cursor, VarintRefusesMoreThan64Bits) {
  Cursor good(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv));
  EXPECT_EQ(good.varint(), ~std::uint64_t{0});
  Cursor bad(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv));
  bad.varint();
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.failed_at().value, 0u);
}

TEST(Cursor, StringNeedsItsNul) {
  Cursor cursor(as_bytes("ab\0cd"sv));
  EXPECT_EQ(cursor.c_string(), "ab");
  EXPECT_EQ(cursor.c_string(), "");
  EXPECT_FALSE(cursor.ok());
}

TEST(Gzip, RoundTripsAndHoldsTheLimit) {
  const std::string text(200000, 'x');
  const std::string packed = gzip(text);
  EXPECT_EQ(gunzip(as_bytes(packed), 1 << 20).value(), text);
  EXPECT_EQ(gunzip(as_bytes(packed + packed), 1 << 20).value(), text + text);
  EXPECT_EQ(gunzip(as_bytes(packed), 1000).error().code, ErrorCode::limit);
  EXPECT_EQ(gunzip(as_bytes(packed.substr(0, 20)), 1 << 20).error().code, ErrorCode::truncated);
  EXPECT_EQ(gunzip(as_bytes("\x1f\x8bgarbage...."sv), 1 << 20).error().code, ErrorCode::invalid);
}

TEST(Files, WriteThenMapAndRead) {
  const std::string path = testing::TempDir() + "weir_bytes_" + std::to_string(::getpid());
  ASSERT_TRUE(write_file(path, "hello"));
  EXPECT_EQ(as_text(MappedFile::open(path)->bytes()), "hello");
  EXPECT_EQ(read_file(path).value(), "hello");
  EXPECT_EQ(read_file(path, 3).error().code, ErrorCode::limit);
  ::unlink(path.c_str());
  EXPECT_EQ(MappedFile::open(path).error().code, ErrorCode::not_found);
}

/// A folder of its own for each case.
class OutputFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "weir_output_XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

bool is_link(const std::string& path) {
  return std::filesystem::is_symlink(path);
}

/// What comes out of `fd`, which has it already.
std::string drain(int fd) {
  char piece[64];
  const ssize_t n = ::read(fd, piece, sizeof piece);
  return {piece, static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
}

TEST_F(OutputFile, APipeIsWrittenToAndStaysAPipe) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const int reader = ::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE(write_file(path("fifo"), "hello").has_value());
  EXPECT_EQ(drain(reader), "hello");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(path("fifo")));
  EXPECT_EQ(files(), 1u);
}

TEST_F(OutputFile, ALinkToANamelessPipeStays) {  // what /dev/stdout is in a pipeline
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(ends[1]), path("link"));
  ASSERT_TRUE(write_file(path("link"), "hello").has_value());
  EXPECT_EQ(drain(ends[0]), "hello");
  EXPECT_TRUE(is_link(path("link")));
  EXPECT_EQ(files(), 1u);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(OutputFile, ALinkStaysAndItsFileIsReplaced) {
  std::ofstream(path("file")) << "longer than what comes";
  std::filesystem::create_symlink("file", path("link"));
  std::filesystem::create_symlink(path("link"), path("second"));
  ASSERT_TRUE(write_file(path("second"), "hello").has_value());
  EXPECT_TRUE(is_link(path("link")) && is_link(path("second")));
  EXPECT_FALSE(is_link(path("file")));
  EXPECT_EQ(read_file(path("file")).value(), "hello");
  EXPECT_EQ(files(), 3u);
}

TEST_F(OutputFile, ALinkWithoutATargetMakesIt) {
  std::filesystem::create_symlink("file", path("link"));
  ASSERT_TRUE(write_file(path("link"), "hello").has_value());
  EXPECT_TRUE(is_link(path("link")));
  EXPECT_EQ(read_file(path("file")).value(), "hello");
}

TEST_F(OutputFile, AStandardStreamKeepsWhatWasPrinted) {
  const std::string file = path("out");
  const int saved = ::dup(STDERR_FILENO);
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::dup2(out, STDERR_FILENO), STDERR_FILENO);
  const bool printed = ::write(STDERR_FILENO, "before ", 7) == 7;
  const auto written = write_file(file, "hello");
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(out);
  EXPECT_TRUE(printed);
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(read_file(file).value(), "before hello");
}

}  // namespace
}  // namespace weir::bytes
