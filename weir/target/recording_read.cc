#include <fmt/format.h>
#include <zstd.h>

#include <memory>
#include <set>

#include "weir/bytes/mapped_file.h"
#include "weir/target/recording.h"
#include "weir/target/recording_format.h"

namespace weir::target {
namespace {

/// One section's header, and where it is.
struct Section {
  std::string tag;
  std::uint32_t flags = 0;
  std::uint64_t stored_size = 0;
  std::uint64_t size = 0;
  std::size_t offset = 0;  ///< of the header in the file
};

/// Reads one section's content. The first thing wrong is kept; after it every value is zero.
class Decoder {
 public:
  explicit Decoder(bytes::Bytes content) : cursor_(content) {}

  std::uint64_t number() { return cursor_.varint(); }
  std::int64_t integer() {
    const std::uint64_t raw = number();
    return static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  }
  int id() {
    const std::int64_t value = integer();
    if (value < INT32_MIN || value > INT32_MAX) wrong("a number is too large");
    return static_cast<int>(value);
  }
  Nanos nanos() { return {integer()}; }
  Address address() { return {number()}; }
  std::string text() { return std::string(bytes::as_text(cursor_.take(size()))); }
  bool flag() {
    const std::uint8_t value = cursor_.u8();
    if (value > 1) wrong("a flag is neither 0 nor 1");
    return value == 1;
  }
  char letter() { return static_cast<char>(cursor_.u8()); }
  bytes::Bytes raw(std::uint64_t n) { return cursor_.take(n); }
  template <class E>
  E one_of(E last) {
    const std::uint64_t value = number();
    if (value > static_cast<std::uint64_t>(last)) wrong("a kind is not known");
    return ok() ? static_cast<E>(value) : E{};
  }
  /// How many items follow, at most `most`, each at least `least` bytes.
  std::size_t count(std::size_t least, std::uint64_t most = format::max_items) {
    const std::uint64_t n = number();
    if (n > most) wrong("a list is too long");
    if (ok() && n > cursor_.left() / least) wrong("a list is longer than the section");
    return ok() ? n : 0;
  }
  void wrong(std::string what) {
    if (ok()) wrong_ = std::move(what);
  }
  bool ok() const { return cursor_.ok() && wrong_.empty(); }
  /// The section's verdict: everything was understood and nothing is left.
  Result<void> finish(const Section& section) {
    if (ok() && !cursor_.done()) wrong("it holds more than this version knows");
    if (ok()) return {};
    return fail(ErrorCode::invalid,
                fmt::format("section {} of the recording is malformed: {}", section.tag,
                            wrong_.empty() ? "its content ends early" : wrong_),
                FileOffset{section.offset});
  }

 private:
  std::size_t size() { return number(); }

