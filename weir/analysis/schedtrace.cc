#include "weir/analysis/schedtrace.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace weir::analysis {

using model::SchedReport;
using model::SchedSample;
using model::SchedVerdict;
using model::SchedVerdictKind;

namespace {

using Samples = std::vector<SchedSample>;
/// Whether sample i belongs to a run; i may look back at i - 1.
using Holds = std::function<bool(const Samples&, std::size_t)>;
using Tell =
    std::function<void(const Samples&, std::size_t first, std::size_t last, SchedVerdict&)>;

struct Rule {
  SchedVerdictKind kind;
  bool is_finding;
  Holds holds;
  Tell tell;
};

bool nothing_scheduled(const Samples& samples, std::size_t i) {
  return i > 0 && samples[i].sched_ticks && samples[i - 1].sched_ticks &&
         *samples[i].sched_ticks == *samples[i - 1].sched_ticks;
}

std::uint64_t most_queued(const Samples& samples, std::size_t first, std::size_t last) {
  std::uint64_t most = 0;
  for (std::size_t i = first; i <= last; ++i) most = std::max(most, samples[i].queued());
  return most;
}

/// "chan receive 12, select 3": the most common first.
std::string reasons_of(const SchedSample& sample) {
  std::vector<std::pair<std::string, std::uint64_t>> all(sample.waiting_for.begin(),
                                                         sample.waiting_for.end());
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < all.size() && i < 3; ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", all[i].first, all[i].second);
  return text;
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all{
      {SchedVerdictKind::stalled, true,
       [](const Samples& s, std::size_t i) {
         return i > 0 && s[i].detailed && s[i].idle_procs == s[i].gomaxprocs &&
                s[i].queued() == 0 && s[i].waiting > s[i - 1].waiting;
       },
       [](const Samples& s, std::size_t first, std::size_t last, SchedVerdict& v) {
         v.text = fmt::format(
             "All {} Ps are idle and the run queues empty, while the goroutines that wait grew "
             "from {} to {} ({}).",
             s[last].gomaxprocs, s[first - 1].waiting, s[last].waiting, reasons_of(s[last]));
         v.advice = "weir why on the process says what they wait for";
       }},
      {SchedVerdictKind::frozen, true,
       [](const Samples& s, std::size_t i) {
         return nothing_scheduled(s, i) && s[i].idle_procs < s[i].gomaxprocs && s[i].queued() > 0;
       },
       [](const Samples& s, std::size_t first, std::size_t last, SchedVerdict& v) {
         v.text = fmt::format(
             "Nothing was scheduled, though up to {} goroutines queue and {} of {} Ps are busy.",
             most_queued(s, first, last), s[last].gomaxprocs - s[last].idle_procs,
             s[last].gomaxprocs);
         v.advice = "a loop that cannot be preempted, or a call into C, holds the P";
       }},
      {SchedVerdictKind::unserved, true,
       [](const Samples& s, std::size_t i) {
         return s[i].idle_procs > 0 && s[i].queued() > 0 && !s[i].gc_waiting;
       },
       [](const Samples& s, std::size_t first, std::size_t last, SchedVerdict& v) {
         v.text = fmt::format("Up to {} goroutines queue while Ps are idle ({} of {} at the end).",
                              most_queued(s, first, last), s[last].idle_procs, s[last].gomaxprocs);
         v.advice = "the machine may have no CPU for them: see its load, or a CPU limit";
       }},
      {SchedVerdictKind::starved, false,
       [](const Samples& s, std::size_t i) {
         return s[i].idle_procs == 0 && s[i].queued() > s[i].gomaxprocs;
       },
       [](const Samples& s, std::size_t first, std::size_t last, SchedVerdict& v) {
         v.text = fmt::format("No P is idle and up to {} goroutines queue for {} Ps.",
                              most_queued(s, first, last), s[last].gomaxprocs);
         v.advice = "the program wants more CPU than GOMAXPROCS gives it";
       }},
      {SchedVerdictKind::imbalance, false,
       [](const Samples& s, std::size_t i) {
         return s[i].gomaxprocs > 1 && s[i].longest_local >= 16 &&
                s[i].longest_local * 10 >= s[i].local_queues * 9;
       },
       [](const Samples& s, std::size_t, std::size_t last, SchedVerdict& v) {
         v.text = fmt::format("One P has {} of the {} goroutines in the Ps' queues.",
                              s[last].longest_local, s[last].local_queues);
         v.advice = "one goroutine makes work faster than the others steal it";
       }},
      {SchedVerdictKind::idle, false,
       [](const Samples& s, std::size_t i) {
         return s[i].idle_procs == s[i].gomaxprocs && s[i].queued() == 0;
       },
       [](const Samples& s, std::size_t, std::size_t last, SchedVerdict& v) {
         v.text = "All Ps are idle: the program has nothing to do, or is stuck.";
         const std::string reasons = reasons_of(s[last]);
         if (!reasons.empty())
           v.text = fmt::format(
               "All Ps are idle, and {} goroutines wait ({}): the program has nothing to do, or is "
               "stuck.",
               s[last].waiting, reasons);
         v.advice = "weir why on the process can tell which";
       }},
  };
  return all;
}

void add_runs(const Samples& samples, const Rule& rule, std::vector<SchedVerdict>& verdicts) {
  std::size_t first = 0, length = 0;
  for (std::size_t i = 0; i <= samples.size(); ++i) {
    if (i < samples.size() && rule.holds(samples, i)) {
      if (length++ == 0) first = i;
      continue;
    }
    if (length >= samples_for_verdict) {
      SchedVerdict verdict;
      verdict.kind = rule.kind;
      verdict.is_finding = rule.is_finding;
      verdict.from = samples[first].at;
      verdict.to = samples[i - 1].at;
      verdict.samples = length;
      rule.tell(samples, first, i - 1, verdict);
      verdicts.push_back(std::move(verdict));
    }
    length = 0;
  }
}

void add_threads(const Samples& samples, std::vector<SchedVerdict>& verdicts) {
  if (samples.size() <= samples_for_verdict) return;
  const SchedSample &first = samples.front(), &last = samples.back();
  for (std::size_t i = 1; i < samples.size(); ++i)
    if (samples[i].threads < samples[i - 1].threads) return;
  if (last.threads < 2 * first.threads || last.threads < last.gomaxprocs + 16) return;
  SchedVerdict verdict;
  verdict.kind = SchedVerdictKind::threads;
  verdict.is_finding = true;
  verdict.from = first.at;
  verdict.to = last.at;
  verdict.samples = samples.size();
  verdict.text = fmt::format("Threads grew from {} to {} and never went down; GOMAXPROCS is {}.",
                             first.threads, last.threads, last.gomaxprocs);
  verdict.advice = "system calls or C calls that do not return keep a thread each";
  verdicts.push_back(std::move(verdict));
}

template <class Value>
model::SchedSpread spread(const Samples& samples, const Value& value) {
  model::SchedSpread spread{~std::uint64_t{0}, 0, 0};
  for (const SchedSample& sample : samples) {
    spread.least = std::min(spread.least, value(sample));
    spread.most = std::max(spread.most, value(sample));
    spread.mean += static_cast<double>(value(sample)) / static_cast<double>(samples.size());
  }
  if (samples.empty()) spread.least = 0;
  return spread;
}

}  // namespace

