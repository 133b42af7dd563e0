#include "weir/store/history.h"

#include <fmt/format.h>

#include <filesystem>

#include "weir/store/database.h"
#include "weir/store/encode.h"

namespace weir::store {

using model::Look;
using model::RaisedAlarm;
using model::Series;
using model::Tally;
using model::TallyEntry;

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t schema_version = 1;
constexpr std::int64_t application_id = 0x77656972;  // "weir"

constexpr const char* schema = R"(
CREATE TABLE series(
  id INTEGER PRIMARY KEY, target BLOB NOT NULL, started INTEGER NOT NULL, every INTEGER NOT NULL,
  until INTEGER, is_over INTEGER NOT NULL DEFAULT 0);
CREATE INDEX series_target ON series(target);
CREATE TABLE look(
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  at INTEGER NOT NULL, missed BLOB, restarted INTEGER NOT NULL, total INTEGER NOT NULL,
  knows INTEGER NOT NULL, partial INTEGER NOT NULL, source BLOB, notes BLOB);
CREATE INDEX look_series ON look(series, id);
CREATE TABLE stack(id INTEGER PRIMARY KEY, frames BLOB NOT NULL UNIQUE);
CREATE TABLE entry(
  look INTEGER NOT NULL REFERENCES look ON DELETE CASCADE, place INTEGER NOT NULL,
  stack INTEGER NOT NULL REFERENCES stack, goroutine BLOB NOT NULL, count INTEGER NOT NULL,
  longest_wait INTEGER, objects INTEGER, PRIMARY KEY(look, place)) WITHOUT ROWID;
CREATE INDEX entry_stack ON entry(stack);
CREATE TABLE alarm(
  series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE, look INTEGER NOT NULL,
  at INTEGER NOT NULL, rule BLOB NOT NULL, subject BLOB NOT NULL, text BLOB NOT NULL);
CREATE INDEX alarm_series ON alarm(series);
PRAGMA application_id = 2003134834;
PRAGMA user_version = 1;
)";
static_assert(application_id == 2003134834 && schema_version == 1);

constexpr std::int64_t knows_state = 1, knows_wait = 2, knows_creator = 4;

Result<std::int64_t> read_number(Database& database, const char* sql) {
  Statement statement = database.statement(sql);
  WEIR_TRY(const bool found, statement.next());
  return found ? statement.number(0) : 0;
}

Result<void> set_up(Database& database) {
  WEIR_TRY_VOID(
      database.run("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
                   "PRAGMA synchronous = NORMAL;"));
  WEIR_TRY(Transaction transaction, Transaction::begin(database));
  WEIR_TRY(const std::int64_t tables, read_number(database, "SELECT count(*) FROM sqlite_schema"));
  WEIR_TRY(const std::int64_t application, read_number(database, "PRAGMA application_id"));
  WEIR_TRY(const std::int64_t version, read_number(database, "PRAGMA user_version"));
  if (tables == 0) {
    WEIR_TRY_VOID(database.run(schema));
    return transaction.commit();
  }
  if (application != application_id)
    return fail(ErrorCode::invalid, "this is a database, but not a history of weir");
  if (version != schema_version)
    return fail(
        ErrorCode::unsupported,
        fmt::format("the history has version {}, and this weir knows {}", version, schema_version));
  return transaction.commit();
}

Series series_of(const Statement& row) {
  Series series;
  series.id = row.number(0);
  series.target = row.bytes(1);
  series.started = Nanos{row.number(2)};
  series.every = Nanos{row.number(3)};
  if (!row.is_null(4)) series.until = Nanos{row.number(4)};
  series.over = row.number(5) != 0;
  series.looks = static_cast<std::uint64_t>(row.number(6));
  return series;
}

constexpr std::string_view select_series =
    "SELECT id, target, started, every, until, is_over,"
    " (SELECT count(*) FROM look WHERE look.series = series.id) FROM series ";

Look look_of(const Statement& row) {
  Look look;
  look.id = row.number(0);
  look.series = row.number(1);
  look.at = Nanos{row.number(2)};
  look.missed = row.bytes(3);
  look.restarted = row.number(4) != 0;
  look.total = static_cast<std::uint64_t>(row.number(5));
  return look;
}

constexpr std::string_view select_look =
    "SELECT id, series, at, missed, restarted, total FROM look ";

void bind(Statement& statement, const std::optional<Nanos>& time) {
  if (time) {
    statement.bind(time->value);
  } else {
    statement.bind_null();
  }
}

}  // namespace

struct History::State {
  Database database;

  Result<std::int64_t> stack_id(const model::Stack& stack) {
    const std::string frames = encode_stack(stack);
    Statement insert = database.statement("INSERT OR IGNORE INTO stack(frames) VALUES(?)");
    WEIR_TRY_VOID(insert.bind(frames).run());
    Statement find = database.statement("SELECT id FROM stack WHERE frames = ?");
    WEIR_TRY(const bool found, find.bind(frames).next());
    if (!found) return fail(ErrorCode::invalid, "the history loses what is written to it");
    return find.number(0);
  }

