#pragma once
// Output: what a controlled process writes, kept in memory.
#include <string>

namespace weir::sched {

class Output {
 public:
  Output();
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  /// To become the process's stdout and stderr; -1 if there is none.
  int fd() const { return fd_; }
  /// For the next process.
  void clear();
  /// The first MiB of it.
  std::string read() const;

 private:
  int fd_;
};

}  // namespace weir::sched
