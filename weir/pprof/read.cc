#include "weir/pprof/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <unordered_map>

#include "weir/bytes/inflate.h"
#include "weir/pprof/fields.h"

namespace weir::pprof {

namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// Within this file a broken profile is an exception, as protozero's own are; parse_profile() turns
// all of them into Errors.
struct Broken {
  Error error;
};
[[noreturn]] void broken(std::string what) {
  throw Broken{{ErrorCode::invalid, std::move(what), {}, 0, {}}};
}

// From the file's ids to indices. Go numbers a table 1, 2, 3 …, and then an index is an id less 1;
// others need not, and refer to ids before they are told. So a reference is kept as the id less 1
// until the tables are complete; ids that do not fit there are numbered apart.
class Ids {
 public:
  explicit Ids(std::string_view kind) : kind_(kind) {}

  /// The next entry of the table.
  void add(std::uint64_t id) {
    if (id == 0) broken(fmt::format("a {} with id 0", kind_));
    entries_.push_back({id, static_cast<std::uint32_t>(entries_.size())});
    dense_ = dense_ && id == entries_.size();
  }
  /// A reference to an entry that may be still to come.
  std::uint32_t refer(std::uint64_t id) {
    if (id == 0) broken(fmt::format("there is no {} 0", kind_));
    if (id - 1 < first_apart) {
      const auto reference = static_cast<std::uint32_t>(id - 1);
      highest_ = std::max(highest_, reference + 1);
      return reference;
    }
    const auto next = static_cast<std::uint32_t>(apart_.size());
    const auto [at, added] = numbers_apart_.try_emplace(id, next);
    if (added) apart_.push_back(id);
    return first_apart + at->second;
  }
  std::uint32_t refer_or_none(std::uint64_t id) { return id == 0 ? none : refer(id); }

  /// The table is complete. True if references are indices already.
  bool finish() {
    if (dense_) {
      if (highest_ > entries_.size()) broken(fmt::format("there is no {} {}", kind_, highest_));
      if (!apart_.empty()) broken(fmt::format("there is no {} {}", kind_, apart_.front()));
      return true;
    }
    std::sort(entries_.begin(), entries_.end());
    const auto twin = std::adjacent_find(entries_.begin(), entries_.end(),
                                         [](const auto& a, const auto& b) { return a.id == b.id; });
    if (twin != entries_.end()) broken(fmt::format("two {}s with id {}", kind_, twin->id));
    return false;
  }
  std::uint32_t to_index(std::uint32_t reference) const {
    if (reference == none) return none;
    const std::uint64_t id =
        reference < first_apart ? std::uint64_t{reference} + 1 : apart_[reference - first_apart];
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), Entry{id, 0});
    if (at == entries_.end() || at->id != id) broken(fmt::format("there is no {} {}", kind_, id));
    return at->index;
  }

 private:
  static constexpr std::uint32_t first_apart = 1u << 31;
  struct Entry {
    std::uint64_t id = 0;
    std::uint32_t index = 0;
    auto operator<=>(const Entry&) const = default;
  };
  std::string_view kind_;
  std::vector<Entry> entries_;
  bool dense_ = true;
  std::uint32_t highest_ = 0;  // of the references, plus 1
  std::vector<std::uint64_t> apart_;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_apart_;
};

// The bytes of `text` up to where a field begins that is not there as a whole yet.
std::size_t complete_fields(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* complete = at;
  try {
    while (at < end) {
      const auto tag = protozero::decode_varint(&at, end);
      switch (pbf_wire_type(tag & 7u)) {
        case pbf_wire_type::varint:
          protozero::skip_varint(&at, end);
          break;
        case pbf_wire_type::fixed64:
          at = end - at < 8 ? throw protozero::end_of_buffer_exception() : at + 8;
          break;
        case pbf_wire_type::fixed32:
          at = end - at < 4 ? throw protozero::end_of_buffer_exception() : at + 4;
          break;
        case pbf_wire_type::length_delimited: {
          const auto size = protozero::decode_varint(&at, end);
          if (size > static_cast<std::uint64_t>(end - at)) return complete - text.data();
          at += size;
          break;
        }
        default:
          throw protozero::unknown_pbf_wire_type_exception();
      }
      complete = at;
    }
  } catch (const protozero::end_of_buffer_exception&) {
    // The next field goes on in the next piece.
  }
  return static_cast<std::size_t>(complete - text.data());
}

// Messages come in any order, and what they refer to may stand behind them.
class Reader {
 public:
  explicit Reader(const Limits& limits) : limits_(limits) {}

