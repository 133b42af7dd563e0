#include "weir/report/trace_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "weir/model/goname.h"
#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"
#include "weir/report/trace_text.h"

namespace weir::report {

using model::TraceHeat;
using model::TraceKind;
using model::TraceLane;
using model::TraceSection;
using model::TraceSpell;

namespace {

constexpr std::string_view page_style =
#include "weir/report/page_style.inc"
    ;
constexpr std::string_view page_head =
#include "weir/report/trace_html.inc"
    ;
constexpr std::string_view page_script =
#include "weir/report/trace_script.inc"
    ;

/// The four ways of waiting for a P are one.
std::string_view name_of(TraceKind kind) {
  return is_scheduling(kind) ? "scheduling" : to_string(kind);
}

/// Texts that are written once and then meant by their number.
class Numbered {
 public:
  std::uint64_t number_of(const std::string& text) {
    const auto [known, is_new] = numbers_.emplace(text, all_.size());
    if (is_new) all_.push_back(text);
    return known->second;
  }
  void write(JsonWriter& json, const char* name) const {
    json.key(name);
    json.begin_array();
    for (const std::string& text : all_) json.value(text);
    json.end_array();
  }

 private:
  std::vector<std::string> all_;
  std::unordered_map<std::string, std::uint64_t> numbers_;
};

void write_heat(JsonWriter& json, const TraceHeat& heat) {
  json.key("heat");
  json.begin_object();
  json.member("begin", heat.begin.value);
  json.member("width", heat.column_width.value);
  json.key("cells");
  json.begin_array();
  for (std::size_t column = 0; column < heat.columns.size(); ++column)
    for (std::size_t row = 0; row < TraceHeat::rows; ++row) {
      if (heat.columns[column][row] == 0) continue;
      json.begin_array();
      for (const std::uint64_t number :
           {std::uint64_t{column}, std::uint64_t{row}, heat.columns[column][row]})
        json.value(number);
      json.end_array();
    }
  json.end_array();
  json.end_object();
}

void write_kind(JsonWriter& json, const TraceSection& section, const TraceHeat& heat) {
  const model::Distribution& waits = section.waits;
  json.begin_object();
  json.member("name", name_of(section.kind));
  json.member("count", waits.count);
  json.member("total", waits.total.value);
  json.member("p50", waits.percentile(0.5).value);
  json.member("p99", waits.percentile(0.99).value);
  json.member("max", waits.longest.value);
  json.member("goroutine", waits.longest_goroutine);
  json.member("at", waits.longest_at);
  write_heat(json, heat);
  json.end_object();
}

class Lanes {
 public:
  Lanes(JsonWriter& json, const model::TraceNames& names) : json_(json), names_(names) {}

  void write(const std::vector<TraceLane>& lanes) {
    json_.key("lanes");
    json_.begin_array();
    for (const TraceLane& lane : lanes) write_lane(lane);
    json_.end_array();
    states_.write(json_, "states");
    places_.write(json_, "places");
  }

 private:
  template <class Get>
  void column(const char* name, const TraceLane& lane, Get get) {
    json_.key(name);
    json_.begin_array();
    for (const TraceSpell& spell : lane.spells) json_.value(get(spell));
    json_.end_array();
  }

  std::uint64_t state_of(TraceKind kind) { return states_.number_of(std::string(name_of(kind))); }

  /// Where the innermost function of the user's is, else of all: "main.work main.go:12".
  std::string place_of(std::uint32_t stack) const {
    const auto frames = names_.stack(stack);
    if (frames.empty()) return {};
    const auto user = std::ranges::find_if(frames, [this](std::uint32_t frame) {
      return model::is_user_function(names_.function(frame));
    });
    const std::uint32_t frame = user == frames.end() ? frames.front() : *user;
    return fmt::format("{} {}:{}", model::name_in_traceback(names_.function(frame)),
                       names_.file(frame), names_.frames[frame].line);
  }

