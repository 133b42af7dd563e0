#include "weir/ingest/evidence.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "weir/bytes/inflate.h"
#include "weir/dump/count_text.h"
#include "weir/ingest/input.h"
#include "weir/ingest/recorded.h"
#include "weir/ingest/tally.h"
#include "weir/pprof/read.h"
#include "weir/target/recording.h"

namespace weir::ingest {

using model::Tally;

namespace {

constexpr std::size_t head_size = 4096;
constexpr std::size_t whole_limit = std::size_t{1} << 30;  // for kinds that are read as a whole
constexpr std::size_t piece_size = 256 << 10;

bytes::Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

enum class Kind : std::uint8_t { text, counts, profile, recording, core, gzip };

/// Text has no control characters but those of lines; a protobuf has its lengths and tags.
bool is_binary(std::string_view head) {
  constexpr std::string_view allowed = "\t\n\r\f\v\x1b";
  for (const char c : head)
    if (static_cast<unsigned char>(c) < 0x20 && allowed.find(c) == std::string_view::npos)
      return true;
  return false;
}

Kind kind_of(std::string_view head) {
  if (bytes::looks_gzipped(bytes_of(head))) return Kind::gzip;
  if (target::looks_like_core(bytes_of(head))) return Kind::core;
  if (head.starts_with("weir-rec")) return Kind::recording;
  if (dump::looks_like_counts(head)) return Kind::counts;
  return is_binary(head) ? Kind::profile : Kind::text;
}

Result<std::vector<Tally>> one(Result<Tally> tally) {
  if (!tally) return fail(std::move(tally).error());
  std::vector<Tally> tallies;
  tallies.push_back(std::move(*tally));
  return tallies;
}

Result<std::vector<Tally>> read_whole(std::string_view content, Kind kind) {
  switch (kind) {
    case Kind::counts:
      return one(tally_counts(content));
    case Kind::recording: {
      WEIR_TRY(auto recording, target::parse_recording(bytes_of(content)));
      WEIR_TRY(auto snapshot, decode_recording(std::move(recording), ""));
      return one(tally_snapshot(std::move(snapshot)));
    }
    case Kind::profile: {
      WEIR_TRY(const auto profile, pprof::parse_profile(bytes_of(content)));
      return one(tally_profile(profile));
    }
    case Kind::gzip: {
      WEIR_TRY(const std::string inside, bytes::gunzip(bytes_of(content), whole_limit));
      if (kind_of(std::string_view(inside).substr(0, head_size)) == Kind::gzip)
        return fail(ErrorCode::unsupported, "gzip within gzip");
      Intake intake;
      WEIR_TRY_VOID(intake.feed(inside));
      return intake.finish();
    }
    case Kind::core:
      return fail(ErrorCode::unsupported,
                  "a core is read here and there, so it must be a plain file by its name");
    case Kind::text:
      break;
  }
  return fail(ErrorCode::invalid, "no evidence");
}

}  // namespace

/// Holds back the first bytes until they tell the kind; then text streams, the rest is collected.
struct Intake::State {
  std::string kept;
  std::optional<Kind> kind;
  TextTally text;

  Result<void> decide() {
    kind = kind_of(std::string_view(kept).substr(0, head_size));
    if (*kind != Kind::text) return {};
    text.feed(kept);
    kept.clear();
    kept.shrink_to_fit();
    return {};
  }
};

Intake::Intake() : state_(std::make_unique<State>()) {}
Intake::~Intake() = default;

Result<void> Intake::feed(std::string_view piece) {
  State& state = *state_;
  if (state.kind == Kind::text) {
    state.text.feed(piece);
    return {};
  }
  if (state.kept.size() + piece.size() > whole_limit)
    return fail(ErrorCode::limit, fmt::format("more than {} bytes", whole_limit));
  state.kept += piece;
  if (!state.kind && state.kept.size() >= head_size) return state.decide();
  return {};
}

Result<std::vector<Tally>> Intake::finish() {
  State& state = *state_;
  if (!state.kind) {
    if (state.kept.empty()) return fail(ErrorCode::not_found, "it is empty");
    WEIR_TRY_VOID(state.decide());
  }
  if (*state.kind != Kind::text) return read_whole(state.kept, *state.kind);
  auto tallies = state.text.finish();
  if (tallies.empty())
    return fail(ErrorCode::not_found, "there is no goroutine in this text, nor is it a profile");
  return tallies;
}

namespace {

Result<std::vector<Tally>> read_process(int pid, const LiveOptions& options) {
  WEIR_TRY(auto reader, LiveReader::open(pid));
  WEIR_TRY(auto snapshot, reader.read_snapshot(options));
  return one(tally_snapshot(std::move(snapshot)));
}

Result<std::vector<Tally>> read_file(const std::string& name, const CoreOptions& core) {
  if (name != "-" && is_core(name)) {
    WEIR_TRY(auto snapshot, read_core(name, core));
    return one(tally_snapshot(std::move(snapshot)));
  }
  Intake intake;
  WEIR_TRY_VOID(read_input(name, "neither a process id, a URL nor a file", piece_size,
                           [&](std::string_view piece) { return intake.feed(piece); }));
  return intake.finish();
}

Result<std::vector<Tally>> read_url(const std::string& url, const HttpOptions& options) {
  Intake intake;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  WEIR_TRY_VOID(fetch(url, options, [&](std::string_view piece) { return intake.feed(piece); }));
  WEIR_TRY(auto tallies, intake.finish());
  for (Tally& tally : tallies)
    if (!tally.source.taken_at)
      tally.source.taken_at =
          Nanos{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
  return tallies;
}

Result<std::vector<Tally>> read_any(const std::string& name, const EvidenceOptions& options) {
  if (const auto pid = parse_pid(name)) return read_process(*pid, options.live);
  if (name != "-" && access(name.c_str(), F_OK) != 0 && looks_like_url(name))
    return read_url(profile_url(name), options.http);
  return read_file(name, options.core);
}

}  // namespace

Result<std::vector<Tally>> read_evidence(const std::string& name, const EvidenceOptions& options) {
  auto tallies = read_any(name, options);
  const std::string shown = name == "-" ? "standard input" : without_credentials(name);
  if (!tallies) return fail(std::move(tallies).error().with(shown));
  for (std::size_t i = 0; i < tallies->size(); ++i) {
    const bool several = tallies->size() > 1;
    (*tallies)[i].source.name = several ? fmt::format("{} (dump {})", shown, i + 1) : shown;
  }
  return tallies;
}

}  // namespace weir::ingest
