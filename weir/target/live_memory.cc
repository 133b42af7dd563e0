#include "weir/target/live_memory.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "weir/target/denied.h"
#include "weir/target/process.h"

namespace weir::target {
namespace {

constexpr std::size_t max_pieces = 1024;                           // IOV_MAX
constexpr std::size_t max_bytes_per_call = std::size_t{16} << 20;  // ~2 ms of copying
constexpr std::size_t gap_limit = 4096;                            // see read_many()
std::byte scratch[gap_limit];  // where gaps go; written by the kernel only, never read

/// The iovecs of one process_vm_readv, and where in its stream of bytes each request begins.
struct Batch {
  std::array<iovec, max_pieces> local;
  std::array<iovec, max_pieces> remote;
  std::array<std::size_t, max_pieces> begins;
  std::size_t locals = 0;
  std::size_t remotes = 0;
  std::size_t requests = 0;
  std::size_t bytes = 0;

  /// Adds the part of `request` that is still missing, or as much as fits. False when full.
  bool add(const ReadRequest& request);

 private:
  void add_local(void* to, std::size_t size);
};

iovec piece(void* base, std::size_t size) {
  iovec out{};
  out.iov_base = base;
  out.iov_len = size;
  return out;
}

std::uint64_t begin_of(const iovec& remote) {
  return reinterpret_cast<std::uintptr_t>(remote.iov_base);
}

void Batch::add_local(void* to, std::size_t size) {
  if (locals > 0) {
    iovec& last = local[locals - 1];
    if (static_cast<std::byte*>(last.iov_base) + last.iov_len == to) {
      last.iov_len += size;
      return;
    }
  }
  local[locals++] = piece(to, size);
}

bool Batch::add(const ReadRequest& request) {
  if (locals + 2 > max_pieces || remotes + 1 > max_pieces || requests == max_pieces ||
      bytes >= max_bytes_per_call) {
    return false;
  }
  const std::uint64_t at = request.at.value + request.got;
  const std::size_t size = std::min(request.into.size() - request.got, max_bytes_per_call - bytes);
  std::uint64_t gap = gap_limit;
  if (remotes > 0) {
    const iovec& last = remote[remotes - 1];
    gap = at - (begin_of(last) + last.iov_len);  // wraps to something large when `at` is before
  }
  if (gap < gap_limit && at + size >= at) {
    if (gap > 0) add_local(scratch, gap);
    remote[remotes - 1].iov_len += gap + size;
    bytes += gap;
  } else {
    remote[remotes++] = piece(reinterpret_cast<void*>(static_cast<std::uintptr_t>(at)), size);
  }
  begins[requests++] = bytes;
  add_local(request.into.data() + request.got, size);
  bytes += size;
  return true;
}

enum class Outcome : std::uint8_t { ok, fault, gone, refused, failed };

Outcome outcome_of(int error) {
  switch (error) {
    case EFAULT:
    case EIO:
    case EINVAL:  // an address the kernel doesn't accept as one
      return Outcome::fault;
    case ESRCH:
      return Outcome::gone;
    case EPERM:
    case EACCES:
    case ENOSYS:
      return Outcome::refused;
    default:
      return Outcome::failed;
  }
}

}  // namespace

struct LiveMemory::State {
  int pid = 0;
  int mem_file = -1;  ///< /proc/PID/mem, when process_vm_readv is refused

  /// What went wrong, without a string: read during a stop.
  struct Status {
    Outcome outcome = Outcome::ok;
    int error = 0;
  };

  explicit State(int of) : pid(of) {}
  ~State() {
    if (mem_file >= 0) close(mem_file);
  }

