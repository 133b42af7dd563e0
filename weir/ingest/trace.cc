#include "weir/ingest/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "weir/bytes/mapped_file.h"
#include "weir/gotrace/reader.h"
#include "weir/ingest/trace_intervals.h"

namespace weir::ingest {
namespace {

constexpr std::size_t piece_size = 256 << 10;
constexpr std::size_t release_step = 4 << 20;  // bytes between two calls of the kernel

/// A file without a name in $TMPDIR: what comes through a pipe, to be mapped.
class Spool {
 public:
  static Result<Spool> create() {
    const char* folder = std::getenv("TMPDIR");
    std::string path = (folder != nullptr && *folder != 0 ? std::string(folder) : "/tmp");
    path += "/weir-trace-XXXXXX";
    const int fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return fail(ErrorCode::io, "cannot create a temporary file", path, errno);
    unlink(path.c_str());
    return Spool(fd);
  }
  Spool(Spool&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Spool& operator=(Spool&&) = delete;
  ~Spool() {
    if (fd_ >= 0) close(fd_);
  }

  Result<void> write_all(std::string_view piece) const {
    while (!piece.empty()) {
      const ssize_t n = write(fd_, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(ErrorCode::io, "cannot write a temporary file", {}, errno);
      piece.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }
  Result<void> fill_from(int from) const {
    std::string piece(piece_size, '\0');
    while (true) {
      const ssize_t got = read(from, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(ErrorCode::io, "cannot be read", {}, errno);
      if (got == 0) return {};
      WEIR_TRY_VOID(write_all(std::string_view(piece).substr(0, static_cast<std::size_t>(got))));
    }
  }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  explicit Spool(int fd) : fd_(fd) {}
  int fd_;
};

Result<bytes::MappedFile> open_trace(const std::string& name, const TraceOptions& options) {
  const bool exists = access(name.c_str(), F_OK) == 0;
  if (name != "-" && !exists && looks_like_url(name)) {
    WEIR_TRY(const Spool spool, Spool::create());
    WEIR_TRY_VOID(fetch(trace_url(name), options.http,
                        [&](std::string_view piece) { return spool.write_all(piece); }));
    return bytes::MappedFile::open(spool.path());
  }
  if (name != "-") {
    auto mapped = bytes::MappedFile::open(name);
    if (mapped || mapped.error().code != ErrorCode::unsupported) return mapped;
  }
  const int fd = name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(ErrorCode::io, "cannot be opened", {}, errno);
  WEIR_TRY(const Spool spool, Spool::create());
  const auto filled = spool.fill_from(fd);
  if (fd != STDIN_FILENO) close(fd);
  if (!filled) return fail(filled.error());
  return bytes::MappedFile::open(spool.path());
}

/// Copies what is new in the dictionary.
void grow_names(const gotrace::Dictionary& from, model::TraceNames& to) {
  for (std::size_t i = to.strings.size(); i < from.string_count(); ++i)
    to.strings.push_back(from.string(static_cast<gotrace::StringId>(i)));
  for (std::size_t i = to.frames.size(); i < from.frame_count(); ++i) {
    const gotrace::Frame& frame = from.frame(static_cast<gotrace::FrameId>(i));
    to.frames.push_back({frame.function, frame.file, frame.line, frame.pc});
  }
  for (std::size_t i = to.stack_count(); i < from.stack_count(); ++i) {
    const auto frames = from.stack(static_cast<gotrace::StackId>(i));
    to.stack_frames.insert(to.stack_frames.end(), frames.begin(), frames.end());
    to.stack_begin.push_back(static_cast<std::uint32_t>(to.stack_frames.size()));
  }
}

const char* writers_of(int minor) {
  switch (minor) {
    case 11:
      return "1.11 to 1.18";
    case 19:
      return "1.19 or 1.20";
    case 21:
      return "1.21";
    case 22:
      return "1.22";
    case 23:
      return "1.23 or 1.24";
    case 25:
      return "1.25";
    default:
      return "1.26 or 1.27";
  }
}

void describe(const gotrace::TraceFacts& facts, model::TraceSummary& summary) {
  summary.format = fmt::format("go 1.{}", facts.header.minor);
  summary.go = writers_of(facts.header.minor);
  summary.events = facts.events;
  summary.generations = facts.generations;
  summary.begins_late = facts.first_generation > 1;
  summary.threads = facts.threads;
  summary.cpu_samples = facts.cpu_samples;
  summary.started_at = Nanos{facts.started_at};
  const gotrace::ByteCounts& bytes = facts.bytes;
  summary.bytes = {{"events", bytes.events},   {"stacks", bytes.stacks},
                   {"strings", bytes.strings}, {"CPU samples", bytes.cpu_samples},
                   {"clock", bytes.sync},      {"experiments", bytes.experimental},
                   {"headers", bytes.headers}};
}

}  // namespace

std::string trace_url(std::string_view word) {
  constexpr std::string_view goroutine = "/debug/pprof/goroutine";
  std::string url = profile_url(word);
  if (!url.ends_with(goroutine) || word.ends_with(goroutine)) return url;
  url.resize(url.size() - std::string_view("goroutine").size());
  return url.append("trace?seconds=5");
}

Result<model::TraceSummary> read_trace(const std::string& name, const TraceOptions& options,
                                       model::TraceNames& names, model::TraceSink& sink) {
  const std::string shown = name == "-" ? "standard input" : without_credentials(name);
  auto file = open_trace(name, options);
  if (!file) return fail(std::move(file).error().with(shown));
  model::TraceSummary summary;
  summary.source = shown;
  summary.size = file->bytes().size();
  gotrace::Dictionary dictionary;
  TraceIntervals intervals(names, sink, options.running);
  gotrace::ReadOptions reading;
  reading.names_ready = [&names](const gotrace::Dictionary& known) { grow_names(known, names); };
  std::size_t looked_at = 0;
  reading.release = [&](bytes::Bytes done) {
    looked_at += done.size();
    if (looked_at < release_step) return;
    looked_at = 0;
    file->forget_before(done);
  };
  auto facts = gotrace::read_trace(file->bytes(), dictionary, intervals, reading, summary.notes);
  if (!facts) return fail(std::move(facts).error().with(shown));
  describe(*facts, summary);
  intervals.finish(summary);
  return summary;
}

}  // namespace weir::ingest
