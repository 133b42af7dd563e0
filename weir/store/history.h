#pragma once
// History: series of looks, kept in a SQLite file that many weirs may use at once. Stacks are
// stored once. Schema: docs/watch.md.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/series.h"
#include "weir/model/tally.h"

namespace weir::store {

/// $XDG_STATE_HOME/weir/history.db or ~/.local/state/weir/history.db; null stands for an unset
/// variable. Empty if neither is an absolute path.
std::string default_history_path(const char* xdg_state_home, const char* home);

/// What prune() removed.
struct Pruned {
  std::uint64_t series = 0;
  std::uint64_t looks = 0;
};

class History {
 public:
  /// Creates the file, and the folders above it, where they are missing. Errors: denied, io;
  /// invalid (not a history); unsupported (one of a newer weir).
  static Result<History> open(const std::string& path);
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;
  ~History();

  /// `series.id` and `looks` are not read. Gives the id. Errors of this and of all below: io,
  /// invalid, limit, denied.
  Result<std::int64_t> begin(const model::Series& series);
  /// The newest series of `target` that is not over and has not run out at `now`.
  Result<std::optional<model::Series>> find_open(const std::string& target, Nanos now);
  Result<void> set_over(std::int64_t series);

  /// Adds a look; gives its id.
  Result<std::int64_t> add(std::int64_t series, Nanos at, bool restarted,
                           const model::Tally& tally);
  Result<std::int64_t> add_missed(std::int64_t series, Nanos at, const std::string& why);
  Result<void> add(const model::RaisedAlarm& alarm);

  /// Oldest first; of one target, or of all if it is empty.
  Result<std::vector<model::Series>> series(const std::string& target = {});
  /// In the order in which they were taken.
  Result<std::vector<model::Look>> looks(std::int64_t series);
  Result<std::vector<model::RaisedAlarm>> alarms(std::int64_t series);
  /// Errors: also not_found: no such look.
  Result<model::Look> look(std::int64_t look);
  /// Errors: also not_found: no such look, or a missed one.
  Result<model::Tally> read(std::int64_t look);

  /// Removes looks taken before `before`, and series that are over or have run out and have no look
  /// left. A series alone can be named; then all of it goes.
  Result<Pruned> prune(Nanos before, Nanos now);
  Result<Pruned> remove(std::int64_t series);

 private:
  struct State;
  explicit History(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::store