  /// A number of whole fields of the profile.
  void read(std::string_view fields) {
    for (pbf_reader message(fields.data(), fields.size()); message.next();) {
      if (message.wire_type() == pbf_wire_type::length_delimited) {
        read_message(message);
      } else if (message.wire_type() == pbf_wire_type::varint) {
        read_number(message);
      } else {
        message.skip();
      }
    }
  }

  Profile finish() {
    if (highest_string_ >= profile_.strings.size())
      broken(fmt::format("there is no string {}", highest_string_));
    if (!profile_.samples.empty() && value_count_ != profile_.sample_types.size())
      broken(fmt::format("sample 0 has {} values, not {}", value_count_,
                         profile_.sample_types.size()));
    resolve_references();
    profile_.label_sets.finish();
    return std::move(profile_);
  }

 private:
  void count(std::size_t n) {
    if (n > limits_.elements - elements_) {
      throw Broken{{ErrorCode::limit,
                    fmt::format("the profile has more than {} elements", limits_.elements),
                    {},
                    0,
                    {}}};
    }
    elements_ += n;
  }

  void resolve_references() {
    if (!locations_.finish()) {
      for (Sample& sample : profile_.samples)
        for (std::uint32_t& location : sample.locations()) location = locations_.to_index(location);
    }
    if (!functions_.finish()) {
      for (Line& line : profile_.lines) line.function = functions_.to_index(line.function);
    }
    if (!mappings_.finish()) {
      for (Location& location : profile_.locations)
        location.mapping = mappings_.to_index(location.mapping);
    }
  }

  void add_string(protozero::data_view text) {
    count(1);
    if (strings_++ != 0) {
      profile_.strings.add({text.data(), text.size()});
    } else if (text.size() != 0) {
      broken("the first string is not empty");
    }
  }

  // A varint field, if it is this one.
  template <class T>
  static bool take(pbf_reader& message, std::uint32_t tag, T& value) {
    if (message.tag_and_type() != protozero::tag_and_type(tag, pbf_wire_type::varint)) return false;
    value = static_cast<T>(message.get_uint64());
    return true;
  }
  bool take_string(pbf_reader& message, std::uint32_t tag, StringId& id) {
    std::uint64_t raw = 0;
    if (!take(message, tag, raw)) return false;
    id = to_string_id(raw);
    return true;
  }
  StringId to_string_id(std::uint64_t raw) {
    if (raw > std::numeric_limits<StringId>::max())
      broken(fmt::format("there is no string {}", static_cast<std::int64_t>(raw)));
    highest_string_ = std::max(highest_string_, raw);
    return static_cast<StringId>(raw);
  }

  void read_message(pbf_reader& message) {
    switch (message.tag()) {
      case field::profile::sample_type:
        count(1);
        profile_.sample_types.push_back(read_value_type(message.get_message()));
        break;
      case field::profile::period_type:
        profile_.period_type = read_value_type(message.get_message());
        break;
      case field::profile::sample:
        read_sample(message.get_message());
        break;
      case field::profile::mapping:
        read_mapping(message.get_message());
        break;
      case field::profile::location:
        read_location(message.get_message());
        break;
      case field::profile::function:
        read_function(message.get_message());
        break;
      case field::profile::string:
        add_string(message.get_view());
        break;
      case field::profile::comment:
        for (const std::int64_t id : message.get_packed_int64()) add_comment(id);
        break;
      default:
        message.skip();
    }
  }

  void add_comment(std::int64_t id) {
    count(1);
    profile_.comments.push_back(to_string_id(static_cast<std::uint64_t>(id)));
  }

  void read_number(pbf_reader& message) {
    const auto tag = message.tag();
    const std::uint64_t value = message.get_uint64();
    switch (tag) {
      case field::profile::drop_frames:
        profile_.drop_frames = to_string_id(value);
        break;
      case field::profile::keep_frames:
        profile_.keep_frames = to_string_id(value);
        break;
      case field::profile::time_nanos:
        profile_.time_nanos = static_cast<std::int64_t>(value);
        break;
      case field::profile::duration_nanos:
        profile_.duration_nanos = static_cast<std::int64_t>(value);
        break;
      case field::profile::period:
        profile_.period = static_cast<std::int64_t>(value);
        break;
      case field::profile::comment:
        add_comment(static_cast<std::int64_t>(value));
        break;
      case field::profile::default_sample_type:
        profile_.default_sample_type = to_string_id(value);
        break;
      case field::profile::doc_url:
        profile_.doc_url = to_string_id(value);
        break;
      default:
        break;
    }
  }

  ValueType read_value_type(pbf_reader message) {
    ValueType type;
    while (message.next()) {
      if (take_string(message, field::value_type::type, type.type)) continue;
      if (take_string(message, field::value_type::unit, type.unit)) continue;
      message.skip();
    }
    return type;
  }

