#include "weir/sched/output.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace weir::sched {
namespace {

constexpr std::size_t limit = 1 << 20;

}  // namespace

Output::Output() : fd_(memfd_create("weir", MFD_CLOEXEC)) {}

Output::~Output() {
  if (fd_ >= 0) close(fd_);
}

// The processes that write share one file offset with this descriptor.
void Output::clear() {
  if (lseek(fd_, 0, SEEK_SET) != 0 || ftruncate(fd_, 0) != 0) return;  // what is left stays
}

std::string Output::read() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return {};
  std::string text(std::min(limit, static_cast<std::size_t>(status.st_size)), '\0');
  const ssize_t n = pread(fd_, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

}  // namespace weir::sched
