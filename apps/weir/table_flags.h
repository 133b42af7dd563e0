#pragma once
// The flags that `weir top` and `weir diff` share: where evidence comes from, how much is printed.
#include <string>
#include <vector>

#include "apps/weir/flags.h"
#include "weir/analysis/top.h"
#include "weir/ingest/evidence.h"
#include "weir/report/top_text.h"

namespace weir::app {

struct TableRequest {
  ingest::EvidenceOptions evidence;
  report::TopOptions text;
  bool json = false;
};

/// The flags, which set `request`; it must outlive them.
std::vector<Flag> table_flags(TableRequest& request);

/// Those of them that say how a process or URL is read. Credentials of the environment are the
/// defaults.
std::vector<Flag> evidence_flags(ingest::EvidenceOptions& evidence);

/// Those that say how a URL is read; part of evidence_flags().
std::vector<Flag> http_flags(ingest::HttpOptions& http);

/// -exe: where the executable of a core is.
Flag exe_flag(ingest::CoreOptions& core);

/// -max-mem: what a proof may take of weir's own.
Flag max_memory_flag(ingest::ProofOptions& options);

/// How goroutines are grouped and which of them count; `query` must outlive the flags.
std::vector<Flag> query_flags(analysis::TopQuery& query);

/// What depends on the terminal and the environment: colour, the root of shortened paths.
void complete(TableRequest& request);

/// For the help: what SOURCE may be.
extern const char* const source_help;

}  // namespace weir::app