  // A repeated number, packed or not.
  template <class Add>
  bool take_list(pbf_reader& message, std::uint32_t tag, const Add& add) {
    std::uint64_t value = 0;
    if (take(message, tag, value)) {
      add(value);
      return true;
    }
    if (message.tag_and_type() != protozero::tag_and_type(tag, pbf_wire_type::length_delimited)) {
      return false;
    }
    for (const std::uint64_t element : message.get_packed_uint64()) add(element);
    return true;
  }

  void read_sample(pbf_reader message) {
    stack_.clear();
    values_.clear();
    labels_.clear();
    while (message.next()) {
      if (take_list(message, field::sample::location_id,
                    [this](std::uint64_t id) { stack_.push_back(locations_.refer(id)); })) {
        continue;
      }
      if (take_list(message, field::sample::value, [this](std::uint64_t value) {
            count(1);
            values_.push_back(static_cast<std::int64_t>(value));
          })) {
        continue;
      }
      if (message.tag_and_type() ==
          protozero::tag_and_type(field::sample::label, pbf_wire_type::length_delimited)) {
        count(1);
        labels_.push_back(read_label(message.get_message()));
        continue;
      }
      message.skip();
    }
    count(1 + stack_.size());
    if (profile_.samples.empty()) value_count_ = values_.size();
    if (values_.size() != value_count_) {
      broken(fmt::format("sample {} has {} values, not {}", profile_.samples.size(), values_.size(),
                         value_count_));
    }
    profile_.samples.add(stack_, values_, profile_.label_sets.intern(labels_));
  }

  Label read_label(pbf_reader message) {
    Label label;
    while (message.next()) {
      if (take_string(message, field::label::key, label.key)) continue;
      if (take_string(message, field::label::text, label.text)) continue;
      if (take(message, field::label::number, label.number)) continue;
      if (take_string(message, field::label::unit, label.unit)) continue;
      message.skip();
    }
    return label;
  }

  void read_mapping(pbf_reader message) {
    count(1);
    Mapping mapping;
    std::uint64_t id = 0;
    while (message.next()) {
      if (take(message, field::mapping::id, id)) continue;
      if (take(message, field::mapping::start, mapping.start)) continue;
      if (take(message, field::mapping::limit, mapping.limit)) continue;
      if (take(message, field::mapping::file_offset, mapping.file_offset)) continue;
      if (take_string(message, field::mapping::file, mapping.file)) continue;
      if (take_string(message, field::mapping::build_id, mapping.build_id)) continue;
      if (take(message, field::mapping::has_functions, mapping.has_functions)) continue;
      if (take(message, field::mapping::has_filenames, mapping.has_filenames)) continue;
      if (take(message, field::mapping::has_line_numbers, mapping.has_line_numbers)) continue;
      if (take(message, field::mapping::has_inline_frames, mapping.has_inline_frames)) continue;
      message.skip();
    }
    mappings_.add(id);
    profile_.mappings.push_back(mapping);
  }

  void read_location(pbf_reader message) {
    count(1);
    Location location;
    std::uint64_t id = 0;
    location.first_line = static_cast<std::uint32_t>(profile_.lines.size());
    std::uint64_t mapping = 0;
    while (message.next()) {
      if (take(message, field::location::id, id)) continue;
      if (take(message, field::location::mapping_id, mapping)) continue;
      if (take(message, field::location::address, location.address)) continue;
      if (take(message, field::location::is_folded, location.folded)) continue;
      if (message.tag_and_type() ==
          protozero::tag_and_type(field::location::line, pbf_wire_type::length_delimited)) {
        count(1);
        profile_.lines.push_back(read_line(message.get_message()));
        ++location.line_count;
        continue;
      }
      message.skip();
    }
    location.mapping = mappings_.refer_or_none(mapping);
    locations_.add(id);
    profile_.locations.push_back(location);
  }

  Line read_line(pbf_reader message) {
    Line line;
    std::uint64_t function = 0;
    while (message.next()) {
      if (take(message, field::line::function_id, function)) continue;
      if (take(message, field::line::line, line.line)) continue;
      if (take(message, field::line::column, line.column)) continue;
      message.skip();
    }
    line.function = functions_.refer_or_none(function);
    return line;
  }

  void read_function(pbf_reader message) {
    count(1);
    Function function;
    std::uint64_t id = 0;
    while (message.next()) {
      if (take(message, field::function::id, id)) continue;
      if (take_string(message, field::function::name, function.name)) continue;
      if (take_string(message, field::function::system_name, function.system_name)) continue;
      if (take_string(message, field::function::file, function.file)) continue;
      if (take(message, field::function::start_line, function.start_line)) continue;
      message.skip();
    }
    functions_.add(id);
    profile_.functions.push_back(function);
  }