  void write_lane(const TraceLane& lane) {
    const auto frames = names_.stack(lane.start_stack);
    json_.begin_object();
    json_.member("goroutine", lane.goroutine);
    json_.member("name", frames.empty() ? std::string()
                                        : model::name_in_traceback(names_.function(frames.back())));
    column("state", lane, [this](const TraceSpell& spell) { return state_of(spell.kind); });
    column("begin", lane, [](const TraceSpell& spell) { return spell.begin; });
    column("nanos", lane, [](const TraceSpell& spell) { return spell.end - spell.begin; });
    column("count", lane, [](const TraceSpell& spell) { return spell.intervals; });
    column("waker", lane, [](const TraceSpell& spell) { return spell.waker; });
    column("open", lane, [](const TraceSpell& spell) { return std::uint64_t{spell.open}; });
    column("place", lane, [this](const TraceSpell& spell) {
      return places_.number_of(spell.intervals > 1 ? std::string() : place_of(spell.stack));
    });
    write_parts(lane);
    json_.end_object();
  }

  /// Of merged spells alone, by their number.
  void write_parts(const TraceLane& lane) {
    json_.key("parts");
    json_.begin_object();
    for (std::size_t i = 0; i < lane.spells.size(); ++i) {
      if (lane.spells[i].parts.empty()) continue;
      json_.key(std::to_string(i));
      json_.begin_array();
      for (const auto& [kind, nanos] : lane.spells[i].parts) {
        json_.begin_array();
        json_.value(state_of(kind));
        json_.value(nanos);
        json_.end_array();
      }
      json_.end_array();
    }
    json_.end_object();
  }

  JsonWriter& json_;
  const model::TraceNames& names_;
  Numbered states_, places_;
};

std::string facts_of(const TracePage& page) {
  const model::TraceSummary& summary = page.report.summary;
  std::string facts =
      fmt::format("{}, {} events, {} goroutines, format {}", to_text(summary.span),
                  grouped(summary.events), grouped(summary.goroutines), summary.format);
  if (!page.report.filter.empty()) facts += "; only " + page.report.filter;
  return facts;
}

std::string lanes_title(const TracePage& page) {
  const std::size_t count = page.timeline.lanes.size();
  if (page.chosen) return fmt::format("{} chosen goroutine{}", count, count == 1 ? "" : "s");
  return fmt::format("{} goroutine{} with the longest waits in all: {}", count,
                     count == 1 ? "" : "s", name_of(page.shown));
}

std::string lanes_note(const TracePage& page) {
  std::uint64_t merged = 0, all = 0;
  for (const TraceLane& lane : page.timeline.lanes)
    for (const TraceSpell& spell : lane.spells) {
      all += spell.intervals;
      if (spell.intervals > 1) merged += spell.intervals;
    }
  if (merged == 0) return fmt::format("All {} intervals are drawn.", grouped(all));
  return fmt::format(
      "{} of {} intervals are shorter than {}, and drawn as one bar with their neighbours, in the "
      "colour of what took most of its time; -window draws less time in more detail.",
      grouped(merged), grouped(all), to_text(Nanos{page.timeline.finest}));
}

std::string data_of(const TracePage& page, const model::TraceNames& names) {
  const auto& sections = page.report.sections;
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("title", page.report.summary.source);
  json.member("facts", facts_of(page));
  json.key("notes");
  json.begin_array();
  for (const Notes* notes : {&page.report.summary.notes, &page.report.notes})
    for (const Note& note : notes->all())
      json.value(fmt::format("{}: {}", to_string(note.severity), note.text));
  json.end_array();
  json.member("from", page.timeline.from);
  json.member("to", page.timeline.to);
  const auto shown = std::ranges::find_if(
      sections, [&](const TraceSection& one) { return name_of(one.kind) == name_of(page.shown); });
  json.member("shown", shown == sections.end()
                           ? std::uint64_t{0}
                           : static_cast<std::uint64_t>(shown - sections.begin()));
  json.key("kinds");
  json.begin_array();
  for (std::size_t i = 0; i < sections.size(); ++i) write_kind(json, sections[i], page.heats[i]);
  json.end_array();
  json.member("lanes_title", lanes_title(page));
  json.member("lanes_note", lanes_note(page));
  Lanes(json, names).write(page.timeline.lanes);
  json.end_object();
  return script_safe(out);
}

}  // namespace

std::string render_trace_html(const TracePage& page, const model::TraceNames& names) {
  return fmt::format("{}{}{}{}", page_style, page_head, data_of(page, names), page_script);
}

}  // namespace weir::report
