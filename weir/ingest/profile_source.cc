#include "weir/ingest/profile_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "weir/ingest/input.h"
#include "weir/ingest/profile.h"
#include "weir/ingest/profile_text.h"
#include "weir/ingest/recorded.h"
#include "weir/pprof/read.h"
#include "weir/pprof/write.h"
#include "weir/target/recording.h"

namespace weir::ingest {
namespace {

constexpr std::size_t piece_size = std::size_t{128} << 10;

model::ValueType words(const pprof::Profile& from, const pprof::ValueType& type) {
  return {std::string(from.text(type.type)), std::string(from.text(type.unit))};
}

model::ProfileMapping to_mapping(const pprof::Profile& from, const pprof::Mapping& mapping) {
  model::ProfileMapping to;
  to.start = mapping.start;
  to.limit = mapping.limit;
  to.file_offset = mapping.file_offset;
  to.file = from.text(mapping.file);
  to.build_id = from.text(mapping.build_id);
  to.has_functions = mapping.has_functions;
  to.has_filenames = mapping.has_filenames;
  to.has_line_numbers = mapping.has_line_numbers;
  to.has_inline_frames = mapping.has_inline_frames;
  return to;
}

void take_labels(const pprof::LabelSets& from, model::Profile& to) {
  for (std::uint32_t set = 1; set < from.size(); ++set) {
    for (const pprof::Label& label : from[set])
      to.labels.push_back({label.key, label.text, label.number, label.unit});
    to.label_ends.push_back(to.labels.size());
  }
}

model::Profile to_model(pprof::Profile from) {
  model::Profile to;
  for (const pprof::ValueType& type : from.sample_types) to.types.push_back(words(from, type));
  for (const pprof::Mapping& mapping : from.mappings)
    to.mappings.push_back(to_mapping(from, mapping));
  to.locations.reserve(from.locations.size());
  for (const pprof::Location& location : from.locations)
    to.locations.push_back({location.address, location.mapping, location.first_line,
                            location.line_count, location.folded});
  from.locations = {};
  to.lines.reserve(from.lines.size());
  for (const pprof::Line& line : from.lines)
    to.lines.push_back({line.function, line.line, line.column});
  from.lines = {};
  to.functions.reserve(from.functions.size());
  for (const pprof::Function& function : from.functions)
    to.functions.push_back(
        {function.name, function.system_name, function.file, function.start_line});
  take_labels(from.label_sets, to);
  to.drop_frames = from.text(from.drop_frames);
  to.keep_frames = from.text(from.keep_frames);
  to.time_nanos = from.time_nanos;
  to.duration_nanos = from.duration_nanos;
  to.period_type = words(from, from.period_type);
  to.period = from.period;
  for (const StringId comment : from.comments) to.comments.emplace_back(from.text(comment));
  to.default_type = from.text(from.default_sample_type);
  to.doc_url = from.text(from.doc_url);
  to.samples = std::move(from.samples);
  to.strings = std::move(from.strings);
  return to;
}

/// Words that are not in the profile's table get their place there.
class Words {
 public:
  explicit Words(StringTable& table) : table_(table) {}
  StringId add(std::string_view text) { return text.empty() ? 0 : table_.add(text); }

 private:
  StringTable& table_;
};

pprof::Profile to_pprof(const model::Profile& from) {
  pprof::Profile to;
  to.strings = from.strings;
  Words table(to.strings);
  for (const model::ValueType& type : from.types)
    to.sample_types.push_back({table.add(type.type), table.add(type.unit)});
  for (const model::ProfileMapping& mapping : from.mappings)
    to.mappings.push_back({mapping.start, mapping.limit, mapping.file_offset,
                           table.add(mapping.file), table.add(mapping.build_id),
                           mapping.has_functions, mapping.has_filenames, mapping.has_line_numbers,
                           mapping.has_inline_frames});
  for (const model::ProfileLocation& location : from.locations)
    to.locations.push_back({location.address, location.mapping, location.first_line,
                            location.line_count, location.folded});
  for (const model::ProfileLine& line : from.lines)
    to.lines.push_back({line.function, line.line, line.column});
  for (const model::ProfileFunction& function : from.functions)
    to.functions.push_back(
        {function.name, function.system_name, function.file, function.start_line});
  std::vector<pprof::Label> labels;
  for (const Sample& sample : from.samples) {
    labels.clear();
    for (const model::ProfileLabel& label : from.labels_of(sample.labels))
      labels.push_back({label.key, label.text, label.number, label.unit});
    to.samples.add(sample.locations(), from.values_of(sample), to.label_sets.intern(labels));
  }
  to.drop_frames = table.add(from.drop_frames);
  to.keep_frames = table.add(from.keep_frames);
  to.time_nanos = from.time_nanos;
  to.duration_nanos = from.duration_nanos;
  to.period_type = {table.add(from.period_type.type), table.add(from.period_type.unit)};
  to.period = from.period;
  for (const std::string& comment : from.comments) to.comments.push_back(table.add(comment));
  to.default_sample_type = table.add(from.default_type);
  to.doc_url = table.add(from.doc_url);
  return to;
}

/// A profile, its text, or a recording, which the first bytes tell.
class ProfileIntake {
 public:
  Result<void> feed(std::string_view piece) {
    if (kind_ == Kind::profile) return reader_.feed(bytes::as_bytes(piece));
    head_ += piece;
    if (kind_ == Kind::text && head_.size() > most_text)
      return fail(ErrorCode::limit, "a profile's text of more than 1 GiB");
    return kind_ != Kind::unknown || head_.size() < head_size ? Result<void>() : begin();
  }
  Result<model::Profile> finish() {
    if (kind_ == Kind::unknown) {
      if (head_.empty()) return fail(ErrorCode::not_found, "it is empty");
      WEIR_TRY_VOID(begin());
    }
    if (kind_ == Kind::text) return profile_of_text(head_);
    if (kind_ == Kind::recording) {
      WEIR_TRY(auto recording, target::parse_recording(bytes::as_bytes(head_)));
      WEIR_TRY(const auto snapshot, decode_recording(std::move(recording), ""));
      return to_model(goroutine_profile(snapshot));
    }
    WEIR_TRY(auto profile, reader_.finish());
    return to_model(std::move(profile));
  }

