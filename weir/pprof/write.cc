#include "weir/pprof/write.h"

#include <protozero/pbf_writer.hpp>

#include "weir/bytes/inflate.h"
#include "weir/pprof/fields.h"

namespace weir::pprof {

namespace {

using protozero::pbf_writer;

// proto3 leaves zeros out.
void put_number(pbf_writer& out, std::uint32_t field, std::int64_t value) {
  if (value != 0) out.add_int64(field, value);
}
void put_unsigned(pbf_writer& out, std::uint32_t field, std::uint64_t value) {
  if (value != 0) out.add_uint64(field, value);
}
void put_flag(pbf_writer& out, std::uint32_t field, bool value) {
  if (value) out.add_bool(field, true);
}
std::uint64_t to_id(std::uint32_t index) {
  return index == none ? 0 : std::uint64_t{index} + 1;
}

// pbf_writer's own nested messages vanish when they are empty; here an empty one counts too.
template <class Fill>
void put_message(pbf_writer& out, std::uint32_t field, const Fill& fill) {
  std::string content;
  pbf_writer message(content);
  fill(message);
  out.add_message(field, content);
}

void put_value_type(pbf_writer& out, std::uint32_t field, const ValueType& type) {
  put_message(out, field, [&](pbf_writer& message) {
    put_number(message, field::value_type::type, type.type);
    put_number(message, field::value_type::unit, type.unit);
  });
}

void put_label(pbf_writer& out, const Label& label) {
  put_message(out, field::sample::label, [&](pbf_writer& message) {
    put_number(message, field::label::key, label.key);
    put_number(message, field::label::text, label.text);
    put_number(message, field::label::number, label.number);
    put_number(message, field::label::unit, label.unit);
  });
}

void put_sample(pbf_writer& out, const SampleView& sample) {
  put_message(out, field::profile::sample, [&](pbf_writer& message) {
    if (!sample.locations.empty()) {
      protozero::packed_field_uint64 ids(message, field::sample::location_id);
      for (const std::uint32_t location : sample.locations) ids.add_element(to_id(location));
    }
    if (!sample.values.empty()) {
      message.add_packed_int64(field::sample::value, sample.values.begin(), sample.values.end());
    }
    for (const Label& label : sample.labels) put_label(message, label);
  });
}

void put_mapping(pbf_writer& out, const Mapping& mapping, std::uint64_t id) {
  pbf_writer message(out, field::profile::mapping);
  put_unsigned(message, field::mapping::id, id);
  put_unsigned(message, field::mapping::start, mapping.start);
  put_unsigned(message, field::mapping::limit, mapping.limit);
  put_unsigned(message, field::mapping::file_offset, mapping.file_offset);
  put_number(message, field::mapping::file, mapping.file);
  put_number(message, field::mapping::build_id, mapping.build_id);
  put_flag(message, field::mapping::has_functions, mapping.has_functions);
  put_flag(message, field::mapping::has_filenames, mapping.has_filenames);
  put_flag(message, field::mapping::has_line_numbers, mapping.has_line_numbers);
  put_flag(message, field::mapping::has_inline_frames, mapping.has_inline_frames);
}

void put_location(pbf_writer& out, const Profile& profile, const Location& location,
                  std::uint64_t id) {
  pbf_writer message(out, field::profile::location);
  put_unsigned(message, field::location::id, id);
  put_unsigned(message, field::location::mapping_id, to_id(location.mapping));
  put_unsigned(message, field::location::address, location.address);
  for (const Line& line : profile.lines_of(location)) {
    put_message(message, field::location::line, [&](pbf_writer& inner) {
      put_unsigned(inner, field::line::function_id, to_id(line.function));
      put_number(inner, field::line::line, line.line);
      put_number(inner, field::line::column, line.column);
    });
  }
  put_flag(message, field::location::is_folded, location.folded);
}

void put_function(pbf_writer& out, const Function& function, std::uint64_t id) {
  pbf_writer message(out, field::profile::function);
  put_unsigned(message, field::function::id, id);
  put_number(message, field::function::name, function.name);
  put_number(message, field::function::system_name, function.system_name);
  put_number(message, field::function::file, function.file);
  put_number(message, field::function::start_line, function.start_line);
}

}  // namespace

std::string render_protobuf(const Profile& profile) {
  std::string bytes;
  pbf_writer out(bytes);
  for (const ValueType& type : profile.sample_types) {
    put_value_type(out, field::profile::sample_type, type);
  }
  for (std::size_t i = 0; i < profile.samples.size(); ++i) put_sample(out, profile.sample(i));
  std::uint64_t id = 0;
  for (const Mapping& mapping : profile.mappings) put_mapping(out, mapping, ++id);
  id = 0;
  for (const Location& location : profile.locations) put_location(out, profile, location, ++id);
  id = 0;
  for (const Function& function : profile.functions) put_function(out, function, ++id);
  for (StringId i = 0; i < profile.strings.size(); ++i) {
    const std::string_view text = profile.strings[i];
    out.add_string(field::profile::string, text.data(), text.size());
  }
  put_number(out, field::profile::drop_frames, profile.drop_frames);
  put_number(out, field::profile::keep_frames, profile.keep_frames);
  put_number(out, field::profile::time_nanos, profile.time_nanos);
  put_number(out, field::profile::duration_nanos, profile.duration_nanos);
  if (profile.period_type != ValueType{}) {
    put_value_type(out, field::profile::period_type, profile.period_type);
  }
  put_number(out, field::profile::period, profile.period);
  for (const StringId comment : profile.comments) {
    out.add_int64(field::profile::comment, comment);
  }
  put_number(out, field::profile::default_sample_type, profile.default_sample_type);
  put_number(out, field::profile::doc_url, profile.doc_url);
  return bytes;
}

std::string render_profile(const Profile& profile) {
  return bytes::gzip(render_protobuf(profile));
}

}  // namespace weir::pprof
