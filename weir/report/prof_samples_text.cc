// -traces, -tags and -raw of `weir prof`.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "weir/model/call_graph.h"
#include "weir/model/units.h"
#include "weir/report/prof_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::Profile;
using model::ProfileLabel;

namespace {

using Labels = std::span<const ProfileLabel>;
/// Values by key, sorted by key; text and numbers apart.
struct LabelMap {
  std::map<std::string, std::vector<std::string>> text;
  std::map<std::string, std::vector<const ProfileLabel*>> numbers;

  LabelMap(const Profile& profile, Labels labels) {
    for (const ProfileLabel& label : labels) {
      const std::string key(profile.text(label.key));
      if (label.text != 0) {
        text[key].emplace_back(profile.text(label.text));
      } else {
        numbers[key].push_back(&label);
      }
    }
  }
};

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

/// Profile.NumLabelUnits.
std::map<std::string, std::string> label_units(const Profile& profile) {
  std::map<std::string, std::string> units;
  for (const ProfileLabel& label : profile.labels) {
    if (label.text != 0) continue;
    std::string& unit = units[std::string(profile.text(label.key))];
    if (unit.empty()) unit = profile.text(label.unit);
  }
  for (auto& [key, unit] : units)
    if (unit.empty()) unit = key == "request" || key == "alignment" ? "bytes" : key;
  return units;
}

/// One frame a line, of every location.
class FrameNames {
 public:
  explicit FrameNames(const Profile& profile)
      : profile_(profile), known_(profile.locations.size()) {}
  const std::vector<std::string>& of(std::uint32_t location) {
    std::vector<std::string>& names = known_[location];
    if (!names.empty()) return names;
    const model::ProfileLocation& place = profile_.locations[location];
    for (const model::ProfileLine& line : profile_.lines_of(place))
      names.push_back(name_of(place, &line));
    if (names.empty()) names.push_back(name_of(place, nullptr));
    return names;
  }