model::SchedReport judge_schedule(std::vector<SchedSample> samples) {
  SchedReport report;
  report.count = samples.size();
  if (!samples.empty()) {
    report.span = Nanos{samples.back().at.value - samples.front().at.value};
    report.gomaxprocs = samples.back().gomaxprocs;
  }
  report.run_queue = spread(samples, [](const auto& s) { return s.run_queue; });
  report.local_queues = spread(samples, [](const auto& s) { return s.local_queues; });
  report.idle_procs = spread(samples, [](const auto& s) { return s.idle_procs; });
  report.threads = spread(samples, [](const auto& s) { return s.threads; });
  report.waiting = spread(samples, [](const auto& s) { return s.waiting; });
  for (const SchedSample& sample : samples) {
    if (sample.idle_procs > 0 && sample.queued() > 0) ++report.idle_while_queued;
    report.detailed = report.detailed || sample.detailed;
  }
  for (const Rule& rule : rules()) add_runs(samples, rule, report.verdicts);
  add_threads(samples, report.verdicts);
  std::ranges::stable_sort(report.verdicts, [](const SchedVerdict& a, const SchedVerdict& b) {
    return a.is_finding > b.is_finding;
  });
  report.samples = std::move(samples);
  return report;
}

}  // namespace weir::analysis
