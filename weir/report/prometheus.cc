#include "weir/report/prometheus.h"

#include <fmt/format.h>

#include "weir/report/text_safety.h"

namespace weir::report {

using model::WatchStatus;

namespace {

/// A label's value: quotes, backslashes and line breaks escaped, always valid UTF-8.
std::string label_value(std::string_view text) {
  std::string valid, out = "\"";
  append_utf8(valid, text);
  for (const char c : valid) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out += '"';
}

class Page {
 public:
  explicit Page(const std::vector<WatchStatus>& targets) : targets_(targets) {}

  /// One metric; `lines(status, sample)` calls sample(labels, value) for each line of a target.
  template <class Lines>
  void family(std::string_view name, std::string_view type, std::string_view help, Lines lines) {
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    for (const WatchStatus& status : targets_)
      lines(status, [&](std::string_view labels, auto value) {
        out_ +=
            fmt::format("{}{{target={}{}}} {}\n", name, label_value(status.target), labels, value);
      });
  }
  /// One line for each target.
  template <class Value>
  void metric(std::string_view name, std::string_view type, std::string_view help, Value value) {
    family(name, type, help,
           [&](const WatchStatus& status, auto sample) { sample("", value(status)); });
  }
  std::string take() { return std::move(out_); }

 private:
  const std::vector<WatchStatus>& targets_;
  std::string out_;
};

void add_goroutines(Page& page) {
  page.family("weir_goroutines", "gauge", "Goroutines at the last look that saw the target.",
              [](const WatchStatus& status, auto sample) {
                if (status.looks > 0) sample("", status.total);
              });
  page.family("weir_goroutines_parked", "gauge", "Of these, how many are parked.",
              [](const WatchStatus& status, auto sample) {
                if (status.looks > 0) sample("", status.parked);
              });
  page.family("weir_goroutine_group", "gauge", "Goroutines of the largest groups.",
              [](const WatchStatus& status, auto sample) {
                for (const model::WatchCount& group : status.groups)
                  sample(fmt::format(",id={},key={}", label_value(group.fingerprint.id),
                                     label_value(group.fingerprint.key)),
                         group.count);
              });
}

}  // namespace

const char* const prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

std::string render_prometheus(const std::vector<WatchStatus>& targets) {
  Page page(targets);
  page.metric("weir_target_up", "gauge", "Whether the last look saw the target.",
              [](const WatchStatus& status) { return status.seen ? 1 : 0; });
  add_goroutines(page);
  page.metric("weir_looks_total", "counter", "Looks that saw the target.",
              [](const WatchStatus& status) { return status.looks; });
  page.metric("weir_looks_missed_total", "counter", "Looks that saw nothing.",
              [](const WatchStatus& status) { return status.missed; });
  page.metric("weir_target_restarts_total", "counter", "Restarts of the target.",
              [](const WatchStatus& status) { return status.restarts; });
  page.family("weir_alarms_total", "counter", "Alarms, by the rule that raised them.",
              [](const WatchStatus& status, auto sample) {
                for (const auto& [rule, count] : status.alarms)
                  sample(",rule=" + label_value(rule), count);
              });
  page.family("weir_last_look_timestamp_seconds", "gauge", "When the last look was taken.",
              [](const WatchStatus& status, auto sample) {
                if (status.at)
                  sample("", fmt::format("{:.3f}", static_cast<double>(status.at->value) / 1e9));
              });
  return page.take();
}

}  // namespace weir::report
