#pragma once
// TestBinary: a Go test binary, prepared once so that it can be run under control many times.
#include <memory>
#include <optional>
#include <string>

#include "weir/bytes/mapped_file.h"
#include "weir/gortime/program.h"
#include "weir/sched/agent_plan.h"
#include "weir/sched/hooks.h"
#include "weir/sched/process.h"

namespace weir::sched {

class TestBinary {
 public:
  /// Starts the program once, up to its first instruction, to see where the kernel puts it. Errors:
  /// unsupported (no Go test binary; a Go version or machine that weir does not control; ptrace
  /// refused), and those of reading.
  static Result<TestBinary> open(const std::string& path);

  const std::string& path() const { return path_; }
  const gortime::Program& program() const { return *program_; }
  const HookTable& hooks() const { return hooks_; }
  const AgentPlan& agent() const { return agent_; }
  /// Go's own build id, else the linker's: changes with every byte of the program.
  const std::string& build_id() const { return build_id_; }

 private:
  TestBinary() = default;
  std::string path_;
  std::unique_ptr<bytes::MappedFile> file_;
  std::optional<gortime::Program> program_;
  HookTable hooks_;
  AgentPlan agent_;  ///< points into hooks_
  std::string build_id_;
};

}  // namespace weir::sched