 private:
  std::string name_of(const model::ProfileLocation& place, const model::ProfileLine* line) const {
    model::CallNodeName name;
    name.address = place.address;
    if (line != nullptr && line->function != model::no_index) {
      name.function = profile_.name_of(*line);
      name.file = profile_.file_of(*line);
      name.line = line->line;
      name.column = line->column;
    }
    if (name.function.empty() && place.mapping != model::no_index)
      name.object = profile_.mappings[place.mapping].file;
    return printable(name.text());
  }
  const Profile& profile_;
  std::vector<std::vector<std::string>> known_;
};

/// A table as Go's text/tabwriter aligns it to the right; each row is cells and a rest.
struct TagRow {
  std::vector<std::string> cells;
  std::string rest;
};

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void append_table(std::string& out, const std::vector<TagRow>& rows) {
  std::size_t first = 0, second = 0;
  for (const TagRow& row : rows) {
    first = std::max(first, width_of(row.cells[0]) + 1);
    if (row.cells.size() > 1) second = std::max(second, width_of(row.cells[1]) + 1);
  }
  for (const TagRow& row : rows) {
    out.append(first - width_of(row.cells[0]), ' ') += row.cells[0];
    if (row.cells.size() > 1) out.append(second - width_of(row.cells[1]), ' ') += row.cells[1];
    (out += row.rest) += '\n';
  }
  out += '\n';
}

struct TagCount {
  std::string name;
  std::int64_t value = 0;
};

bool heavier(const TagCount& a, const TagCount& b) {
  const std::int64_t left = model::magnitude(a.value), right = model::magnitude(b.value);
  return left != right ? left > right : a.name < b.name;
}

std::string raw_labels(const Profile& profile, Labels labels) {
  const LabelMap map(profile, labels);
  const auto line = [](std::vector<std::string> parts) {
    std::sort(parts.begin(), parts.end());
    return parts.empty() ? std::string() : "                " + joined(parts, " ") + "\n";
  };
  std::vector<std::string> text, numbers;
  for (const auto& [key, values] : map.text)
    text.push_back(fmt::format("{}:[{}]", printable(key), printable(joined(values, " "))));
  for (const auto& [key, values] : map.numbers) {
    const bool units = std::any_of(values.begin(), values.end(),
                                   [](const ProfileLabel* label) { return label->unit != 0; });
    std::vector<std::string> words;
    for (const ProfileLabel* label : values)
      words.push_back(units ? fmt::format("{} {}", label->number, profile.text(label->unit))
                            : fmt::format("{}", label->number));
    numbers.push_back(fmt::format("{}:[{}]", printable(key), printable(joined(words, " "))));
  }
  return line(std::move(text)) + line(std::move(numbers));
}

std::string raw_location(const Profile& profile, std::size_t index) {
  const model::ProfileLocation& location = profile.locations[index];
  std::string head = fmt::format("{:>6}: {:#x} ", index + 1, location.address);
  if (location.mapping != model::no_index) head += fmt::format("M={} ", location.mapping + 1);
  if (location.folded) head += "[F] ";
  std::string out;
  for (const model::ProfileLine& line : profile.lines_of(location)) {
    out += head;
    if (line.function == model::no_index) {
      out += "??\n";
    } else {
      const model::ProfileFunction& function = profile.functions[line.function];
      const std::string_view name = profile.text(function.name);
      const std::string_view system = profile.text(function.system_name);
      out +=
          fmt::format("{} {}:{}:{} s={}", printable(name), printable(profile.text(function.file)),
                      line.line, line.column, function.start_line);
      if (name != system) out += fmt::format("({})", printable(system));
      out += '\n';
    }
    head = "             ";
  }
  return out.empty() ? head + "\n" : out;
}

std::string raw_mapping(const model::ProfileMapping& mapping, std::size_t index) {
  std::string bits;
  if (mapping.has_functions) bits += "[FN]";
  if (mapping.has_filenames) bits += "[FL]";
  if (mapping.has_line_numbers) bits += "[LN]";
  if (mapping.has_inline_frames) bits += "[IN]";
  return fmt::format("{}: {:#x}/{:#x}/{:#x} {} {} {}\n", index + 1, mapping.start, mapping.limit,
                     mapping.file_offset, printable(mapping.file), printable(mapping.build_id),
                     bits);
}

/// time.Time's String: "2006-01-02 15:04:05.999999999 -0700 MST".
std::string go_time(std::int64_t nanos) {
  const std::time_t seconds = static_cast<std::time_t>(nanos / 1'000'000'000);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return "unknown";
  char text[64];
  std::string out(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts));
  if (nanos % 1'000'000'000 != 0) {
    std::string digits = fmt::format("{:09}", model::magnitude(nanos % 1'000'000'000));
    digits.erase(digits.find_last_not_of('0') + 1);
    out += "." + digits;
  }
  return out.append(text, std::strftime(text, sizeof text, " %z %Z", &parts));
}

std::string raw_header(const Profile& profile) {
  std::string out;
  for (const std::string& comment : profile.comments)
    out += fmt::format("Comment: {}\n", printable(comment));
  if (!profile.doc_url.empty()) out += fmt::format("Doc: {}\n", printable(profile.doc_url));
  if (profile.period_type != model::ValueType{})
    out += fmt::format("PeriodType: {} {}\n", printable(profile.period_type.type),
                       printable(profile.period_type.unit));
  out += fmt::format("Period: {}\n", profile.period);
  if (profile.time_nanos != 0) out += fmt::format("Time: {}\n", go_time(profile.time_nanos));
  if (profile.duration_nanos != 0)  // pprof's %.4v cuts it to 4 letters
    out += fmt::format("Duration: {}\n", go_duration(profile.duration_nanos).substr(0, 4));
  out += "Samples:\n";
  std::vector<std::string> types;
  for (const model::ValueType& type : profile.types)
    types.push_back(fmt::format("{}/{}{}", type.type, type.unit,
                                type.type == profile.default_type ? "[dflt]" : ""));
  return out + printable(joined(types, " ")) + "\n";
}

}  // namespace

void print_prof_traces(const Profile& profile, model::ValueChoice choice, std::int64_t total,
                       const ProfOptions& options, const Print& print) {
  constexpr std::string_view separator =
      "-----------+-------------------------------------------------------\n";
  const model::ValueType& type = profile.types[choice.index];
  const ValueWords words(type.unit, options);
  for (const std::string& line :
       heading_lines(profile, {(choice.mean ? "mean_" : "") + type.type, type.unit, total}, words))
    print(line + "\n");
  const auto units = label_units(profile);
  FrameNames names(profile);
  std::string out;
  for (const Sample& sample : profile.samples) {
    if (sample.depth == 0) continue;
    out = separator;
    const LabelMap labels(profile, profile.labels_of(sample.labels));
    std::vector<std::string> lines, numbers;
    for (const auto& [key, values] : labels.text)
      lines.push_back(fmt::format("{:>10}:  {}\n", printable(key), printable(joined(values, " "))));
    for (const auto& [key, values] : labels.numbers) {
      std::vector<std::string> scaled;
      for (const ProfileLabel* label : values)
        scaled.push_back(model::scaled_label(label->number, units.at(key), "auto"));
      numbers.push_back(fmt::format("{:>10}:  {}\n", printable(key), joined(scaled, " ")));
    }
    for (auto* list : {&lines, &numbers}) {
      std::sort(list->begin(), list->end());
      for (const std::string& line : *list) out += line;
    }
    std::string value = words(model::mean_of(choice.of(sample), choice.divisor(sample)));
    for (const std::uint32_t location : sample.locations()) {
      const auto& frames = names.of(location);
      for (std::size_t i = 0; i < frames.size(); ++i) {
        out += fmt::format("{:>10}   {}{}\n", value, frames[i],
                           i + 1 != frames.size() ? " (inline)" : "");
        value.clear();
      }
    }
    print(out);
  }
  print(separator);
}

std::string render_prof_tags(const Profile& profile, model::ValueChoice choice, std::int64_t total,
                             const ProfOptions& options) {
  const ValueWords words(profile.types[choice.index].unit, options);
  std::vector<std::int64_t> by_set(profile.label_sets());
  std::vector<bool> used(profile.label_sets());
  for (const Sample& sample : profile.samples) {
    by_set[sample.labels] = model::wrapping_add(by_set[sample.labels], choice.of(sample));
    used[sample.labels] = true;
  }
  const auto units = label_units(profile);
  std::map<std::string, std::map<std::string, std::int64_t>> tags;
  for (std::uint32_t set = 0; set < by_set.size(); ++set) {
    if (!used[set]) continue;
    for (const ProfileLabel& label : profile.labels_of(set)) {
      const std::string key(profile.text(label.key));
      std::int64_t& sum =
          tags[key]
              [label.text != 0 ? std::string(profile.text(label.text))
                               : model::scaled_label(label.number, units.at(key), options.unit)];
      sum = model::wrapping_add(sum, by_set[set]);
    }
  }
  std::string out;
  for (const auto& [key, values] : tags) {
    std::int64_t sum = 0;
    std::vector<TagCount> counts;
    for (const auto& [name, value] : values) {
      counts.push_back({name, value});
      sum = model::wrapping_add(sum, value);
    }
    std::sort(counts.begin(), counts.end(), heavier);
    const auto share = [&](std::int64_t value) {
      return total > 0 ? fmt::format(" ({})", model::percentage(value, total)) : "";
    };
    std::vector<TagRow> rows{
        {{printable(key) + ":"},
         fmt::format(" Total {} of {}{}", words(sum), words(total), share(sum))}};
    for (const TagCount& count : counts)
      rows.push_back({{" ", fmt::format("{}{}:", words(count.value), share(count.value))},
                      " " + printable(count.name)});
    append_table(out, rows);
  }
  return out;
}

void print_prof_raw(const Profile& profile, const Print& print) {
  print(raw_header(profile));
  std::string out;
  for (const Sample& sample : profile.samples) {
    out.clear();
    for (const std::int64_t value : profile.values_of(sample)) out += fmt::format(" {:>10}", value);
    out += ": ";
    for (const std::uint32_t location : sample.locations()) out += fmt::format("{} ", location + 1);
    out += '\n';
    out += raw_labels(profile, profile.labels_of(sample.labels));
    print(out);
  }
  print("Locations\n");
  for (std::size_t i = 0; i < profile.locations.size(); ++i) print(raw_location(profile, i));
  print("Mappings\n");
  for (std::size_t i = 0; i < profile.mappings.size(); ++i)
    print(raw_mapping(profile.mappings[i], i));
}

}  // namespace weir::report
