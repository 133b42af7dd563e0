// Causes that follow from what a goroutine waits on.
#include <fmt/format.h>

#include "weir/analysis/cause_rules.h"
#include "weir/model/describe.h"

namespace weir::analysis {

using model::Cause;
using model::Certainty;
using model::Channel;
using model::ChannelCase;
using model::Direction;
using model::Status;
using model::WaitKind;

namespace {

using Found = std::optional<Cause>;

/// At the end of a program, a rule about a known object has evidence: nobody new will come.
Certainty by_object(const CauseCase& one, bool object_known) {
  return object_known && one.finder.end_of_program() ? Certainty::likely : Certainty::possible;
}

std::string goroutines(std::uint64_t count) {
  return fmt::format("{} other goroutine{}", count, count == 1 ? "" : "s");
}

/// How many wait for the same thing, `same` of them; one alone is no news.
void add_waiters(Cause& cause, std::uint64_t same, std::string_view what) {
  if (same > 1) cause.evidence.push_back(fmt::format("{} goroutines {} it in all", same, what));
}

void add_active(Cause& cause, const CauseCase& one, std::string_view could) {
  const std::uint64_t active = one.finder.active();
  if (active == 0) {
    cause.evidence.push_back("no other goroutine of the program runs, sleeps or waits for IO");
  } else {
    cause.weakened_by = fmt::format(
        "{} still {} and {}", active == 1 ? "a goroutine" : fmt::format("{} goroutines", active),
        active == 1 ? "runs, sleeps or waits for IO" : "run, sleep or wait for IO", could);
  }
}

Found nil_channel(const CauseCase& one) {
  const bool send = one.kind == WaitKind::nil_channel_send;
  if (!send && one.kind != WaitKind::nil_channel_receive) return {};
  return one.cause(Certainty::proved,
                   send ? "It sends on a nil channel, which blocks for ever."
                        : "It receives from a nil channel, which blocks for ever.",
                   "Make the channel before the goroutine starts, or don't start it.");
}

Found select_empty(const CauseCase& one) {
  const bool no_cases = one.kind == WaitKind::select_no_cases;
  // Of a process weir sees every case but those on nil channels.
  const bool all_nil = one.kind == WaitKind::select && one.goroutine.g && one.blocked != nullptr &&
                       one.blocked->cases.empty() && one.blocked->unknown_why.empty();
  if (!no_cases && !all_nil) return {};
  return one.cause(Certainty::proved,
                   no_cases ? "It waits in `select {}`, which blocks for ever."
                            : "It waits in a select whose channels are all nil, for ever.",
                   "Wait for a stop channel or ctx.Done() instead.");
}

Found timer(const CauseCase& one) {
  const Channel* channel = one.channel();
  if (!one.is_channel_receive() || channel == nullptr || !is_timer_channel(*channel)) return {};
  Cause cause = one.cause(
      channel->timer ? Certainty::likely : Certainty::possible,
      "It waits for a ticker or timer and has no other way to end.",
      "Select on the ticker and a stop channel or ctx.Done(); ticker.Stop() does not close its "
      "channel, so a loop over it never ends by that.");
  cause.weakened_by = "the timer may fire once more and the goroutine end then";
  return cause;
}

Found send(const CauseCase& one) {
  if (one.kind != WaitKind::channel_send) return {};
  const Channel* channel = one.channel();
  const bool full = channel != nullptr && channel->capacity > 0;
  Cause cause = one.cause(
      by_object(one, channel != nullptr),
      full ? "It sends on a channel whose buffer is full, and no receiver is left."
           : "It sends on a channel, and no receiver is left.",
      "Give the channel room for every send, or select on the send and ctx.Done(), so that it can "
      "end when nobody receives any more.");
  if (channel != nullptr)
    add_waiters(cause, one.finder.waiters(channel->address).senders, "wait to send on");
  add_active(cause, one, "could receive");
  return cause;
}

Found stop_channel(const CauseCase& one) {
  const Channel* channel = one.channel();
  if (!one.is_channel_receive() || channel == nullptr || !is_stop_channel(*channel)) return {};
  Cause cause =
      one.cause(by_object(one, true),
                "It waits for a stop channel (ctx.Done() or a chan struct{}) that nobody closes.",
                "Call the context's cancel function, or close the channel, at the end.");
  add_waiters(cause, one.finder.waiters(channel->address).receivers, "wait for");
  add_active(cause, one, "could close it");
  return cause;
}

/// `for v := range c` and `v, ok := <-c` call chanrecv2; a plain `<-c` calls chanrecv1.
Found range(const CauseCase& one) {
  if (!one.is_channel_receive() || !one.has_frame("runtime.chanrecv2")) return {};
  const Channel* channel = one.channel();
  Cause cause = one.cause(by_object(one, channel != nullptr),
                          "It receives (range or `v, ok :=`) from a channel that nobody closes.",
                          "Close the channel where the last value is sent.");
  cause.evidence.push_back("the receive is a range or comma-ok one (runtime.chanrecv2)");
  if (channel != nullptr)
    add_waiters(cause, one.finder.waiters(channel->address).receivers, "receive from");
  add_active(cause, one, "could send or close");
  return cause;
}

Found receive(const CauseCase& one) {
  if (!one.is_channel_receive()) return {};
  const Channel* channel = one.channel();
  Cause cause = one.cause(
      by_object(one, channel != nullptr),
      "It receives from a channel on which nobody sends any more and which nobody closes.",
      "Make sure that every path of the sender sends or closes, or select on the receive and "
      "ctx.Done().");
  if (channel != nullptr)
    add_waiters(cause, one.finder.waiters(channel->address).receivers, "receive from");
  add_active(cause, one, "could send or close");
  return cause;
}

bool receives(const ChannelCase& one) {
  return one.direction == Direction::receive;
}

Found select_stop(const CauseCase& one) {
  if (one.kind != WaitKind::select) return {};
  const ChannelCase* stop =
      one.find_case([](const ChannelCase& c) { return receives(c) && is_stop_channel(c.channel); });
  if (stop == nullptr) return {};
  const bool ticks = one.find_case([](const ChannelCase& c) {
    return receives(c) && is_timer_channel(c.channel);
  }) != nullptr;
  Cause cause = one.cause(
      by_object(one, true),
      ticks ? "It is a loop over a ticker or timer whose stop channel nobody closes."
            : "It waits in a select whose stop channel (ctx.Done() or a chan struct{}) nobody "
              "closes.",
      "Call the context's cancel function, or close the channel, and wait until it has ended.");
  cause.evidence.push_back("stop channel: " + model::describe(stop->channel));
  add_active(cause, one, "could close it");
  return cause;
}

Found select_no_stop(const CauseCase& one) {
  if (one.kind != WaitKind::select || one.blocked == nullptr || one.blocked->cases.empty())
    return {};
  const bool ticks = one.find_case([](const ChannelCase& c) {
    return receives(c) && is_timer_channel(c.channel);
  }) != nullptr;
  Cause cause = one.cause(
      Certainty::possible,
      ticks ? "It waits for a ticker or timer in a select that has no case to stop it."
            : "It waits in a select that has no case to stop it: ctx.Done() is not selected.",
      "Add a case on ctx.Done() or a stop channel.");
  cause.evidence.push_back("none of its cases receives from a chan struct{}");
  cause.weakened_by = "one of the other channels may be the way to stop it";
  return cause;
}

Found select_any(const CauseCase& one) {
  if (one.kind != WaitKind::select) return {};
  return one.cause(Certainty::possible, "It waits in a select and none of its cases comes.",
                   "Check that the select has a case on ctx.Done() or a stop channel, and that "
                   "somebody closes it.");
}

Found wait_group(const CauseCase& one) {
  if (one.kind != WaitKind::wait_group) return {};
  const Address object = one.blocked == nullptr ? Address{} : one.blocked->object;
  Cause cause = one.cause(Certainty::possible,
                          "It waits for a WaitGroup that never gets to zero: a Done() is missing, "
                          "or comes from a goroutine that lingers too.",
                          "Call wg.Done() by defer, first thing in the goroutine; call wg.Add() "
                          "before the `go` statement.");
  const std::uint64_t same = object ? one.finder.waiters(object).others : 1;
  const std::uint64_t others = one.finder.users() - std::min(one.finder.users(), same);
  if (others == 0) {
    cause.certainty = by_object(one, static_cast<bool>(object));
    cause.sentence = "It waits for a WaitGroup, and no goroutine is left that could call Done().";
    cause.evidence.push_back("no other goroutine of the program is left");
  } else {
    cause.weakened_by = goroutines(others) + " may yet call Done()";
  }
  return cause;
}

Found lock(const CauseCase& one) {
  const bool fits = one.kind == WaitKind::mutex || one.kind == WaitKind::rwmutex_lock ||
                    one.kind == WaitKind::rwmutex_rlock;
  if (!fits) return {};
  const Address object = one.blocked == nullptr ? Address{} : one.blocked->object;
  Cause cause = one.cause(by_object(one, static_cast<bool>(object) && one.finder.active() == 0),
                          "It waits for a lock that was never released: an Unlock() is missing, "
                          "or its holder lingers too.",
                          "Unlock by defer; don't block (channel, IO, another lock) while holding "
                          "it.");
  if (object) add_waiters(cause, one.finder.waiters(object).others, "wait for");
  add_active(cause, one, "may hold it");
  return cause;
}

Found cond(const CauseCase& one) {
  if (one.kind != WaitKind::cond) return {};
  Cause cause =
      one.cause(Certainty::possible, "It waits for a sync.Cond that nobody signals any more.",
                "Broadcast() when the work ends, and let the waiters' loop check for that.");
  add_active(cause, one, "could signal it");
  return cause;
}

Found sleep(const CauseCase& one) {
  if (one.kind != WaitKind::sleep) return {};
  return one.cause(Certainty::possible,
                   "It sleeps in time.Sleep, probably in a loop without a way to stop.",
                   "Wait in a select on time.After or a ticker and ctx.Done().");
}

Found io(const CauseCase& one) {
  if (one.kind != WaitKind::io) return {};
  return one.cause(Certainty::possible,
                   "It waits for the network, a pipe or a terminal, without anyone who closes it.",
                   "Close the connection or file at the end, or set a deadline.");
}

Found semaphore(const CauseCase& one) {
  if (one.kind != WaitKind::semaphore) return {};
  return one.cause(Certainty::possible, "It waits for a lock or semaphore inside a library.",
                   "Look for the goroutine that holds it in the frames above.");
}

Found system_call(const CauseCase& one) {
  if (one.goroutine.status != Status::syscall) return {};
  return one.cause(Certainty::possible,
                   "It is in a system call or in C code, which has not returned.",
                   "Close the file it reads, or give the call a deadline.");
}

Found running(const CauseCase& one) {
  if (one.kind) return {};
  if (one.goroutine.status == Status::unknown) return {};
  return one.cause(Certainty::possible,
                   "It still runs: a loop without an end, or work that nobody waits for.",
                   "Check ctx.Done() in the loop, and wait for the goroutine at the end.");
}

constexpr CauseRule rules[] = {
    {"nil-channel", nil_channel},
    {"select-empty", select_empty},
    {"ticker-not-stopped", timer},
    {"send-no-receiver", send},
    {"stop-never-closed", stop_channel},
    {"range-never-closed", range},
    {"receive-no-sender", receive},
    {"select-stop-never-closed", select_stop},
    {"select-no-stop", select_no_stop},
    {"select-waits", select_any},
    {"waitgroup-never-done", wait_group},
    {"lock-never-released", lock},
    {"cond-never-signalled", cond},
    {"sleep-loop", sleep},
    {"io-wait", io},
    {"semaphore", semaphore},
    {"system-call", system_call},
    {"still-running", running},
};

}  // namespace

std::span<const CauseRule> wait_rules() {
  return rules;
}

}  // namespace weir::analysis
