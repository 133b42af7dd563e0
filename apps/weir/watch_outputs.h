#pragma once
// Where `weir watch` sends what it sees besides its own output: a webhook, an OpenTelemetry
// collector, and whoever scrapes its metrics.
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apps/weir/outbox.h"
#include "apps/weir/watched_target.h"
#include "weir/http/server.h"

namespace weir::app {

struct OutputOptions {
  std::string webhook;  ///< URL; empty: none
  std::string otlp;     ///< URL of a collector, without "/v1/metrics"; empty: none
  std::string metrics;  ///< address to serve /metrics on; empty: none
};

class WatchOutputs {
 public:
  /// Starts what is asked for. Its threads inherit the caller's signal mask. Errors: usage (no such
  /// URL or address), io (the port is taken).
  static Result<WatchOutputs> start(const OutputOptions& options);

  /// Where the metrics are; empty if they are nowhere.
  std::string metrics_url() const { return server_ ? server_->url() : ""; }

  /// After a look of `target`, which is one of `all`.
  void look(const std::vector<WatchedTarget>& all, const WatchedTarget& target);
  /// `text` is the alarm as it is printed.
  void alarm(const model::WatchAlarm& alarm, const std::string& text);
  /// Waits for what is under way, a few seconds at most.
  void close();

 private:
  struct MetricsPage {
    std::mutex mutex;
    std::string text;
  };

  OutputOptions options_;
  std::unique_ptr<Outbox> webhook_;
  std::unique_ptr<Outbox> otlp_;
  std::shared_ptr<MetricsPage> page_;
  std::optional<http::PageServer> server_;
};

}  // namespace weir::app
