#include "apps/weir/outbox.h"

#include <fmt/format.h>

#include <chrono>

namespace weir::app {

using std::chrono::nanoseconds;

Outbox::Outbox(OutboxOptions options) : options_(std::move(options)) {
  thread_ = std::thread([this] { run(); });
}

Outbox::~Outbox() {
  close(Nanos{0});
}

void Outbox::send(std::string url, std::string body) {
  const std::scoped_lock lock(mutex_);
  if (closing_ || waiting_.size() >= options_.most_waiting) {
    lose(1, fmt::format("{} are waiting already", waiting_.size()));
    return;
  }
  waiting_.push_back({std::move(url), std::move(body)});
  changed_.notify_all();
}

void Outbox::close(Nanos grace) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, nanoseconds(grace.value), [this] { return waiting_.empty(); }))
      cancelled_ = true;
    changed_.notify_all();
  }
  thread_.join();
  const std::scoped_lock lock(mutex_);
  if (!waiting_.empty()) lose(waiting_.size(), "weir has ended");
  waiting_.clear();
  if (lost_ > 1)
    options_.say(fmt::format("{}: {} in all were not delivered", options_.name, lost_));
}

/// Under the lock.
void Outbox::lose(std::uint64_t count, const std::string& why) {
  lost_ += count;
  if (lost_now_ == 0) options_.say(fmt::format("{}: not delivered: {}", options_.name, why));
  lost_now_ += count;
}

void Outbox::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty() || cancelled_) return;
    const Parcel parcel = waiting_.front();
    lock.unlock();
    const std::string failure = deliver(parcel);
    lock.lock();
    if (cancelled_ && !failure.empty()) return;  // close() counts it
    waiting_.pop_front();
    changed_.notify_all();
    if (!failure.empty()) {
      lose(1, failure);
    } else if (lost_now_ > 0) {
      options_.say(fmt::format("{}: delivers again; {} were lost", options_.name, lost_now_));
      lost_now_ = 0;
    }
  }
}

void Outbox::pause(Nanos time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, nanoseconds(time.value), [this] { return cancelled_.load(); });
}

/// Empty when it was taken; else why not.
std::string Outbox::deliver(const Parcel& parcel) {
  http::HttpOptions http;
  http.timeout = options_.timeout;
  http.cancelled = &cancelled_;
  std::string failure;
  Nanos wait = options_.first_pause;
  Nanos asked;
  for (int attempt = 1; attempt <= options_.attempts && !cancelled_; ++attempt) {
    if (attempt > 1) {
      pause(std::max(wait, asked));
      wait.value *= 2;
      if (cancelled_) break;
    }
    const auto answer = http::post(parcel.url, http, options_.headers, parcel.body);
    if (answer && answer->status >= 200 && answer->status < 300)
      return options_.refusal ? options_.refusal(*answer) : "";
    failure = answer ? fmt::format("{} answered {}", http::without_credentials(parcel.url),
                                   answer->status)
                     : to_string(answer.error());
    if (answer && !options_.may_try_again(answer->status)) return failure;
    failure += fmt::format(" (attempt {})", attempt);
    asked = answer ? answer->retry_after : Nanos{0};
    if (asked > options_.longest_pause)
      return failure +
             fmt::format(", and wants to be left alone for {} s", asked.value / 1'000'000'000);
  }
  return failure;
}

}  // namespace weir::app
