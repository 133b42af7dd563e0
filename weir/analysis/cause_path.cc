#include "weir/analysis/cause_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/analysis/fingerprint.h"
#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::CausePath;
using model::Certainty;
using model::Frame;
using model::Goroutine;
using model::Tally;
using model::TallyEntry;
using model::WaitKind;
using model::WatchChange;

namespace {

/// Of what grew in the user's code, so much must be one chain.
constexpr double most_of_growth = 0.8;

constexpr const char* ask_chain = "same call chain?";
constexpr const char* ask_shared = "a shared channel or WaitGroup?";
constexpr const char* ask_close = "is close() skipped by a panic or early return?";
constexpr const char* ask_http = "an HTTP handler without defer, or a body not closed?";
constexpr const char* ask_timer = "a timer or ticker?";

bool has_function(const Goroutine& goroutine, std::string_view function) {
  return goroutine.stack &&
         std::any_of(goroutine.stack->begin(), goroutine.stack->end(),
                     [&](const Frame& frame) { return frame.function == function; });
}

bool has_user_code(const Goroutine& goroutine) {
  return goroutine.stack &&
         std::any_of(goroutine.stack->begin(), goroutine.stack->end(), is_user_frame);
}

bool serves_http(const Goroutine& goroutine) {
  return has_function(goroutine, "net/http.(*conn).serve");
}
bool reads_response(const Goroutine& goroutine) {
  return has_function(goroutine, "net/http.(*persistConn).readLoop");
}
bool is_client_connection(const Goroutine& goroutine) {
  return reads_response(goroutine) || has_function(goroutine, "net/http.(*persistConn).writeLoop");
}

/// What a channel's waiter wants of the other side.
enum class Wants : std::uint8_t { receiver, sender_or_close, stop, done, unlock, nothing };

Wants wants_of(std::optional<WaitKind> kind) {
  if (!kind) return Wants::nothing;
  switch (*kind) {
    case WaitKind::channel_send:
    case WaitKind::nil_channel_send:
      return Wants::receiver;
    case WaitKind::channel_receive:
    case WaitKind::nil_channel_receive:
      return Wants::sender_or_close;
    case WaitKind::select:
      return Wants::stop;
    case WaitKind::wait_group:
      return Wants::done;
    case WaitKind::mutex:
    case WaitKind::rwmutex_lock:
    case WaitKind::rwmutex_rlock:
      return Wants::unlock;
    default:
      return Wants::nothing;
  }
}

bool is_timer(const model::Channel& channel) {
  return channel.timer || channel.element_type == "time.Time";
}

/// The only thing it waits for is a timer's channel; `sure` when the runtime itself says so.
bool waits_for_timer(const Goroutine& goroutine, bool& sure) {
  if (wait_kind(goroutine) == WaitKind::sleep) return sure = true;
  if (!goroutine.blocked_on || goroutine.blocked_on->cases.empty()) return false;
  const auto& cases = goroutine.blocked_on->cases;
  sure = std::all_of(cases.begin(), cases.end(), [](const auto& one) { return one.channel.timer; });
  return std::all_of(cases.begin(), cases.end(),
                     [](const auto& one) { return is_timer(one.channel); });
}

/// The walk: what is asked, and what has been answered so far.
class Walk {
 public:
  Walk(const Tally& now, const std::string& subject, const std::vector<WatchChange>& changes)
      : now_(now), subject_(subject), changes_(changes) {
    const FingerprintParts parts{now.knows.wait, now.knows.creator};
    for (const TallyEntry& entry : now.entries) {
      const bool mine = fingerprint(entry.exemplar, parts).id == subject;
      (mine ? mine_ : others_).push_back(&entry);
      if (!mine) continue;
      count_ += entry.count;
      if (largest_ == nullptr || entry.count > largest_->count) largest_ = &entry;
    }
  }

  CausePath walk() {
    if (largest_ == nullptr) return end("unknown", Certainty::possible, "It is gone already.", "");
    // Where it is not told whether close() was skipped, the handler it happens in is the next clue.
    const bool chain = same_chain();
    const bool shared = chain && shared_object();
    if (shared && close_skipped()) return std::move(path_);
    if ((!shared || serves_http(goroutine())) && http()) return std::move(path_);
    if (shared) return may_be_skipped();
    if (timer()) return std::move(path_);
    return end("unknown", Certainty::possible, "weir knows no pattern for this.",
               "Look at the stack, and at who starts these goroutines.");
  }

  const Goroutine* exemplar() const { return largest_ == nullptr ? nullptr : &largest_->exemplar; }

