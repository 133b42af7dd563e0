// weir history: what weir watch has kept.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/history_file.h"
#include "apps/weir/table_flags.h"
#include "apps/weir/watch_loop.h"
#include "weir/analysis/trend.h"
#include "weir/report/history_text.h"
#include "weir/report/settings.h"
#include "weir/store/history.h"

namespace weir::app {
namespace {

using model::Look;
using model::Tally;
using report::StoredSeries;

struct HistoryRequest {
  std::string database;
  std::string target;
  std::optional<Nanos> older;
  std::optional<int> series;
  analysis::TopQuery query;
  TableRequest table;
};

/// As report::parse_duration, and "30d".
Result<Nanos> parse_age(const std::string& text) {
  constexpr std::int64_t day = 86'400'000'000'000;
  if (!text.ends_with('d')) return report::parse_duration(text);
  WEIR_TRY(const int days, parse_count(text.substr(0, text.size() - 1)));
  if (days > 36'500) return fail(ErrorCode::usage, "36500d is the most");
  return Nanos{days * day};
}

std::vector<Flag> history_flags(HistoryRequest& request) {
  std::vector<Flag> flags{
      {"db", "file", "where the history is (in the user's state directory)",
       set_text(request.database)},
      {"target", "name", "list: only the series of this target", set_text(request.target)},
      {"older", "time", "prune: looks taken so long ago (30d, 12h)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.older, parse_age(value));
         return {};
       }},
      {"series", "N", "prune: all of one series",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.series, parse_count(value));
         return {};
       }},
      {"top", "N", "print the N largest groups (5); 0 prints all",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int rows, parse_count(value));
         request.table.text.top = static_cast<std::size_t>(rows);
         return {};
       }},
      {"json", "", "print JSON", set_switch(request.table.json)},
  };
  for (Flag& flag : query_flags(request.query)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir history [list] [flags]\n"
      "       weir history show [flags] SERIES | @LOOK\n"
      "       weir history diff [flags] SERIES | @LOOK @LOOK…\n"
      "       weir history prune -older TIME | -series N\n\n"
      "Lists, shows, compares and removes what weir watch has kept. A series has a number; a look\n"
      "has one behind an @, as `show SERIES` prints it. The diff of a series is that of its first\n"
      "look and its last.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir history\n"
      "  weir history show 3\n"
      "  weir history show -by state @41\n"
      "  weir history diff 3\n"
      "  weir history diff -top 0 @41 @57\n"
      "  weir history prune -older 30d\n\n"
      "exit codes: 0 clean, 1 diff: something grew, 2 wrong usage or weir's own failure\n",
      flags.help());
}

Error usage(std::string what) {
  return Error{ErrorCode::usage, std::move(what), {}, 0, {}};
}

Result<std::int64_t> parse_id(std::string_view word) {
  std::int64_t id = 0;
  const bool is_look = word.starts_with('@');
  const std::string_view digits = word.substr(is_look ? 1 : 0);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (error != std::errc{} || end != digits.data() + digits.size() || id < 0)
    return fail(usage(fmt::format("\"{}\" is neither the number of a series nor an @look", word)));
  return id;
}

/// The history as the flags, the settings and the environment name it; it must be there.
Result<store::History> open_history(const HistoryRequest& request) {
  std::string named = request.database;
  if (named.empty()) {
    WEIR_TRY(const auto settings, read_watch_settings());
    named = settings.database.value_or("");
  }
  WEIR_TRY(const std::string path, history_path(named));
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return fail(ErrorCode::not_found, "there is no history yet; weir watch makes one", path);
  return store::History::open(path);
}

Result<std::vector<StoredSeries>> stored(store::History& history, const std::string& target) {
  WEIR_TRY(const auto all, history.series(target));
  std::vector<StoredSeries> list;
  for (const model::Series& series : all) {
    WEIR_TRY(auto looks, history.looks(series.id));
    WEIR_TRY(auto alarms, history.alarms(series.id));
    list.push_back({series, std::move(looks), std::move(alarms)});
  }
  return list;
}

Result<StoredSeries> find_series(store::History& history, std::int64_t id) {
  WEIR_TRY(auto all, history.series());
  for (model::Series& series : all) {
    if (series.id != id) continue;
    WEIR_TRY(auto looks, history.looks(id));
    WEIR_TRY(auto alarms, history.alarms(id));
    return StoredSeries{std::move(series), std::move(looks), std::move(alarms)};
  }
  return fail(ErrorCode::not_found, fmt::format("there is no series {}", id));
}

/// The look as evidence, named as the user names it, with the time at which it was taken.
Result<Tally> read_look(store::History& history, std::int64_t id) {
  WEIR_TRY(const Look look, history.look(id));
  WEIR_TRY(Tally tally, history.read(id));
  tally.source.name = fmt::format("@{} {} {}", id, tally.source.name, report::date_text(look.at));
  if (!tally.source.taken_at) tally.source.taken_at = look.at;
  return tally;
}

