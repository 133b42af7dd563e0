#include "weir/pprof/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <protozero/pbf_reader.hpp>

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

// From the file's ids to indices. Go numbers them 1, 2, 3 …; others need not.
class Ids {
 public:
  explicit Ids(std::string_view kind) : kind_(kind) {}
  void add(std::uint64_t id) {
    if (id == 0) broken(fmt::format("a {} with id 0", kind_));
    entries_.push_back({id, static_cast<std::uint32_t>(entries_.size())});
    dense_ = dense_ && id == entries_.size();
  }
  void finish() {
    if (dense_) return;
    std::sort(entries_.begin(), entries_.end());
    const auto twin = std::adjacent_find(entries_.begin(), entries_.end(),
                                         [](const auto& a, const auto& b) { return a.id == b.id; });
    if (twin != entries_.end()) broken(fmt::format("two {}s with id {}", kind_, twin->id));
  }
  std::uint32_t to_index(std::uint64_t id) const {
    if (dense_ && id - 1 < entries_.size()) return static_cast<std::uint32_t>(id - 1);
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), Entry{id, 0});
    if (dense_ || at == entries_.end() || at->id != id) {
      broken(fmt::format("there is no {} {}", kind_, id));
    }
    return at->index;
  }
  std::uint32_t to_index_or_none(std::uint64_t id) const { return id == 0 ? none : to_index(id); }

 private:
  struct Entry {
    std::uint64_t id = 0;
    std::uint32_t index = 0;
    auto operator<=>(const Entry&) const = default;
  };
  std::string_view kind_;
  std::vector<Entry> entries_;
  bool dense_ = true;
};

class Reader {
 public:
  Reader(protozero::data_view bytes, const Limits& limits) : bytes_(bytes), limits_(limits) {}

  Profile read() {
    // Tables may stand behind what refers to them: strings and ids first, the rest after.
    index_tables();
    for (pbf_reader message(bytes_); message.next();) {
      if (message.wire_type() == pbf_wire_type::length_delimited) {
        read_message(message);
      } else if (message.wire_type() == pbf_wire_type::varint) {
        read_number(message);
      } else {
        message.skip();
      }
    }
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

  void index_tables() {
    std::size_t strings = 0;
    for (pbf_reader message(bytes_); message.next();) {
      if (message.wire_type() != pbf_wire_type::length_delimited) {
        message.skip();
        continue;
      }
      switch (message.tag()) {
        case field::profile::string:
          add_string(message.get_view(), strings++);
          break;
        case field::profile::mapping:
          mappings_.add(find_id(message.get_message()));
          break;
        case field::profile::location:
          locations_.add(find_id(message.get_message()));
          break;
        case field::profile::function:
          functions_.add(find_id(message.get_message()));
          break;
        case field::profile::sample_type:
          count(1);
          ++value_count_;
          message.skip();
          break;
        default:
          message.skip();
      }
    }
    for (Ids* ids : {&mappings_, &locations_, &functions_}) ids->finish();
  }

  void add_string(protozero::data_view text, std::size_t index) {
    count(1);
    if (index == 0 && text.size() != 0) broken("the first string is not empty");
    if (index != 0) profile_.strings.add({text.data(), text.size()});
  }

  std::uint64_t find_id(pbf_reader message) {
    count(1);
    std::uint64_t id = 0;
    while (message.next()) {
      // Field 1 of mapping, location and function alike.
      if (!take(message, field::mapping::id, id)) message.skip();
    }
    return id;
  }

  // A varint field, if it is this one.
  template <class T>
  static bool take(pbf_reader& message, std::uint32_t tag, T& value) {
    if (message.tag_and_type() != protozero::tag_and_type(tag, pbf_wire_type::varint)) return false;
    value = static_cast<T>(message.get_uint64());
    return true;
  }
  bool take_string(pbf_reader& message, std::uint32_t tag, StringId& id) const {
    std::uint64_t raw = 0;
    if (!take(message, tag, raw)) return false;
    id = to_string_id(raw);
    return true;
  }
  StringId to_string_id(std::uint64_t raw) const {
    if (raw >= profile_.strings.size()) {
      broken(fmt::format("there is no string {}", static_cast<std::int64_t>(raw)));
    }
    return static_cast<StringId>(raw);
  }

  void read_message(pbf_reader& message) {
    switch (message.tag()) {
      case field::profile::sample_type:
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

  ValueType read_value_type(pbf_reader message) const {
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
                    [this](std::uint64_t id) { stack_.push_back(locations_.to_index(id)); })) {
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
    count(1);
    if (values_.size() != value_count_) {
      broken(fmt::format("sample {} has {} values, not {}", profile_.samples.size(), values_.size(),
                         value_count_));
    }
    profile_.samples.add({stack_, values_, labels_});
  }

  Label read_label(pbf_reader message) const {
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
    Mapping mapping;
    while (message.next()) {
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
    profile_.mappings.push_back(mapping);
  }

  void read_location(pbf_reader message) {
    Location location;
    location.first_line = static_cast<std::uint32_t>(profile_.lines.size());
    std::uint64_t mapping = 0;
    while (message.next()) {
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
    location.mapping = mappings_.to_index_or_none(mapping);
    profile_.locations.push_back(location);
  }

  Line read_line(pbf_reader message) const {
    Line line;
    std::uint64_t function = 0;
    while (message.next()) {
      if (take(message, field::line::function_id, function)) continue;
      if (take(message, field::line::line, line.line)) continue;
      if (take(message, field::line::column, line.column)) continue;
      message.skip();
    }
    line.function = functions_.to_index_or_none(function);
    return line;
  }

  void read_function(pbf_reader message) {
    Function function;
    while (message.next()) {
      if (take_string(message, field::function::name, function.name)) continue;
      if (take_string(message, field::function::system_name, function.system_name)) continue;
      if (take_string(message, field::function::file, function.file)) continue;
      if (take(message, field::function::start_line, function.start_line)) continue;
      message.skip();
    }
    profile_.functions.push_back(function);
  }

  protozero::data_view bytes_;
  const Limits& limits_;
  Profile profile_;
  std::size_t elements_ = 0;
  std::size_t value_count_ = 0;
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

}  // namespace

Result<Profile> parse_profile(bytes::Bytes bytes, const Limits& limits) {
  std::string inflated;
  if (bytes::looks_gzipped(bytes)) {
    WEIR_TRY(inflated, bytes::gunzip(bytes, limits.inflated));
    bytes = bytes::as_bytes(inflated);
  }
  if (looks_like_text(bytes::as_text(bytes))) {
    return fail(ErrorCode::unsupported, "a text profile (debug=1 or debug=2), not a protobuf one");
  }
  if (bytes.empty()) return fail(ErrorCode::truncated, "an empty profile");
  const std::string_view text = bytes::as_text(bytes);
  try {
    return Reader({text.data(), text.size()}, limits).read();
  } catch (const Broken& why) {
    return fail(why.error);
  } catch (const protozero::end_of_buffer_exception&) {
    return fail(ErrorCode::truncated, "the profile's protobuf ends early");
  } catch (const protozero::exception& why) {
    return fail(ErrorCode::invalid,
                fmt::format("the profile is not valid protobuf: {}", why.what()));
  }
}

}  // namespace weir::pprof
