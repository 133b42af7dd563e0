#include "weir/target/recording.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "weir/target/recording_format.h"

namespace weir::target {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Recording sample() {
  Recording r;
  r.weir_version = "0.1.0";
  r.process = {42,
               7,
               1,
               9,
               1000,
               'S',
               "my app",
               {"/bin/my app", "", "-x"},
               "/bin/my app",
               true,
               Nanos{123},
               Nanos{456},
               2};
  r.go_version = "go1.26.8";
  r.build_id = "abcdef";
  r.taken_at = Nanos{1'700'000'000'000'000'000};
  r.monotonic_at = Nanos{5};
  r.boottime_at = Nanos{-6};
  r.consistent = true;
  r.stopped = true;
  r.held = Nanos{250'000};
  r.auxv = {{3, 0x400040}, {9, ~std::uint64_t{0}}};
  RecordedThread thread;
  thread.facts = {42, 7, 'S', "main", Nanos{11}};
  thread.has_registers = true;
  thread.stop = StopKind::signal;
  thread.registers.pc = {0x401000};
  thread.registers.syscall = -1;
  for (std::size_t i = 0; i < thread.registers.general.size(); ++i) {
    thread.registers.general[i] = i * 0x0101010101010101;
  }
  thread.vectors = {1, 0, ~std::uint64_t{0}};
  r.for_proof = true;
  r.threads = {thread, RecordedThread{}};
  r.fds = {{0, "/dev/null"}, {5, "tcp 127.0.0.1:80 -> 10.0.0.1:5000"}};
  Region region;
  region.start = {0x400000};
  region.end = {0x500000};
  region.readable = region.executable = true;
  region.file_offset = 0x1000;
  region.path = "/bin/my app";
  r.memory.insert(Address{0x400000}, bytes_of("code"));
  r.memory.insert(Address{0xc000000000}, bytes_of(std::string(100'000, 'g')));
  r.memory.set_regions({region});
  FileImage image;
  image.path = "/bin/my app";
  image.build_id = "abcdef";
  image.size = 10'000;
  image.pages.insert(Address{4096}, bytes_of(std::string(4096, 'p')));
  r.images.push_back(std::move(image));
  r.hints = {{"runtime.pclntab", 0x480000}};
  r.notes.add(Note{Severity::warning, "w", "p", "a", 3});
  return r;
}

/// Every value, as text that differs if any of them does.
std::string all_of(const Recording& r) {
  const auto file = render_recording(r);
  return file ? *file : to_string(file.error());
}

TEST(Recording, ComesBackAsItWas) {
  const Recording before = sample();
  const std::string file = render_recording(before).value();
  EXPECT_TRUE(looks_like_recording(bytes::as_bytes(file)));
  auto after = parse_recording(bytes::as_bytes(file));
  ASSERT_TRUE(after.has_value()) << to_string(after.error());
  EXPECT_EQ(after->weir_version, "0.1.0");
  EXPECT_EQ(after->process.command_line, before.process.command_line);
  EXPECT_EQ(after->process.exe_path, "/bin/my app");
  EXPECT_TRUE(after->process.exe_deleted);
  EXPECT_EQ(after->process.start_time, Nanos{123});
  EXPECT_EQ(after->boottime_at, Nanos{-6});
  EXPECT_EQ(after->held, Nanos{250'000});
  EXPECT_EQ(after->auxv, before.auxv);
  EXPECT_EQ(after->threads[0].registers, before.threads[0].registers);
  EXPECT_EQ(after->threads[0].stop, StopKind::signal);
  EXPECT_FALSE(after->threads[1].has_registers);
  EXPECT_TRUE(after->for_proof);
  EXPECT_EQ(after->threads[0].vectors, before.threads[0].vectors);
  EXPECT_TRUE(after->threads[1].vectors.empty());
  EXPECT_EQ(after->fds[1].target, before.fds[1].target);
  EXPECT_EQ(after->hints, before.hints);
  EXPECT_EQ(after->notes.all().at(0).count, 3U);
  EXPECT_EQ(after->memory.size(), 100'004U);
  ASSERT_EQ(after->memory.regions().size(), 1U);
  EXPECT_EQ(after->memory.regions()[0].path, "/bin/my app");
  EXPECT_TRUE(after->memory.regions()[0].executable);
  EXPECT_FALSE(after->memory.regions()[0].writable);
  EXPECT_EQ(after->memory.read<char>(Address{0xc000000000 + 99'999}).value(), 'g');
  EXPECT_EQ(all_of(*after), file);  // the rest: whatever was lost would not be written again
}

TEST(Recording, FileImageExpandsToTheWholeFile) {
  const Recording recording = sample();
  const auto file = ExpandedFile::make(recording.images[0]);
  ASSERT_TRUE(file.has_value());
  ASSERT_EQ(file->bytes().size(), 10'000U);
  EXPECT_EQ(file->bytes()[4095], std::byte{0});
  EXPECT_EQ(file->bytes()[4096], std::byte{'p'});
  EXPECT_EQ(file->bytes()[8191], std::byte{'p'});
  EXPECT_EQ(file->bytes()[8192], std::byte{0});
}

TEST(Recording, KeepsThePagesThatWereTouched) {
  const std::string content(10'000, 'x');
  bytes::PageSet touched(content.size());
  touched.add(100, 1);
  touched.add(9000, 10);
  const FileImage image = keep_pages("f", "", bytes::as_bytes(content), touched);
  EXPECT_EQ(image.size, 10'000U);
  EXPECT_EQ(image.pages.size(), 4096U + (10'000 - 8192));
}

TEST(Recording, MemoryLargerThanOneSection) {
  Recording recording;
  std::string content(format::chunk_size + format::chunk_size / 2, '\0');
  for (std::size_t i = 0; i < content.size(); i += 999) content[i] = static_cast<char>(i);
  recording.memory.insert(Address{0x1000}, bytes_of(content));
  recording.memory.insert(Address{0x100000000}, bytes_of("x"));
  const std::string file = render_recording(recording).value();
  auto after = parse_recording(bytes::as_bytes(file));
  ASSERT_TRUE(after.has_value()) << to_string(after.error());
  std::string back(content.size(), '?');
  ASSERT_TRUE(
      after->memory.read(Address{0x1000}, std::as_writable_bytes(std::span(back))).has_value());
  EXPECT_EQ(back, content);
}

TEST(Recording, EveryCutIsNoticedAndPlaced) {
  const std::string file = render_recording(sample()).value();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string cut = file.substr(0, size);
    const auto recording = parse_recording(bytes::as_bytes(cut));
    ASSERT_FALSE(recording.has_value()) << size;
    if (size == 0) {
      EXPECT_EQ(recording.error().what, "it is empty");
      continue;
    }
    if (size < format::file_magic.size()) {
      EXPECT_EQ(recording.error().code, ErrorCode::invalid);
      continue;
    }
    EXPECT_EQ(recording.error().code, ErrorCode::truncated) << size;
    ASSERT_TRUE(std::holds_alternative<FileOffset>(recording.error().where));
    EXPECT_LE(std::get<FileOffset>(recording.error().where).value, size);
  }
  const auto end = parse_recording(bytes::as_bytes(file).first(file.size() - 1));
  EXPECT_EQ(end.error().what.substr(0, 43), "the recording ends within section END , whi");
}

/// One flipped bit anywhere is an error, never another recording.
TEST(Recording, EveryFlippedBitIsNoticed) {
  std::string file = render_recording(sample()).value();
  const std::string whole = all_of(sample());
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
      const auto recording = parse_recording(bytes::as_bytes(file));
      if (recording) {
        // Bits that carry nothing: zstd's frame header and the flags have some.
        EXPECT_EQ(all_of(*recording), whole) << i;
      }
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
    }
  }
}

TEST(Recording, AnotherSchemaIsNamed) {
  std::string file = render_recording(sample()).value();
  file[8] = 9;
  const auto recording = parse_recording(bytes::as_bytes(file));
  ASSERT_FALSE(recording.has_value());
  EXPECT_EQ(recording.error().code, ErrorCode::unsupported);
  EXPECT_EQ(recording.error().what, "the recording has schema 9, and this weir reads schema 1");
}

TEST(Recording, AMissingSectionIsNoticed) {
  const std::string file = render_recording(sample()).value();
  // Cut the second section out.
  std::uint64_t stored = 0;
  const auto size_at = [&](std::size_t section) {
    std::memcpy(&stored, file.data() + section + 8, 8);
    return format::section_header_size + stored;
  };
  const std::size_t second = format::header_size + size_at(format::header_size);
  std::string cut = file.substr(0, second) + file.substr(second + size_at(second));
  const auto recording = parse_recording(bytes::as_bytes(cut));
  ASSERT_FALSE(recording.has_value());
  EXPECT_EQ(recording.error().what,
            "section END  of the recording is malformed: a section is missing");
}

TEST(Recording, AnOptionalSectionOfTheFutureIsSkippedAnotherIsNot) {
  std::string file = render_recording(sample()).value();
  const std::size_t at = file.find("HINT");
  file.replace(at, 4, "NEWS");
  EXPECT_EQ(parse_recording(bytes::as_bytes(file)).error().code, ErrorCode::unsupported);
  file[at + 4] = 1;
  const auto recording = parse_recording(bytes::as_bytes(file));
  ASSERT_TRUE(recording.has_value()) << to_string(recording.error());
  EXPECT_TRUE(recording->hints.empty());
}

TEST(Recording, LimitsHoldBeforeAnythingIsSized) {
  Recording recording;
  recording.memory.insert(Address{1}, bytes_of(std::string(1 << 20, 'x')));
  const std::string file = render_recording(recording).value();
  RecordingLimits limits;
  limits.section_bytes = 1 << 19;
  const auto parsed = parse_recording(bytes::as_bytes(file), limits);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace weir::target