  Result<void> add_entry(std::int64_t look, std::int64_t place, const TallyEntry& entry) {
    static const model::Stack no_stack;
    WEIR_TRY(const std::int64_t stack,
             stack_id(entry.exemplar.stack ? *entry.exemplar.stack : no_stack));
    Statement insert = database.statement("INSERT INTO entry VALUES(?,?,?,?,?,?,?)");
    insert.bind(look).bind(place).bind(stack).bind(encode_goroutine(entry.exemplar));
    insert.bind(static_cast<std::int64_t>(entry.count));
    bind(insert, entry.longest_wait);
    if (entry.objects) {
      insert.bind(static_cast<std::int64_t>(*entry.objects));
    } else {
      insert.bind_null();
    }
    return insert.run();
  }

  /// Stacks of no entry, after a removal.
  Result<void> sweep() {
    return database.run("DELETE FROM stack WHERE id NOT IN (SELECT stack FROM entry)");
  }
};

std::string default_history_path(const char* xdg_state_home, const char* home) {
  // The specification: a path that is not absolute is to be ignored.
  if (xdg_state_home != nullptr && xdg_state_home[0] == '/')
    return std::string(xdg_state_home) + "/weir/history.db";
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/weir/history.db";
  return {};
}

History::History(std::unique_ptr<State> state) : state_(std::move(state)) {}
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;
History::~History() = default;

Result<History> History::open(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (path != ":memory:" && !folder.empty()) fs::create_directories(folder, error);
  WEIR_TRY(Database database, Database::open(path));
  if (auto ready = set_up(database); !ready) return fail(std::move(ready).error().with(path));
  return History(std::make_unique<State>(State{std::move(database)}));
}

Result<std::int64_t> History::begin(const Series& series) {
  Statement insert = state_->database.statement(
      "INSERT INTO series(target, started, every, until) VALUES(?,?,?,?)");
  insert.bind(series.target).bind(series.started.value).bind(series.every.value);
  bind(insert, series.until);
  WEIR_TRY_VOID(insert.run());
  return state_->database.last_id();
}

Result<std::optional<Series>> History::find_open(const std::string& target, Nanos now) {
  Statement find = state_->database.statement(
      std::string(select_series) +
      "WHERE target = ? AND is_over = 0 AND (until IS NULL OR until > ?) ORDER BY id DESC LIMIT 1");
  WEIR_TRY(const bool found, find.bind(target).bind(now.value).next());
  return found ? std::optional(series_of(find)) : std::nullopt;
}

Result<void> History::set_over(std::int64_t series) {
  return state_->database.statement("UPDATE series SET is_over = 1 WHERE id = ?")
      .bind(series)
      .run();
}

Result<std::int64_t> History::add(std::int64_t series, Nanos at, bool restarted,
                                  const Tally& tally) {
  Database& database = state_->database;
  WEIR_TRY(Transaction transaction, Transaction::begin(database));
  Statement insert = database.statement(
      "INSERT INTO look(series, at, restarted, total, knows, partial, source, notes)"
      " VALUES(?,?,?,?,?,?,?,?)");
  const std::int64_t knows = (tally.knows.state ? knows_state : 0) |
                             (tally.knows.wait ? knows_wait : 0) |
                             (tally.knows.creator ? knows_creator : 0);
  insert.bind(series).bind(at.value).bind(std::int64_t{restarted});
  insert.bind(static_cast<std::int64_t>(tally.total())).bind(knows);
  insert.bind(std::int64_t{tally.partial}).bind(encode_source(tally.source));
  WEIR_TRY_VOID(insert.bind(encode_notes(tally.notes)).run());
  const std::int64_t look = database.last_id();
  for (std::size_t i = 0; i < tally.entries.size(); ++i)
    WEIR_TRY_VOID(state_->add_entry(look, static_cast<std::int64_t>(i), tally.entries[i]));
  WEIR_TRY_VOID(transaction.commit());
  return look;
}

Result<std::int64_t> History::add_missed(std::int64_t series, Nanos at, const std::string& why) {
  Statement insert = state_->database.statement(
      "INSERT INTO look(series, at, missed, restarted, total, knows, partial)"
      " VALUES(?,?,?,0,0,0,0)");
  WEIR_TRY_VOID(insert.bind(series).bind(at.value).bind(why).run());
  return state_->database.last_id();
}

Result<void> History::add(const RaisedAlarm& alarm) {
  Statement insert = state_->database.statement("INSERT INTO alarm VALUES(?,?,?,?,?,?)");
  insert.bind(alarm.series).bind(alarm.look).bind(alarm.at.value);
  return insert.bind(alarm.rule).bind(alarm.subject).bind(alarm.text).run();
}

Result<std::vector<Series>> History::series(const std::string& target) {
  Statement find = state_->database.statement(std::string(select_series) +
                                              "WHERE ?1 = x'' OR target = ?1 ORDER BY id");
  find.bind(target);
  std::vector<Series> all;
  while (true) {
    WEIR_TRY(const bool found, find.next());
    if (!found) return all;
    all.push_back(series_of(find));
  }
}

