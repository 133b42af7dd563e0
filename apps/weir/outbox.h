#pragma once
// Outbox: sends to one place over HTTP without making anybody wait, and says what it could not.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "weir/http/client.h"

namespace weir::app {

struct OutboxOptions {
  std::string name;                  ///< for messages: "webhook"
  std::vector<std::string> headers;  ///< of every request
  Nanos timeout{10'000'000'000};     ///< of one attempt
  int attempts = 4;
  Nanos first_pause{500'000'000};  ///< after the first failure; then twice as long each time
  /// A server's Retry-After makes a pause longer, up to this; one that asks for more is given up.
  Nanos longest_pause{60'000'000'000};
  /// Whether an answer that is not 2xx may be another if it is asked again.
  std::function<bool(long status)> may_try_again = [](long status) {
    return status == 408 || status == 429 || status >= 500;
  };
  std::size_t most_waiting = 256;  ///< what comes while so many wait is dropped, and said
  /// What an answer of 2xx refuses all the same; empty: nothing.
  std::function<std::string(const http::Answer&)> refusal;
  /// One line for a person, from the outbox's thread.
  std::function<void(const std::string&)> say;
};

/// Requests leave in the order in which they came, one at a time. Where no answer came, or one that
/// `may_try_again`, they are sent again, not before the time that Retry-After names. Of failures in
/// a row the first is said, and in the end how many there were.
class Outbox {
 public:
  explicit Outbox(OutboxOptions options);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  /// As close(), with no time left.
  ~Outbox();

  void send(std::string url, std::string body);
  /// Waits so long for what is still under way, then drops and says the rest. Nothing is sent
  /// after it.
  void close(Nanos grace);

 private:
  struct Parcel {
    std::string url;
    std::string body;
  };

  OutboxOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Parcel> waiting_;  ///< the one under way is the first
  bool closing_ = false;
  std::uint64_t lost_ = 0;      ///< in all
  std::uint64_t lost_now_ = 0;  ///< since the last that was delivered
  std::atomic<bool> cancelled_ = false;
  std::thread thread_;

  void run();
  std::string deliver(const Parcel& parcel);
  void pause(Nanos time);
  void lose(std::uint64_t count, const std::string& why);
};

}  // namespace weir::app