Result<int> list(const HistoryRequest& request, store::History& history) {
  WEIR_TRY(const auto all, stored(history, request.target));
  fmt::print("{}", request.table.json
                       ? report::render_history_json(all, now(), false)
                       : report::render_series_list(all, now(), request.table.text.colour));
  return code_clean;
}

Result<int> show(const HistoryRequest& request, store::History& history,
                 const std::vector<std::string>& names) {
  if (names.size() != 1) return fail(usage("show one series or one @look"));
  WEIR_TRY(const std::int64_t id, parse_id(names[0]));
  if (names[0].starts_with('@')) {
    WEIR_TRY(const Tally tally, read_look(history, id));
    const model::TopReport report = analysis::top(tally, request.query);
    fmt::print("{}", request.table.json ? report::render_top_json(report)
                                        : report::render_top(report, request.table.text));
    return code_clean;
  }
  WEIR_TRY(StoredSeries one, find_series(history, id));
  const bool colour = request.table.text.colour;
  fmt::print("{}", request.table.json ? report::render_history_json({one}, now(), true)
                                      : report::render_series(one, now(), colour));
  return code_clean;
}

/// The looks that a diff of these names compares.
Result<std::vector<std::int64_t>> looks_to_compare(store::History& history,
                                                   const std::vector<std::string>& names) {
  std::vector<std::int64_t> ids;
  if (names.size() == 1 && !names[0].starts_with('@')) {
    WEIR_TRY(const std::int64_t id, parse_id(names[0]));
    WEIR_TRY(const StoredSeries one, find_series(history, id));
    for (const Look& look : one.looks)
      if (look.missed.empty()) ids.push_back(look.id);
    if (ids.size() < 2)
      return fail(ErrorCode::not_found,
                  fmt::format("series {} has no two looks that saw something", id));
    return std::vector<std::int64_t>{ids.front(), ids.back()};
  }
  for (const std::string& name : names) {
    if (!name.starts_with('@'))
      return fail(usage("a diff is of one series, or of two or more @looks"));
    WEIR_TRY(ids.emplace_back(), parse_id(name));
  }
  if (ids.size() < 2) return fail(usage("a diff is of one series, or of two or more @looks"));
  return ids;
}

Result<int> diff(const HistoryRequest& request, store::History& history,
                 const std::vector<std::string>& names) {
  WEIR_TRY(const auto ids, looks_to_compare(history, names));
  std::vector<Tally> tallies;
  for (const std::int64_t id : ids) {
    WEIR_TRY(tallies.emplace_back(), read_look(history, id));
  }
  const model::TrendReport report = analysis::trend(tallies);
  fmt::print("{}", request.table.json ? report::render_trend_json(report)
                                      : report::render_trend(report, request.table.text));
  return report.grew() ? code_findings : code_clean;
}

Result<int> prune(const HistoryRequest& request, store::History& history) {
  if (request.older.has_value() == request.series.has_value())
    return fail(usage("-older TIME or -series N says what goes"));
  WEIR_TRY(const store::Pruned gone,
           request.series ? history.remove(*request.series)
                          : history.prune(Nanos{now().value - request.older->value}, now()));
  fmt::print("removed: {} look{}, {} series\n", gone.looks, gone.looks == 1 ? "" : "s",
             gone.series);
  return code_clean;
}

Result<int> perform(const HistoryRequest& request, const std::string& verb,
                    const std::vector<std::string>& names) {
  const bool takes_names = verb == "show" || verb == "diff";
  if (!takes_names && verb != "list" && verb != "prune")
    return fail(usage(fmt::format("\"{}\" is none of list, show, diff and prune", verb)));
  if (!takes_names && !names.empty())
    return fail(usage(fmt::format("{} takes flags only, not \"{}\"", verb, names[0])));
  WEIR_TRY(store::History history, open_history(request));
  if (verb == "list") return list(request, history);
  if (verb == "show") return show(request, history, names);
  return verb == "diff" ? diff(request, history, names) : prune(request, history);
}

}  // namespace

int run_history(const std::vector<std::string>& args) {
  HistoryRequest request;
  const FlagSet flags(history_flags(request));
  if (std::any_of(args.begin(), args.end(),
                  [](const std::string& word) { return wants_help({word}); })) {
    print_help(flags);
    return code_clean;
  }
  auto words = flags.parse(args);
  std::string verb = "list";
  if (words && !words->empty()) {
    verb = words->front();
    words->erase(words->begin());
    words = flags.parse(*words);
  }
  if (!words) return complain_usage(words.error(), "history");
  complete(request.table);
  const auto code = perform(request, verb, *words);
  if (code) return *code;
  return code.error().code == ErrorCode::usage ? complain_usage(code.error(), "history")
                                               : complain(code.error());
}

}  // namespace weir::app