 private:
  const Tally& now_;
  const std::string& subject_;
  const std::vector<WatchChange>& changes_;
  std::vector<const TallyEntry*> mine_, others_;
  const TallyEntry* largest_ = nullptr;
  std::uint64_t count_ = 0;
  CausePath path_;

  const Goroutine& goroutine() const { return largest_->exemplar; }
  Wants wants() const { return wants_of(now_.knows.wait ? wait_kind(goroutine()) : std::nullopt); }

  void answer(const char* question, const char* said, std::string evidence) {
    path_.steps.push_back({question, said, std::move(evidence)});
  }
  CausePath end(const char* branch, Certainty certainty, std::string sentence, std::string advice,
                std::string weakened_by = {}) {
    path_.branch = branch;
    path_.certainty = certainty;
    path_.sentence = std::move(sentence);
    path_.advice = std::move(advice);
    path_.weakened_by = std::move(weakened_by);
    return path_;
  }

  bool same_chain();
  bool shared_object();
  bool close_skipped();
  CausePath may_be_skipped();
  bool http();
  bool timer();
};

bool Walk::same_chain() {
  if (!has_user_code(goroutine())) {
    answer(ask_chain, "no", "none of the program's own functions is on the stack");
    return false;
  }
  const FingerprintParts parts{now_.knows.wait, now_.knows.creator};
  std::uint64_t here = 0, all = 0;
  for (const WatchChange& change : changes_) {
    if (change.now <= change.first) continue;
    const bool user = std::any_of(now_.entries.begin(), now_.entries.end(), [&](const auto& entry) {
      return has_user_code(entry.exemplar) &&
             fingerprint(entry.exemplar, parts).id == change.fingerprint.id;
    });
    if (!user) continue;
    all += change.now - change.first;
    if (change.fingerprint.id == subject_) here += change.now - change.first;
  }
  if (all == 0) {
    answer(ask_chain, "yes", fmt::format("all {} have the same functions on the stack", count_));
    return true;
  }
  const bool same = static_cast<double>(here) >= most_of_growth * static_cast<double>(all);
  answer(ask_chain, same ? "yes" : "no",
         fmt::format("{} of {} goroutines that the program's code has more than in the beginning "
                     "are here",
                     here, all));
  return same;
}

bool Walk::shared_object() {
  bool sure = false;
  if (wants() == Wants::nothing || waits_for_timer(goroutine(), sure)) {
    answer(ask_shared, "no",
           now_.knows.wait ? "state: " + model::state_of(goroutine())
                           : "debug=1 does not tell what they wait for");
    return false;
  }
  const std::string what = goroutine().blocked_on ? model::describe(*goroutine().blocked_on)
                                                  : std::string(wait_word(wait_kind(goroutine())));
  std::uint64_t objects = 0;
  const bool known = std::all_of(mine_.begin(), mine_.end(), [&](const TallyEntry* entry) {
    objects += entry->objects.value_or(0);
    return entry->objects.has_value();
  });
  if (!known) {
    answer(ask_shared, "yes", fmt::format("{}; this evidence does not tell which one", what));
  } else if (objects == 1 && count_ > 1) {
    answer(ask_shared, "yes", fmt::format("all {} wait for one: {}", count_, what));
  } else {
    answer(
        ask_shared, "yes",
        fmt::format("{} for {} goroutines, each with its other side: {}", objects, count_, what));
  }
  return true;
}

struct Skipped {
  const char* branch;
  const char* sentence;  ///< {} is the function that started them
  const char* advice;
};

Skipped skipped(Wants wants) {
  switch (wants) {
    case Wants::receiver:
      return {"receiver-returned",
              "They send, and {} has returned without receiving: an early return or a panic came "
              "first.",
              "Give the channel room for every send, or select on the send and ctx.Done()."};
    case Wants::stop:
      return {"stop-skipped",
              "They wait in a select, and {} has returned without closing or cancelling what would "
              "end it.",
              "Call cancel() or close() by defer, right after the channel or context is made."};
    case Wants::done:
      return {"done-skipped",
              "They wait for a WaitGroup whose Done() is skipped by a panic or early return.",
              "Call wg.Done() by defer, first thing in the goroutine."};
    case Wants::unlock:
      return {"unlock-skipped",
              "They wait for a lock whose Unlock() is skipped by a panic or early return, or whose "
              "holder waits too.",
              "Unlock by defer; don't block while holding it."};
    default:
      return {"close-skipped",
              "They receive, and {} has returned without sending or close(): an early return or a "
              "panic came first.",
              "Close the channel by defer, where the last value is sent."};
  }
}

/// The function that started them is where close(), cancel() or the receive stands, as a rule.
bool Walk::close_skipped() {
  const Wants what = wants();
  if (what == Wants::done || what == Wants::unlock) {
    answer(ask_close, "not known", "who has to call Done() or Unlock() is in no stack");
    return false;
  }
  const std::string& creator = goroutine().created.function;
  if (creator.empty() || !model::is_user_function(creator)) {
    answer(ask_close, "not known",
           creator.empty() ? "this evidence does not tell who started them"
                           : "they were started by " + creator);
    return false;
  }
  std::uint64_t there = 0;
  for (const TallyEntry& entry : now_.entries)
    if (has_function(entry.exemplar, creator)) there += entry.count;
  if (there > 0 || now_.partial) {
    answer(ask_close, "not known",
           there > 0 ? fmt::format("{}, which started them, is still on the stack of {}", creator,
                                   there == 1 ? "a goroutine" : fmt::format("{} goroutines", there))
                     : "the look at the program is partial");
    return false;
  }
  answer(ask_close, "yes", fmt::format("{}, which started them, is on no stack any more", creator));
  const Skipped way = skipped(what);
  end(way.branch, Certainty::likely, fmt::format(fmt::runtime(way.sentence), creator), way.advice,
      "another function may hold the other side");
  return true;
}

CausePath Walk::may_be_skipped() {
  const Skipped way = skipped(wants());
  const std::string& creator = goroutine().created.function;
  const char* who = "the other side";
  std::string sentence = way.sentence;
  if (sentence.find("{}") != std::string::npos)
    sentence = fmt::format(fmt::runtime(sentence), creator.empty() ? who : "the other side");
  return end(way.branch, Certainty::possible, sentence, way.advice,
             "the other side may still come");
}

bool Walk::http() {
  if (is_client_connection(goroutine())) {
    const auto open = [](const TallyEntry& entry) {
      return reads_response(entry.exemplar) && wait_kind(entry.exemplar) == WaitKind::select;
    };
    const bool body = std::any_of(now_.entries.begin(), now_.entries.end(), open);
    answer(ask_http, body ? "yes" : "no",
           body ? "connections of an HTTP client wait for their response's body to be read"
                : "connections of an HTTP client are idle");
    if (!body) {
      end("client-connections", Certainty::possible,
          "An HTTP client keeps connections: it is made anew for each request, or its pool has no "
          "limit.",
          "Use one http.Client for all requests; set IdleConnTimeout.");
    } else {
      end("body-not-closed", Certainty::likely,
          "The bodies of HTTP responses are not read to their end and closed.",
          "Call `defer resp.Body.Close()` right behind the error check, on every path.",
          "the requests may still be under way");
    }
    return true;
  }
  if (!serves_http(goroutine())) {
    answer(ask_http, "no", "no HTTP handler or client connection is on the stack");
    return false;
  }
  if (!has_user_code(goroutine())) {
    answer(ask_http, "no", "connections of clients wait for their next request");
    end("idle-connections", Certainty::possible,
        "Clients keep connections open that the server does not close.",
        "Set IdleTimeout and ReadHeaderTimeout on the http.Server.");
    return true;
  }
  answer(ask_http, "yes", "an HTTP handler is on the stack and does not return");
  end("handler-stuck", Certainty::possible,
      "An HTTP handler waits for something that another path does not give back: a defer is "
      "missing, or is not reached.",
      "Release by defer what other requests wait for; wait with r.Context().Done() as well.",
      "it may be slow and not stuck");
  return true;
}

bool Walk::timer() {
  bool sure = false;
  if (!waits_for_timer(goroutine(), sure)) {
    answer(ask_timer, "no",
           "state: " + (now_.knows.wait ? model::state_of(goroutine()) : std::string("not told")));
    return false;
  }
  answer(ask_timer, "yes", "they wait for nothing but a timer");
  end("timer", sure ? Certainty::likely : Certainty::possible,
      "They sleep or wait for a ticker in a loop that has no way to stop.",
      "Select on the timer and ctx.Done(); ticker.Stop() does not close its channel.",
      "the loop may end after the timer has fired");
  return true;
}

}  // namespace

CausePath walk_cause_path(const Tally& now, const std::string& subject,
                          const std::vector<WatchChange>& changes) {
  return Walk(now, subject, changes).walk();
}

const Goroutine* find_exemplar(const Tally& now, const std::string& subject) {
  static const std::vector<WatchChange> none;
  return Walk(now, subject, none).exemplar();
}

}  // namespace weir::analysis
