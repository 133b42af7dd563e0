#pragma once
// From a core file to the Snapshot of the process as it died.
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/proven.h"
#include "weir/model/snapshot.h"
#include "weir/target/core_file.h"

namespace weir::target {
struct Recording;
}

namespace weir::ingest {

struct CoreOptions {
  /// Where to look for the executable, first to last: files, or folders that have it under its own
  /// name or by its build id (.build-id/ab/cdef…, or as debuginfod's client does). Empty: where the
  /// core says it was, beside the core, in the folders of WEIR_EXE_PATH (colons between them), and
  /// by its build id in /usr/lib, /usr/lib/debug and debuginfod's cache.
  std::vector<std::string> executables;
};

/// Reads every goroutine, with refers_to. A core has no clock: waiting_at_least and wakes_in are
/// not there. With `record`, also leaves there all that is needed to decode the same snapshot again
/// without the core and the executable. Errors: those of target::CoreFile::parse; not_found when no
/// executable of the right build is there (what was looked at, and what to do); those of
/// gortime::Program::open.
Result<model::Snapshot> read_core(const std::string& path, const CoreOptions& options,
                                  target::Recording* record = nullptr);

/// The same with a proof of leaks. What stands in its way is in Proof::refused: also a core that is
/// cut, or lacks what its writer left out.
Result<Proven> read_core_proof(const std::string& path, const CoreOptions& options,
                               const ProofOptions& proof_options,
                               target::Recording* record = nullptr);

/// The file is there and begins as a core does.
bool is_core(const std::string& path);

struct FoundExecutable {
  std::string path;
  bytes::MappedFile file;
  bool checked = false;  ///< its build id is that of the core; else one of the two has none
};

/// The executable of a core that is at `core_path`. Errors: not_found.
Result<FoundExecutable> find_core_executable(const target::CoreFile& core,
                                             const std::string& core_path,
                                             const CoreOptions& options);

}  // namespace weir::ingest
