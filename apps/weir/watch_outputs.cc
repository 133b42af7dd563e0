#include "apps/weir/watch_outputs.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "weir/report/otlp.h"
#include "weir/report/prometheus.h"
#include "weir/report/watch_text.h"

namespace weir::app {
namespace {

constexpr Nanos grace{5'000'000'000};  // for what is under way when weir ends

void warn(const std::string& text) {
  fmt::print(stderr, "weir: {}\n", text);
}

/// What the OpenTelemetry specification says of OTEL_EXPORTER_OTLP_HEADERS: "key=value,key=value",
/// percent-encoded.
std::vector<std::string> otlp_headers(const char* text) {
  std::vector<std::string> headers{"Content-Type: application/json"};
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    headers.push_back(fmt::format("{}: {}", http::percent_decoded(one.substr(0, equals)),
                                  http::percent_decoded(one.substr(equals + 1))));
  }
  return headers;
}

/// OpenTelemetry protocol, section OTLP/HTTP Response, "Retryable Response Codes": all others must
/// not be tried again.
bool otlp_may_try_again(long status) {
  return status == 429 || (status >= 502 && status <= 504);
}

std::vector<std::string> webhook_headers(const char* token) {
  std::vector<std::string> headers{"Content-Type: application/json"};
  if (token != nullptr && *token != '\0')
    headers.push_back(fmt::format("Authorization: Bearer {}", token));
  return headers;
}

}  // namespace

Result<WatchOutputs> WatchOutputs::start(const OutputOptions& options) {
  WatchOutputs outputs;
  outputs.options_ = options;
  if (!options.webhook.empty()) {
    WEIR_TRY_VOID(http::check_url(options.webhook));
    OutboxOptions box;
    box.name = "webhook";
    box.headers = webhook_headers(std::getenv("WEIR_WEBHOOK_TOKEN"));
    box.say = warn;
    outputs.webhook_ = std::make_unique<Outbox>(std::move(box));
  }
  if (!options.otlp.empty()) {
    WEIR_TRY_VOID(http::check_url(options.otlp));
    while (outputs.options_.otlp.ends_with('/')) outputs.options_.otlp.pop_back();
    OutboxOptions box;
    box.name = "otlp";
    box.headers = otlp_headers(std::getenv("OTEL_EXPORTER_OTLP_HEADERS"));
    box.say = warn;
    box.may_try_again = otlp_may_try_again;
    box.refusal = [](const http::Answer& answer) { return report::otlp_refusal(answer.body); };
    outputs.otlp_ = std::make_unique<Outbox>(std::move(box));
  }
  if (!options.metrics.empty()) {
    outputs.page_ = std::make_shared<MetricsPage>();
    WEIR_TRY(outputs.server_,
             http::PageServer::start(options.metrics, "/metrics", [page = outputs.page_] {
               const std::scoped_lock lock(page->mutex);
               return http::Page{report::prometheus_content_type, page->text};
             }));
  }
  return outputs;
}

void WatchOutputs::look(const std::vector<WatchedTarget>& all, const WatchedTarget& target) {
  if (page_) {
    std::vector<model::WatchStatus> statuses;
    for (const WatchedTarget& one : all) statuses.push_back(one.status());
    std::string text = report::render_prometheus(statuses);
    const std::scoped_lock lock(page_->mutex);
    page_->text = std::move(text);
  }
  if (otlp_)
    otlp_->send(options_.otlp + "/v1/metrics",
                report::render_otlp_metrics(target.status(), WEIR_VERSION));
}

void WatchOutputs::alarm(const model::WatchAlarm& alarm, const std::string& text) {
  if (webhook_) webhook_->send(options_.webhook, report::render_alarm_json(alarm));
  if (otlp_)
    otlp_->send(options_.otlp + "/v1/logs", report::render_otlp_log(alarm, text, WEIR_VERSION));
}

void WatchOutputs::close() {
  if (webhook_) webhook_->close(grace);
  if (otlp_) otlp_->close(grace);
}

}  // namespace weir::app
