#pragma once
// Whatever a person names as evidence about goroutines, as Tallies.
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/ingest/core.h"
#include "weir/ingest/http.h"
#include "weir/ingest/live.h"
#include "weir/model/tally.h"

namespace weir::ingest {

struct EvidenceOptions {
  LiveOptions live;
  CoreOptions core;
  HttpOptions http;
};

/// Evidence in pieces, of a kind that its first bytes tell: goroutine text, the text of a count
/// profile, a pprof profile, a recording; all of these also gzipped.
class Intake {
 public:
  Intake();
  ~Intake();
  /// Errors: limit.
  Result<void> feed(std::string_view piece);
  /// One Tally for each dump in the input, at least one. Errors: not_found (no goroutine in it),
  /// and those of the kind's reader.
  Result<std::vector<model::Tally>> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `name` is a process id, a URL or "host:port" (see profile_url), "-" for standard input, or a
/// file (a core only as a file, since it is read here and there). Each Tally's source has that
/// name. Errors: not_found, denied, and those of the readers, with the name.
Result<std::vector<model::Tally>> read_evidence(const std::string& name,
                                                const EvidenceOptions& options);

}  // namespace weir::ingest
