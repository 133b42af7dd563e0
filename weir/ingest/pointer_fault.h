#pragma once
// What a build with -gcflags=all=-d=checkptr says when a rule of unsafe.Pointer is broken.
#include <optional>
#include <string>
#include <string_view>

#include "weir/model/gate.h"

namespace weir::ingest {

/// Takes a program's standard error line by line and keeps the first such fault: the line "fatal
/// error: checkptr: …" and the frames of the goroutine below it (runtime.throw and
/// src/runtime/checkptr.go, go1.19-1.27).
class PointerFaultReader {
 public:
  void line(std::string_view line);
  const std::optional<model::PointerFault>& fault() const { return fault_; }

 private:
  enum class At { before, goroutine, frames, place, done } at_ = At::before;
  std::optional<model::PointerFault> fault_;
  std::string function_;
};

}  // namespace weir::ingest