  Limits limits_;
  Profile profile_;
  std::size_t elements_ = 0;
  std::size_t strings_ = 0;
  std::uint64_t highest_string_ = 0;  // that something refers to
  std::size_t value_count_ = 0;       // of every sample
  Ids mappings_{"mapping"}, locations_{"location"}, functions_{"function"};
  // Of the sample being read; kept for their memory.
  std::vector<std::uint32_t> stack_;
  std::vector<std::int64_t> values_;
  std::vector<Label> labels_;
};

// "goroutine profile: total 7", "heap profile: …", "--- contention:".
bool looks_like_text(std::string_view text) {
  for (const std::string_view start :
       {"goroutine profile:", "goroutineleak profile:", "threadcreate profile:", "heap profile:",
        "--- ", "goroutine "}) {
    if (text.starts_with(start)) return true;
  }
  return false;
}

/// Of something that has no byte of a protobuf's lengths and tags in its first ones; empty for what
/// may be a profile.
constexpr std::size_t most_shown = 60, least_text = 8;
std::string_view first_line_of_text(std::string_view head) {
  if (head.size() < least_text) return {};
  for (const char c : head)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') return {};
  const auto begin = head.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  head.remove_prefix(begin);
  return head.substr(0, std::min(head.find_first_of("\r\n"), most_shown));
}

}  // namespace

/// Unpacks, and cuts what it gets between two fields.
struct ProfileReader::State {
  Limits limits;
  Reader reader;
  std::string kept;  ///< the beginning of a field, or of the file
  bool started = false;
  std::optional<bytes::Gunzip> gunzip;

  explicit State(const Limits& bounds) : limits(bounds), reader(bounds) {}

  template <class Read>
  static auto guarded(const Read& read) -> decltype(read()) {
    try {
      return read();
    } catch (const Broken& why) {
      return fail(why.error);
    } catch (const protozero::end_of_buffer_exception&) {
      return fail(ErrorCode::truncated, "the profile's protobuf ends early");
    } catch (const protozero::exception& why) {
      return fail(ErrorCode::invalid,
                  fmt::format("the profile is not valid protobuf: {}", why.what()));
    }
  }

  /// Unpacked bytes.
  Result<void> take(bytes::Bytes piece) {
    kept += bytes::as_text(piece);
    if (!started && kept.size() < head_size) return {};
    if (!started) WEIR_TRY_VOID(start());
    return guarded([this]() -> Result<void> {
      const std::size_t complete = complete_fields(kept);
      reader.read(std::string_view(kept).substr(0, complete));
      kept.erase(0, complete);
      return {};
    });
  }

  Result<void> start() {
    started = true;
    if (looks_like_text(kept))
      return fail(ErrorCode::unsupported,
                  "a text profile (debug=1 or debug=2), not a protobuf one");
    // A login page behind a URL, a log: whoever named it knows it by its beginning.
    if (const std::string_view line = first_line_of_text(kept); !line.empty())
      return fail(ErrorCode::invalid,
                  fmt::format("this is text, not a profile: it begins with \"{}\"", line));
    return {};
  }

  Result<Profile> finish() {
    if (gunzip) WEIR_TRY_VOID(gunzip->finish());
    if (!started && kept.empty()) return fail(ErrorCode::truncated, "an empty profile");
    if (!started) WEIR_TRY_VOID(start());
    return guarded([this]() -> Result<Profile> {
      reader.read(kept);
      return reader.finish();
    });
  }

  static constexpr std::size_t head_size = 32;  // what looks_like_text() wants to see
};

ProfileReader::ProfileReader(const Limits& limits) : state_(std::make_unique<State>(limits)) {}
ProfileReader::ProfileReader(ProfileReader&&) noexcept = default;
ProfileReader::~ProfileReader() = default;

Result<void> ProfileReader::feed(bytes::Bytes piece) {
  State& state = *state_;
  if (!state.gunzip && !state.started && state.kept.empty() && bytes::looks_gzipped(piece))
    state.gunzip.emplace(state.limits.inflated);
  if (!state.gunzip) return state.take(piece);
  return state.gunzip->feed(piece, [&state](bytes::Bytes part) { return state.take(part); });
}

Result<Profile> ProfileReader::finish() {
  return state_->finish();
}

Result<Profile> parse_profile(bytes::Bytes bytes, const Limits& limits) {
  constexpr std::size_t piece = std::size_t{256} << 10;
  ProfileReader reader(limits);
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    WEIR_TRY_VOID(reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at))));
  return reader.finish();
}

}  // namespace weir::pprof
