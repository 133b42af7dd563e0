#pragma once
// From a Snapshot at the end of a program to findings, and from findings and a baseline to a
// verdict.
#include <unordered_set>
#include <vector>

#include "weir/analysis/attribution.h"
#include "weir/analysis/filter.h"
#include "weir/model/gate.h"
#include "weir/model/snapshot.h"

namespace weir::analysis {

struct Judgement {
  std::vector<model::Finding> findings;  ///< largest first, then by key
  std::uint64_t ignored = 0;
};

/// Filter, attribute, group, explain. `end_of_program` as in find_cause.
Judgement judge(const model::Snapshot& snapshot, const model::IgnoreRules& rules,
                const TestFacts& facts, bool end_of_program = true);

/// Marks findings that the baseline knows.
void mark_known(std::vector<model::Finding>& findings, const model::Baseline& baseline);

/// Puts program results together: sorts them, marks what is known, and finds the baseline's entries
/// that this run did not see. `baseline` null: there is none. `whole_run` false: packages were
/// left out on purpose (`-run`), so "not seen" means nothing and stays empty.
model::GateReport put_together(std::vector<model::ExecResult> programs,
                               const model::Baseline* baseline, bool strict, bool whole_run = true);

/// The baseline after `-update-baseline`: every finding of the report, with the notes of entries
/// that stay; entries of packages that were not in this run stay as well.
model::Baseline update_baseline(const model::Baseline& old, const model::GateReport& report);

}  // namespace weir::analysis
