#include "weir/analysis/judge.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "weir/analysis/cause.h"
#include "weir/analysis/group.h"
#include "weir/model/describe.h"
#include "weir/model/goname.h"

namespace weir::analysis {

using model::Baseline;
using model::BaselineEntry;
using model::ExecResult;
using model::Finding;
using model::Goroutine;
using model::Snapshot;

namespace {

std::vector<model::CodePlace> shown_stack(const Goroutine& goroutine) {
  std::vector<model::CodePlace> places;
  if (!goroutine.stack) return places;
  for (const bool everything : {false, true}) {
    for (const model::Frame& frame : *goroutine.stack) {
      if (everything || (!frame.wrapper && model::is_shown(frame.function, places.empty())))
        places.push_back({model::name_in_traceback(frame.function), frame.file, frame.line});
    }
    if (!places.empty()) break;
  }
  return places;
}

constexpr std::size_t max_others = 4;

std::vector<model::OtherStack> other_stacks(const Snapshot& snapshot, const Group& group,
                                            const std::vector<model::CodePlace>& exemplar) {
  // Most members share one Stack.
  std::map<const model::Stack*, std::uint64_t> counts;
  for (const std::size_t member : group.members) ++counts[snapshot.goroutines[member].stack.get()];
  std::vector<model::OtherStack> others;
  for (const std::size_t member : group.members) {
    const auto counted = counts.find(snapshot.goroutines[member].stack.get());
    if (counted == counts.end()) continue;
    const std::uint64_t count = counted->second;
    counts.erase(counted);
    auto stack = shown_stack(snapshot.goroutines[member]);
    if (stack == exemplar) continue;
    const auto same = std::find_if(others.begin(), others.end(),
                                   [&](const auto& other) { return other.stack == stack; });
    if (same == others.end()) {
      others.push_back({count, std::move(stack)});
    } else {
      same->count += count;
    }
  }
  std::stable_sort(others.begin(), others.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  if (others.size() > max_others) others.resize(max_others);
  return others;
}

/// Every goroutine of the group is proved leaked by reachability.
bool all_proved(const Snapshot& snapshot, const Group& group) {
  if (!snapshot.proof) return false;
  return std::all_of(group.members.begin(), group.members.end(), [&](std::size_t member) {
    const auto* one = snapshot.proof->find(snapshot.goroutines[member].id);
    return one != nullptr && one->verdict == model::ProofVerdict::proved;
  });
}

Finding finding_of(const Snapshot& snapshot, const Group& group, const CauseFinder& causes) {
  const Goroutine& goroutine = snapshot.goroutines.at(group.exemplar);
  Finding finding;
  finding.fingerprint = group.fingerprint;
  finding.count = group.members.size();
  finding.tests = group.tests;
  finding.exemplar = goroutine.id;
  finding.state = model::state_of(goroutine);
  finding.oldest = group.oldest;
  if (goroutine.blocked_on) finding.blocked_on = model::describe(*goroutine.blocked_on);
  finding.stack = shown_stack(goroutine);
  finding.others = other_stacks(snapshot, group, finding.stack);
  finding.created = {model::name_in_traceback(goroutine.created.function), goroutine.created.file,
                     goroutine.created.line};
  finding.cause = causes.of(group.exemplar);
  if (all_proved(snapshot, group)) {
    finding.cause.certainty = model::Certainty::proved;
    finding.cause.evidence.push_back(snapshot.proof->find(goroutine.id)->because);
    finding.cause.weakened_by.clear();
  }
  if (finding.cause.certainty == model::Certainty::proved) finding.verdict = model::Verdict::leaked;
  return finding;
}

}  // namespace

Judgement judge(const Snapshot& snapshot, const model::IgnoreRules& rules, const TestFacts& facts,
                bool end_of_program) {
  const std::vector<std::size_t> chosen =
      lingering(snapshot, rules, facts.before_first_test, facts.ending);
  Judgement judgement;
  judgement.ignored = snapshot.goroutines.size() - chosen.size();
  if (chosen.empty()) return judgement;
  const Attribution owners = attribute(snapshot, facts);
  const CauseFinder causes(snapshot, end_of_program);
  for (const Group& one : group(snapshot, chosen, &owners))
    judgement.findings.push_back(finding_of(snapshot, one, causes));
  return judgement;
}

void mark_known(std::vector<Finding>& findings, const Baseline& baseline) {
  std::set<std::string> known;
  for (const BaselineEntry& entry : baseline.entries) known.insert(entry.fingerprint.id);
  for (Finding& finding : findings) finding.known = known.contains(finding.fingerprint.id);
}

model::GateReport put_together(std::vector<ExecResult> programs, const Baseline* baseline,
                               bool strict, bool whole_run) {
  model::GateReport report;
  report.programs = std::move(programs);
  std::stable_sort(report.programs.begin(), report.programs.end(),
                   [](const auto& a, const auto& b) { return a.package < b.package; });
  report.strict = strict;
  report.has_baseline = baseline != nullptr;
  if (baseline == nullptr) return report;
  std::set<std::string> seen;
  for (ExecResult& program : report.programs) {
    mark_known(program.findings, *baseline);
    for (const Finding& finding : program.findings) seen.insert(finding.fingerprint.id);
  }
  if (!whole_run) return report;
  for (const BaselineEntry& entry : baseline->entries) {
    if (!seen.contains(entry.fingerprint.id)) report.not_seen.push_back(entry);
  }
  return report;
}

Baseline update_baseline(const Baseline& old, const model::GateReport& report) {
  std::set<std::string> checked;
  for (const ExecResult& program : report.programs) {
    if (program.not_checked.empty()) checked.insert(program.package);
  }
  std::map<std::string, BaselineEntry> by_id;
  std::map<std::string, std::string> notes;
  for (const BaselineEntry& entry : old.entries) {
    notes[entry.fingerprint.id] = entry.note;
    BaselineEntry kept = entry;
    std::erase_if(kept.packages, [&](const std::string& name) { return checked.contains(name); });
    // Seen elsewhere, in a package this run did not look at: still known.
    if (!kept.packages.empty()) by_id[entry.fingerprint.id] = std::move(kept);
  }
  for (const ExecResult& program : report.programs) {
    for (const Finding& finding : program.findings) {
      BaselineEntry& entry = by_id[finding.fingerprint.id];
      const bool is_new = entry.packages.empty();
      entry.fingerprint = finding.fingerprint;
      entry.count = is_new ? finding.count : std::max(entry.count, finding.count);
      entry.packages.push_back(program.package);
      entry.note = notes[finding.fingerprint.id];
    }
  }
  Baseline made;
  for (auto& [id, entry] : by_id) {
    std::sort(entry.packages.begin(), entry.packages.end());
    entry.packages.erase(std::unique(entry.packages.begin(), entry.packages.end()),
                         entry.packages.end());
    made.entries.push_back(std::move(entry));
  }
  std::sort(made.entries.begin(), made.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.fingerprint.key, a.fingerprint.id) <
           std::tie(b.fingerprint.key, b.fingerprint.id);
  });
  return made;
}

}  // namespace weir::analysis