  bytes::Cursor cursor_;
  std::string wrong_;
};

void decode_facts(Decoder& in, Recording& recording) {
  ProcessFacts& process = recording.process;
  recording.weir_version = in.text();
  recording.arch = in.one_of(Arch::arm64);
  recording.go_version = in.text();
  recording.build_id = in.text();
  recording.taken_at = in.nanos();
  recording.monotonic_at = in.nanos();
  recording.boottime_at = in.nanos();
  recording.consistent = in.flag();
  recording.stopped = in.flag();
  recording.held = in.nanos();
  process.pid = in.id();
  process.inner_pid = in.id();
  process.parent_pid = in.id();
  process.tracer_pid = in.id();
  process.uid = static_cast<unsigned>(in.number());
  process.state = in.letter();
  process.name = in.text();
  process.command_line.resize(in.count(1));
  for (std::string& word : process.command_line) word = in.text();
  process.exe_path = in.text();
  process.exe_deleted = in.flag();
  process.start_time = in.nanos();
  process.cpu_time = in.nanos();
  process.thread_count = in.id();
}

Registers decode_registers(Decoder& in) {
  Registers out;
  out.arch = in.one_of(Arch::arm64);
  for (Address* at : {&out.pc, &out.sp, &out.frame, &out.link, &out.tls}) *at = in.address();
  out.flags = in.number();
  out.syscall = in.integer();
  for (std::uint64_t& value : out.general) value = in.number();
  return out;
}

void decode_threads(Decoder& in, std::vector<RecordedThread>& threads) {
  threads.resize(in.count(7, format::max_threads));
  for (RecordedThread& thread : threads) {
    thread.facts.tid = in.id();
    thread.facts.inner_tid = in.id();
    thread.facts.state = in.letter();
    thread.facts.name = in.text();
    thread.facts.cpu_time = in.nanos();
    thread.stop = in.one_of(StopKind::job_control);
    thread.has_registers = in.flag();
    if (thread.has_registers) thread.registers = decode_registers(in);
  }
}

void decode_for_proof(Decoder& in, Recording& recording) {
  recording.for_proof = true;
  if (in.count(1, format::max_threads) != recording.threads.size())
    in.wrong("it is not about the threads before");
  for (RecordedThread& thread : recording.threads) {
    thread.vectors.resize(in.count(1, format::max_vector_words));
    for (std::uint64_t& word : thread.vectors) word = in.number();
    if (!in.ok()) return;
  }
}

void decode_auxv(Decoder& in, std::vector<AuxEntry>& auxv) {
  auxv.resize(in.count(2));
  for (AuxEntry& entry : auxv) {
    entry.type = in.number();
    entry.value = in.number();
  }
}

void decode_fds(Decoder& in, std::vector<FdFacts>& fds) {
  fds.resize(in.count(2));
  for (FdFacts& fd : fds) {
    fd.fd = in.id();
    fd.target = in.text();
  }
}

void decode_hints(Decoder& in, std::map<std::string, std::uint64_t>& hints) {
  for (std::size_t left = in.count(2); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    hints.insert_or_assign(std::move(name), in.number());
  }
}

void decode_notes(Decoder& in, Notes& notes) {
  for (std::size_t left = in.count(5, format::max_notes); left > 0 && in.ok(); --left) {
    Note note;
    note.severity = in.one_of(Severity::loss);
    note.text = in.text();
    note.place = in.text();
    note.advice = in.text();
    note.count = in.number();
    if (in.ok()) notes.add(note);
  }
}

std::vector<Region> decode_regions(Decoder& in) {
  std::vector<Region> regions(in.count(5));
  for (Region& region : regions) {
    region.start = in.address();
    region.end = in.address();
    const std::uint64_t rights = in.number();
    if (rights > 7) in.wrong("a mapping has unknown rights");
    region.readable = (rights & 4) != 0;
    region.writable = (rights & 2) != 0;
    region.executable = (rights & 1) != 0;
    region.file_offset = in.number();
    region.path = in.text();
    if (in.ok() && !(region.start < region.end)) in.wrong("a mapping ends before it begins");
  }
  return regions;
}

/// Into `memory`; no byte at or after `end`. `room` is how many more pieces may come.
void decode_memory(Decoder& in, std::uint64_t end, SparseMemory& memory, std::uint64_t& room) {
  const std::size_t count = in.count(3, room);
  room -= count;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces(count);
  std::uint64_t at = 0;
  for (auto& [start, size] : pieces) {
    const std::uint64_t gap = in.number();
    size = in.number();
    if (gap > end - at || size > end - at - gap || size == 0) {
      in.wrong("a piece of memory is empty or lies outside");
      return;
    }
    start = at + gap;
    at = start + size;
  }
  for (const auto& [start, size] : pieces) memory.insert(Address{start}, in.raw(size));
}

/// Walks a file section by section.
class Reader {
 public:
  Reader(bytes::Bytes file, const RecordingLimits& limits)
      : cursor_(file),
        limits_(limits),
        room_(limits.pieces),
        unpacker_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {}

  Result<Recording> read() {
    WEIR_TRY_VOID(read_header());
    for (std::uint64_t sections = 0;; ++sections) {
      WEIR_TRY(const Section section, read_section_header(sections));
      WEIR_TRY_VOID(unpack(section));
      Decoder in(content_);
      if (section.tag == format::tag_end) {
        if (in.number() != sections) in.wrong("a section is missing");
        WEIR_TRY_VOID(in.finish(section));
        break;
      }
      WEIR_TRY(const bool known, decode(section, in));
      if (known) WEIR_TRY_VOID(in.finish(section));
      first_ = false;
    }
    if (!cursor_.done()) {
      return fail(ErrorCode::invalid, "the recording goes on after its end",
                  FileOffset{cursor_.pos()});
    }
    recording_.memory.set_regions(std::move(regions_));
    return std::move(recording_);
  }

 private:
  Result<void> read_header() {
    if (cursor_.done()) return fail(ErrorCode::truncated, "it is empty");
    const bytes::Bytes magic = cursor_.take(format::file_magic.size());
    if (bytes::as_text(magic) != format::file_magic) {
      return fail(ErrorCode::invalid, "not a weir recording");
    }
    const std::uint32_t schema = cursor_.u32();
    const std::uint32_t zero = cursor_.u32();
    if (!cursor_.ok()) return fail(cursor_.error("the recording ends within its header"));
    if (schema != format::schema_version) {
      return fail(ErrorCode::unsupported,
                  fmt::format("the recording has schema {}, and this weir reads schema {}", schema,
                              format::schema_version));
    }
    if (zero != 0) return fail(ErrorCode::invalid, "the recording's header is damaged");
    return {};
  }