 private:
  enum class Kind : std::uint8_t { unknown, profile, text, recording };
  static constexpr std::string_view recording_mark = "weir-rec";
  static constexpr std::size_t head_size = 32;  // what looks_like_profile_text() wants
  static constexpr std::size_t most_text = std::size_t{1} << 30;

  Result<void> begin() {
    kind_ = head_.starts_with(recording_mark) ? Kind::recording
            : looks_like_profile_text(head_)  ? Kind::text
                                              : Kind::profile;
    if (kind_ != Kind::profile) return {};
    const std::string head = std::move(head_);
    return reader_.feed(bytes::as_bytes(head));
  }
  pprof::ProfileReader reader_;
  std::string head_;
  Kind kind_ = Kind::unknown;
};

Result<model::Profile> read_file(const std::string& name) {
  ProfileIntake intake;
  WEIR_TRY_VOID(read_input(name, "neither a file, a URL nor a process id", piece_size,
                           [&](std::string_view piece) { return intake.feed(piece); }));
  return intake.finish();
}

Result<model::Profile> read_process(int pid, const LiveOptions& options) {
  WEIR_TRY(auto reader, LiveReader::open(pid));
  WEIR_TRY(const auto snapshot, reader.read_snapshot(options));
  return to_model(goroutine_profile(snapshot));
}

Result<model::Profile> read_any(const std::string& name, const EvidenceOptions& options,
                                int seconds) {
  const bool there = name == "-" || access(name.c_str(), F_OK) == 0;
  if (const auto pid = parse_pid(name); pid && !there) return read_process(*pid, options.live);
  if (there || !looks_like_url(name)) return read_file(name);
  ProfileIntake intake;
  HttpOptions http = options.http;
  http.timeout = Nanos{http.timeout.value + std::int64_t{seconds} * 1'000'000'000};
  WEIR_TRY_VOID(fetch(pprof_url(name, seconds), http,
                      [&](std::string_view piece) { return intake.feed(piece); }));
  return intake.finish();
}

}  // namespace

Result<model::Profile> read_profile(const std::string& name, const EvidenceOptions& options,
                                    int seconds) {
  auto profile = read_any(name, options, seconds);
  if (!profile)
    return fail(std::move(profile).error().with(name == "-" ? "standard input"
                                                            : without_credentials(name)));
  return profile;
}

Result<model::Profile> parse_profile(std::string_view bytes) {
  ProfileIntake intake;
  WEIR_TRY_VOID(intake.feed(bytes));
  return intake.finish();
}

std::string render_pprof(const model::Profile& profile) {
  return pprof::render_profile(to_pprof(profile));
}

std::string pprof_url(std::string_view word, int seconds) {
  std::string url(word);
  if (word.find("://") == std::string_view::npos) {
    url = word.starts_with(':') ? "http://localhost" : "http://";
    url += word;
  }
  const auto path = url.find('/', url.find("://") + 3);
  if (path == std::string::npos || path + 1 == url.size()) {
    if (path != std::string::npos) url.pop_back();
    url += "/debug/pprof/profile";
  } else if (url.ends_with("/debug/pprof/")) {
    url += "profile";
  } else if (url.ends_with("/debug/pprof")) {
    url += "/profile";
  }
  if (seconds > 0 && url.find("seconds=") == std::string::npos) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += fmt::format("seconds={}", seconds);
  }
  return url;
}

}  // namespace weir::ingest
