#include "weir/target/memory.h"

namespace weir::target {

Result<void> Memory::read_many(std::span<ReadRequest> requests) {
  for (ReadRequest& request : requests) {
    request.got = 0;
    while (request.got < request.into.size()) {
      auto n = read_some(request.at + request.got, request.into.subspan(request.got));
      if (!n && n.error().code == ErrorCode::unmapped) break;
      if (!n) return fail(std::move(n).error());
      request.got += *n;
    }
  }
  return {};
}

Result<void> Memory::read(Address at, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    WEIR_TRY(const std::size_t n, read_some(at + done, into.subspan(done)));
    done += n;
  }
  return {};
}

Result<Address> Memory::read_pointer(Address at) {
  WEIR_TRY(const std::uint64_t value, read<std::uint64_t>(at));
  return Address{value};
}

}  // namespace weir::target