Result<std::vector<Look>> History::looks(std::int64_t series) {
  Statement find =
      state_->database.statement(std::string(select_look) + "WHERE series = ? ORDER BY id");
  find.bind(series);
  std::vector<Look> all;
  while (true) {
    WEIR_TRY(const bool found, find.next());
    if (!found) return all;
    all.push_back(look_of(find));
  }
}

Result<Look> History::look(std::int64_t look) {
  Statement find = state_->database.statement(std::string(select_look) + "WHERE id = ?");
  WEIR_TRY(const bool found, find.bind(look).next());
  if (!found) return fail(ErrorCode::not_found, fmt::format("there is no look {}", look));
  return look_of(find);
}

Result<std::vector<RaisedAlarm>> History::alarms(std::int64_t series) {
  Statement find = state_->database.statement(
      "SELECT series, look, at, rule, subject, text FROM alarm WHERE series = ? ORDER BY rowid");
  find.bind(series);
  std::vector<RaisedAlarm> all;
  while (true) {
    WEIR_TRY(const bool found, find.next());
    if (!found) return all;
    RaisedAlarm& alarm = all.emplace_back();
    alarm.series = find.number(0);
    alarm.look = find.number(1);
    alarm.at = Nanos{find.number(2)};
    alarm.rule = find.bytes(3);
    alarm.subject = find.bytes(4);
    alarm.text = find.bytes(5);
  }
}

namespace {

Result<TallyEntry> entry_of(const Statement& row) {
  WEIR_TRY(model::Stack stack, decode_stack(row.bytes(0)));
  WEIR_TRY(model::Goroutine goroutine, decode_goroutine(row.bytes(1)));
  goroutine.stack = std::make_shared<const model::Stack>(std::move(stack));
  TallyEntry entry{std::move(goroutine), static_cast<std::uint64_t>(row.number(2)), {}, {}};
  if (!row.is_null(3)) entry.longest_wait = Nanos{row.number(3)};
  if (!row.is_null(4)) entry.objects = static_cast<std::uint64_t>(row.number(4));
  return entry;
}

}  // namespace

Result<Tally> History::read(std::int64_t look) {
  Database& database = state_->database;
  Statement head = database.statement(
      "SELECT knows, partial, source, notes, missed IS NOT NULL FROM look WHERE id = ?");
  WEIR_TRY(const bool found, head.bind(look).next());
  if (!found) return fail(ErrorCode::not_found, fmt::format("there is no look {}", look));
  if (head.number(4) != 0)
    return fail(ErrorCode::not_found, fmt::format("look {} saw nothing", look));
  Tally tally;
  const std::int64_t knows = head.number(0);
  tally.knows = {(knows & knows_state) != 0, (knows & knows_wait) != 0,
                 (knows & knows_creator) != 0};
  tally.partial = head.number(1) != 0;
  WEIR_TRY(tally.source, decode_source(head.bytes(2)));
  WEIR_TRY(tally.notes, decode_notes(head.bytes(3)));
  Statement entries = database.statement(
      "SELECT frames, goroutine, count, longest_wait, objects FROM entry"
      " JOIN stack ON stack.id = entry.stack WHERE look = ? ORDER BY place");
  entries.bind(look);
  while (true) {
    WEIR_TRY(const bool another, entries.next());
    if (!another) return tally;
    WEIR_TRY(TallyEntry entry, entry_of(entries));
    tally.entries.push_back(std::move(entry));
  }
}

Result<Pruned> History::prune(Nanos before, Nanos now) {
  Database& database = state_->database;
  Pruned pruned;
  {
    WEIR_TRY(Transaction transaction, Transaction::begin(database));
    WEIR_TRY_VOID(database.statement("DELETE FROM look WHERE at < ?").bind(before.value).run());
    pruned.looks = database.changed();
    WEIR_TRY_VOID(database
                      .statement("DELETE FROM series WHERE (is_over OR until <= ?)"
                                 " AND started < ? AND id NOT IN (SELECT series FROM look)")
                      .bind(now.value)
                      .bind(before.value)
                      .run());
    pruned.series = database.changed();
    WEIR_TRY_VOID(state_->sweep());
    WEIR_TRY_VOID(transaction.commit());
  }
  WEIR_TRY_VOID(database.run("VACUUM"));
  return pruned;
}

Result<Pruned> History::remove(std::int64_t series) {
  Database& database = state_->database;
  Pruned pruned;
  WEIR_TRY(Transaction transaction, Transaction::begin(database));
  WEIR_TRY_VOID(database.statement("DELETE FROM look WHERE series = ?").bind(series).run());
  pruned.looks = database.changed();
  WEIR_TRY_VOID(database.statement("DELETE FROM series WHERE id = ?").bind(series).run());
  pruned.series = database.changed();
  if (pruned.series == 0)
    return fail(ErrorCode::not_found, fmt::format("there is no series {}", series));
  WEIR_TRY_VOID(state_->sweep());
  WEIR_TRY_VOID(transaction.commit());
  return pruned;
}

}  // namespace weir::store
