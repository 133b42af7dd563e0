#include "apps/weir/alarm_prover.h"

#include <functional>

#include "weir/analysis/alarm_proof.h"
#include "weir/analysis/runtime_leaks.h"
#include "weir/ingest/input.h"
#include "weir/ingest/live.h"
#include "weir/ingest/runtime_leaks.h"

namespace weir::app {
namespace {

using model::AlarmProof;
using model::WatchAlarm;

Result<ingest::Proven> prove(int pid, const ingest::ProofOptions& options) {
  WEIR_TRY(auto reader, ingest::LiveReader::open(pid));
  return reader.read_proof(options);
}

AlarmProof refused(const Error& error, bool by_runtime) {
  AlarmProof proof;
  proof.by_runtime = by_runtime;
  proof.refused = to_string(error);
  return proof;
}

void give(std::vector<WatchAlarm>& alarms,
          const std::function<AlarmProof(const std::string& subject)>& proof_of) {
  for (WatchAlarm& alarm : alarms) alarm.proof = proof_of(alarm.subject.id);
}

}  // namespace

void prove_alarms(const std::string& target, const ingest::EvidenceOptions& evidence,
                  const ingest::ProofOptions& options, std::vector<WatchAlarm>& alarms) {
  if (alarms.empty()) return;
  if (const auto pid = ingest::parse_pid(target)) {
    const auto proven = prove(*pid, options);
    give(alarms, [&](const std::string& subject) {
      return proven ? analysis::alarm_proof(proven->snapshot, proven->proof, subject)
                    : refused(proven.error(), false);
    });
    return;
  }
  const auto tally = ingest::read_runtime_leaks(target, evidence.http);
  const auto leaks = tally ? analysis::runtime_leaks(*tally) : model::RuntimeLeaks();
  give(alarms, [&](const std::string& subject) {
    return tally ? analysis::alarm_proof(leaks, subject) : refused(tally.error(), true);
  });
}

}  // namespace weir::app