  Status read_block(std::span<ReadRequest> requests) const;
  Status read_block_from_file(std::span<ReadRequest> requests) const;
  Result<void> to_result(Status status) const;
  bool open_mem_file();
};

LiveMemory::State::Status LiveMemory::State::read_block(std::span<ReadRequest> requests) const {
  if (mem_file >= 0) return read_block_from_file(requests);
  Batch batch;
  std::size_t first = 0;
  std::size_t at_once = max_pieces;  // fewer after a fault: garbage pointers come in crowds
  while (first < requests.size()) {
    batch.locals = batch.remotes = batch.requests = batch.bytes = 0;
    while (batch.requests < at_once && first + batch.requests < requests.size() &&
           batch.add(requests[first + batch.requests])) {
    }
    const ssize_t n = process_vm_readv(pid, batch.local.data(), batch.locals, batch.remote.data(),
                                       batch.remotes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && outcome_of(errno) != Outcome::fault) return {outcome_of(errno), errno};
    if (n <= 0 && batch.bytes > 0) {  // the first one has nothing more; the others are not to blame
      ++first;
      at_once = 8;
      continue;
    }
    const auto came = static_cast<std::size_t>(n);
    std::size_t done = 0;
    for (; done < batch.requests; ++done) {
      ReadRequest& request = requests[first + done];
      const std::size_t begin = batch.begins[done];
      if (came > begin) request.got += std::min(came - begin, request.into.size() - request.got);
      if (request.got < request.into.size()) break;
    }
    first += done;
    at_once = came == batch.bytes ? std::min(at_once * 2, max_pieces) : 8;
  }
  return {};
}

LiveMemory::State::Status LiveMemory::State::read_block_from_file(
    std::span<ReadRequest> requests) const {
  for (ReadRequest& request : requests) {
    while (request.got < request.into.size()) {
      const std::size_t size = std::min(request.into.size() - request.got, max_bytes_per_call);
      const ssize_t n = pread(mem_file, request.into.data() + request.got, size,
                              static_cast<off_t>(request.at.value + request.got));
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) return {Outcome::gone, ESRCH};
      if (n < 0 && outcome_of(errno) == Outcome::fault) break;
      if (n < 0) return {outcome_of(errno), errno};
      request.got += static_cast<std::size_t>(n);
    }
  }
  return {};
}

Result<void> LiveMemory::State::to_result(Status status) const {
  switch (status.outcome) {
    case Outcome::ok:
    case Outcome::fault:
      return {};
    case Outcome::gone:
      return fail(ErrorCode::gone, "process " + std::to_string(pid) + " has ended");
    case Outcome::refused:
      return fail(diagnose_denied(pid, status.error));
    case Outcome::failed:
      break;
  }
  return fail(ErrorCode::io, "reading the memory of process " + std::to_string(pid), {},
              status.error);
}

bool LiveMemory::State::open_mem_file() {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  mem_file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return mem_file >= 0;
}

// ---- LiveMemory

LiveMemory::LiveMemory(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveMemory::LiveMemory(LiveMemory&&) noexcept = default;
LiveMemory& LiveMemory::operator=(LiveMemory&&) noexcept = default;
LiveMemory::~LiveMemory() = default;

Result<LiveMemory> LiveMemory::open(int pid) {
  LiveMemory memory(std::make_unique<State>(pid));
  // The kernel checks permission before it looks at the address, and page 0 is never mapped.
  std::byte byte{};
  ReadRequest probe{Address{8}, {&byte, 1}, 0};
  State::Status status = memory.state_->read_block({&probe, 1});
  if (status.outcome == Outcome::refused && memory.state_->open_mem_file()) {
    status = memory.state_->read_block({&probe, 1});
  }
  WEIR_TRY_VOID(memory.state_->to_result(status));
  return memory;
}

int LiveMemory::pid() const {
  return state_->pid;
}

Result<std::size_t> LiveMemory::read_some(Address at, std::span<std::byte> into) {
  if (into.empty()) return 0;
  ReadRequest request{at, into, 0};
  WEIR_TRY_VOID(state_->to_result(state_->read_block({&request, 1})));
  if (request.got == 0) return fail(ErrorCode::unmapped, "no memory is mapped", at);
  return request.got;
}

Result<void> LiveMemory::read_many(std::span<ReadRequest> requests) {
  for (ReadRequest& request : requests) request.got = 0;
  return state_->to_result(state_->read_block(requests));
}

std::vector<Region> LiveMemory::regions() {
  auto regions = read_regions(state_->pid);
  return regions ? std::move(*regions) : std::vector<Region>{};
}

// ---- FrozenMemory

Result<void> FrozenMemory::check() const {
  if (holds_()) return {};
  return fail(ErrorCode::limit, "the target was let go before it was read to the end");
}

Result<std::size_t> FrozenMemory::read_some(Address at, std::span<std::byte> into) {
  auto n = inner_.read_some(at, into);
  WEIR_TRY_VOID(check());
  return n;
}

Result<void> FrozenMemory::read_many(std::span<ReadRequest> requests) {
  WEIR_TRY_VOID(inner_.read_many(requests));
  return check();
}

}  // namespace weir::target
