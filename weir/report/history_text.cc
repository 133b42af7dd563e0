#include "weir/report/history_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "weir/report/finding_rows.h"
#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"
#include "weir/report/watch_text.h"

namespace weir::report {

using model::Look;
using model::RaisedAlarm;

namespace {

std::string paint(bool colour, const char* code, std::string_view text) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

/// Rules that spoke about one group at one look made one alarm, which has one text.
std::vector<const RaisedAlarm*> told(const StoredSeries& one) {
  std::set<std::pair<std::int64_t, std::string>> known;
  std::vector<const RaisedAlarm*> alarms;
  for (const RaisedAlarm& alarm : one.alarms)
    if (known.emplace(alarm.look, alarm.subject).second) alarms.push_back(&alarm);
  return alarms;
}

std::vector<const Look*> seen(const StoredSeries& one) {
  std::vector<const Look*> looks;
  for (const Look& look : one.looks)
    if (look.missed.empty()) looks.push_back(&look);
  return looks;
}

enum class State : std::uint8_t { over, ran_out, open };

State state_of(const model::Series& series, Nanos now) {
  if (series.over) return State::over;
  return series.until && *series.until <= now ? State::ran_out : State::open;
}

std::string_view to_string(State state) {
  switch (state) {
    case State::over:
      return "over";
    case State::ran_out:
      return "interrupted";
    case State::open:
      break;
  }
  return "open";
}

std::string goroutines_text(const StoredSeries& one) {
  const auto looks = seen(one);
  if (looks.empty()) return "none seen";
  return looks.size() == 1 ? fmt::format("{}", looks[0]->total)
                           : fmt::format("{} → {}", looks.front()->total, looks.back()->total);
}

std::string alarms_text(const StoredSeries& one, bool colour) {
  const std::size_t alarms = told(one).size();
  return alarms == 0 ? "no alarm" : paint(colour, "1;31", counted(alarms, "alarm"));
}

std::string missed_text(const StoredSeries& one) {
  const std::size_t missed = one.looks.size() - seen(one).size();
  return missed == 0 ? "" : fmt::format(", {} without an answer", missed);
}

/// The alarms of one look, indented as `weir watch` printed them.
void add_alarms(std::string& text, const StoredSeries& one, std::int64_t look, bool colour) {
  for (const RaisedAlarm* alarm : told(one)) {
    if (alarm->look != look) continue;
    std::string_view rest = alarm->text;
    for (bool first = true; !rest.empty(); first = false) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      const std::string shown = printable(line);
      text += fmt::format("  {}\n", first ? paint(colour, "1;31", shown) : shown);
    }
  }
}

}  // namespace

std::string date_text(Nanos at) {
  const std::time_t seconds = at.value / 1'000'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string render_series_list(const std::vector<StoredSeries>& all, Nanos now, bool colour) {
  if (all.empty()) return "no series\n";
  std::string text;
  for (const StoredSeries& one : all)
    text += fmt::format("{:>4}  {}  {:<11}  {}\n      {}{}, every {}, {} goroutines, {}\n",
                        one.series.id, date_text(one.series.started),
                        to_string(state_of(one.series, now)), printable(one.series.target),
                        counted(one.looks.size(), "look"), missed_text(one),
                        to_text(one.series.every), goroutines_text(one), alarms_text(one, colour));
  return text;
}

std::string render_series(const StoredSeries& one, Nanos now, bool colour) {
  std::string text =
      fmt::format("series {}: {}, {}, {}\n", one.series.id, printable(one.series.target),
                  date_text(one.series.started), to_string(state_of(one.series, now)));
  if (state_of(one.series, now) == State::open)
    text += fmt::format("    can be resumed{}\n",
                        one.series.until ? " until " + date_text(*one.series.until) : "");
  const Look* before = nullptr;
  for (const Look& look : one.looks) {
    text += fmt::format("@{:<5} {}  ", look.id, date_text(look.at));
    if (!look.missed.empty()) {
      text += paint(colour, "33", "not seen: " + printable(look.missed)) + "\n";
      continue;
    }
    if (look.restarted) text += paint(colour, "33", "restarted: ");
    text += counted(look.total, "goroutine");
    if (before != nullptr && before->total != look.total)
      text += fmt::format(", {:+}", static_cast<std::int64_t>(look.total - before->total));
    text += '\n';
    add_alarms(text, one, look.id, colour);
    before = &look;
  }
  return text + fmt::format("{}, {}\n", counted(one.looks.size(), "look") + missed_text(one),
                            alarms_text(one, colour));
}

namespace {

void write_looks(JsonWriter& json, const StoredSeries& one) {
  json.key("looks");
  json.begin_array();
  for (const Look& look : one.looks) {
    json.begin_object();
    json.member("look", look.id);
    json.member("at_ns", look.at.value);
    json.member_if("missed", look.missed);
    if (look.missed.empty()) json.member("total", look.total);
    json.member_if("restarted", look.restarted);
    json.end_object();
  }
  json.end_array();
}

void write_alarms(JsonWriter& json, const StoredSeries& one) {
  json.key("alarms");
  json.begin_array();
  for (const RaisedAlarm& alarm : one.alarms) {
    json.begin_object();
    json.member("look", alarm.look);
    json.member("at_ns", alarm.at.value);
    json.member("rule", alarm.rule);
    json.member_if("id", alarm.subject);
    json.member("text", alarm.text);
    json.end_object();
  }
  json.end_array();
}

void write_series(JsonWriter& json, const StoredSeries& one, Nanos now, bool detailed) {
  json.begin_object();
  json.member("series", one.series.id);
  json.member("target", one.series.target);
  json.member("started_ns", one.series.started.value);
  json.member("every_ns", one.series.every.value);
  if (one.series.until) json.member("until_ns", one.series.until->value);
  json.member("state", to_string(state_of(one.series, now)));
  const auto looks = seen(one);
  json.member("looks_taken", static_cast<std::uint64_t>(one.looks.size()));
  json.member("missed", static_cast<std::uint64_t>(one.looks.size() - looks.size()));
  if (!looks.empty()) {
    json.member("first_total", looks.front()->total);
    json.member("last_total", looks.back()->total);
  }
  json.member("alarms_raised", static_cast<std::uint64_t>(told(one).size()));
  if (detailed) {
    write_looks(json, one);
    write_alarms(json, one);
  }
  json.end_object();
}

}  // namespace

std::string render_history_json(const std::vector<StoredSeries>& all, Nanos now, bool detailed) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.history/1");
  json.key("series");
  json.begin_array();
  for (const StoredSeries& one : all) write_series(json, one, now, detailed);
  json.end_array();
  json.end_object();
  return out += '\n';
}

}  // namespace weir::report
