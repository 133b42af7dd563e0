#pragma once
// One target of `weir watch`: its looks, its restarts, its series in the history.
#include <future>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/error.h"
#include "weir/ingest/evidence.h"
#include "weir/model/watch.h"
#include "weir/store/history.h"

namespace weir::app {

struct WatchPlan {
  Nanos every{300'000'000'000};
  Nanos lasts{1'800'000'000'000};  ///< 0: until somebody ends it
  bool fresh = false;              ///< begin a new series though one could be resumed
  model::WatchRules rules;
};

/// What one look brought.
struct WatchOutcome {
  std::int64_t look_id = 0;  ///< in the history
  model::WatchLook look;
  std::vector<model::WatchAlarm> alarms;  ///< those that were not raised before
};

/// A process or URL that is looked at again and again. Not thread-safe; its looks run in a thread.
class WatchedTarget {
 public:
  /// `name` as the user wrote it: a process id or a URL. Resumes the open series of that name, or
  /// begins one. Errors: usage (neither process nor URL), those of History.
  static Result<WatchedTarget> open(const std::string& name, const WatchPlan& plan,
                                    store::History& history, Nanos now);

  const std::string& name() const { return shown_; }
  /// What is looked at now: another process after a restart.
  const std::string& current() const { return name_; }
  bool resumed() const { return resumed_; }
  /// When the next look is due; nothing when the series is over.
  std::optional<Nanos> due() const { return due_; }
  std::int64_t series() const { return series_.id; }
  bool looking() const { return pending_.valid(); }

  void start_look(const ingest::EvidenceOptions& options);
  /// What came of the look, if it is done; it is in the history then. Errors: those of History.
  Result<std::optional<WatchOutcome>> finish_look(store::History& history, Nanos now);

  /// Waits for the look that is under way, if any, and forgets it.
  void drop_look();

  /// The series has come to its end.
  Result<void> end(store::History& history);
  model::WatchSummary summary() const;
  model::WatchStatus status() const;

 private:
  std::string name_;      ///< what is looked at now: another process after a restart
  std::string shown_;     ///< without credentials
  std::string program_;   ///< of a process: its executable
  std::set<int> others_;  ///< processes of the same program that were there from the beginning
  WatchPlan plan_;
  model::Series series_;
  bool resumed_ = false;
  std::optional<Nanos> due_;
  std::future<Result<std::vector<model::Tally>>> pending_;

  std::vector<model::WatchPoint> points_;  ///< since the beginning or the last restart
  std::optional<model::Source> source_;    ///< of the last look that saw something
  bool missed_last_ = false;
  std::set<std::pair<std::string, std::string>> raised_;  ///< rule and subject, since then too
  model::WatchSummary summary_;
  std::optional<Nanos> last_at_;                         ///< of the last look, missed or not
  std::map<std::string, std::uint64_t> alarms_by_rule_;  ///< of the whole series

  WatchedTarget() = default;
  Result<void> resume(store::History& history);
  void remember(const model::Tally& tally, Nanos at, bool restarted);
  void remember_missed(Nanos at);
  Nanos points_since() const;
  void schedule(Nanos now);
  void find_successor();
  Result<WatchOutcome> take(store::History& history, const model::Tally& tally, Nanos now);
  std::vector<model::WatchAlarm> raise(const model::Tally& tally, Nanos now);
};

}  // namespace weir::app