  Result<Section> read_section_header(std::uint64_t number) {
    Section section;
    section.offset = cursor_.pos();
    section.tag = bytes::as_text(cursor_.take(4));
    section.flags = cursor_.u32();
    section.stored_size = cursor_.u64();
    section.size = cursor_.u64();
    if (!cursor_.ok()) {
      return fail(cursor_.error(
          fmt::format("the recording ends after {} sections, before its end mark", number)));
    }
    for (const char c : section.tag) {
      if (c < ' ' || c > '~')
        return fail(ErrorCode::invalid, "the recording is damaged: no section begins here",
                    FileOffset{section.offset});
    }
    if (section.size > limits_.section_bytes || section.size > limits_.total_bytes - total_) {
      return fail(ErrorCode::limit,
                  fmt::format("section {} would unpack to {} bytes", section.tag, section.size),
                  FileOffset{section.offset});
    }
    return section;
  }

  Result<void> unpack(const Section& section) {
    const bytes::Bytes stored = cursor_.take(section.stored_size);
    if (!cursor_.ok()) {
      return fail(
          cursor_.error(fmt::format("the recording ends within section {}, which is {} bytes long",
                                    section.tag, section.stored_size)));
    }
    total_ += section.size;
    const auto damaged = [&](std::string_view why) {
      return fail(ErrorCode::invalid,
                  fmt::format("section {} of the recording is damaged: {}", section.tag, why),
                  FileOffset{section.offset});
    };
    // The frame must say the same size before it sizes the buffer.
    if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != section.size) {
      return damaged("its size is not what its header says");
    }
    content_.resize(section.size);
    const std::size_t n = ZSTD_decompressDCtx(unpacker_.get(), content_.data(), content_.size(),
                                              stored.data(), stored.size());
    if (ZSTD_isError(n) != 0) return damaged(ZSTD_getErrorName(n));
    if (n != section.size) return damaged("it is shorter than its header says");
    return {};
  }

  /// False: an optional section of a later version.
  Result<bool> decode(const Section& section, Decoder& in) {
    const std::string& tag = section.tag;
    const bool many =
        tag == format::tag_memory || tag == format::tag_image || tag == format::tag_pages;
    if (!many && !seen_.insert(tag).second) {
      in.wrong("it comes twice");
    } else if (first_ != (tag == format::tag_facts)) {
      in.wrong("the facts about the process must come first, and once");
    } else if (tag == format::tag_facts) {
      decode_facts(in, recording_);
    } else if (tag == format::tag_auxv) {
      decode_auxv(in, recording_.auxv);
    } else if (tag == format::tag_threads) {
      decode_threads(in, recording_.threads);
    } else if (tag == format::tag_proof) {
      decode_for_proof(in, recording_);
    } else if (tag == format::tag_fds) {
      decode_fds(in, recording_.fds);
    } else if (tag == format::tag_regions) {
      regions_ = decode_regions(in);
    } else if (tag == format::tag_hints) {
      decode_hints(in, recording_.hints);
    } else if (tag == format::tag_notes) {
      decode_notes(in, recording_.notes);
    } else if (tag == format::tag_memory) {
      decode_memory(in, ~std::uint64_t{0}, recording_.memory, room_);
    } else if (tag == format::tag_image) {
      if (recording_.images.size() >= format::max_images) in.wrong("too many files");
      FileImage& image = recording_.images.emplace_back();
      image.path = in.text();
      image.build_id = in.text();
      image.size = in.number();
    } else if (tag == format::tag_pages && !recording_.images.empty()) {
      FileImage& image = recording_.images.back();
      decode_memory(in, image.size, image.pages, room_);
    } else if ((section.flags & format::flag_optional) != 0) {
      return false;
    } else {
      return fail(ErrorCode::unsupported,
                  fmt::format("the recording has a section {} that this weir does not know", tag),
                  FileOffset{section.offset});
    }
    return true;
  }

  bytes::Cursor cursor_;
  const RecordingLimits& limits_;
  std::uint64_t room_;
  std::uint64_t total_ = 0;
  bool first_ = true;
  std::set<std::string> seen_;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> unpacker_;
  std::vector<std::byte> content_;
  std::vector<Region> regions_;
  Recording recording_;
};

}  // namespace

bool looks_like_recording(bytes::Bytes file) {
  return bytes::as_text(file).starts_with(format::file_magic);
}

Result<Recording> parse_recording(bytes::Bytes file, const RecordingLimits& limits) {
  return Reader(file, limits).read();
}

Result<Recording> read_recording(const std::string& path) {
  WEIR_TRY(const bytes::MappedFile file, bytes::MappedFile::open(path));
  auto recording = parse_recording(file.bytes());
  if (!recording) return fail(std::move(recording).error().with("reading " + path));
  return recording;
}

}  // namespace weir::target
