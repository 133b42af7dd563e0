// tests/recordings/leaked.weir: tests/programs/leakcases, built by Go 1.26.8 with CGO_ENABLED=0,
// -trimpath and -ldflags "-s -w", and recorded by weir dump -proof -o.
//
// Memory that lies: a recording of a real program (tests/recordings/leaked.weir), less or other
// than it was. An input is a byte and edits of 10 bytes: place (4), how (1), value (5).
//
// First byte even: pieces of memory are missing. Whatever is proved then is proved with all of it,
// too: what cannot be read never makes a leak.
// Odd: words are changed, in memory and in the threads' registers. That may make a leak that there
// is not; but what is called one is a goroutine of the list that waits.
#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include "weir/base/assert.h"
#include "weir/ingest/recorded.h"

namespace {

using namespace weir;  // NOLINT: the file is about nothing else
using model::ProofVerdict;
using target::SparseMemory;

constexpr std::size_t edit_size = 10;

std::set<std::uint64_t> proved(const ingest::Proven& proven) {
  std::set<std::uint64_t> ids;
  for (const model::ProofGoroutine& one : proven.proof.goroutines)
    if (one.verdict == ProofVerdict::proved) ids.insert(one.id.value);
  return ids;
}

struct Base {
  target::Recording recording;
  std::set<std::uint64_t> leaked;
};

const Base& base() {
  static const Base value = [] {
    Base made;
    made.recording =
        target::read_recording(WEIR_SOURCE_DIR "/tests/recordings/leaked.weir").value();
    const auto proven = ingest::decode_recording_proof(made.recording, "leaked.weir", {});
    WEIR_ASSERT(proven.has_value() && proven->proof.refused.empty());
    made.leaked = proved(*proven);
    WEIR_ASSERT(made.leaked.size() > 5);
    return made;
  }();
  return value;
}

struct Edit {
  std::uint32_t place = 0;
  std::uint8_t how = 0;
  std::uint64_t value = 0;
};

Edit take_edit(std::string_view& input) {
  Edit edit;
  std::memcpy(&edit.place, input.data(), 4);
  std::memcpy(&edit.how, input.data() + 4, 1);
  std::memcpy(&edit.value, input.data() + 5, 5);
  input.remove_prefix(edit_size);
  return edit;
}

/// The address of the byte with this number, counted through all that is held.
Address address_of(const SparseMemory& memory, std::uint64_t number) {
  number %= memory.size();
  for (const SparseMemory::Segment& segment : memory.segments()) {
    if (number < segment.bytes.size()) return segment.start + number;
    number -= segment.bytes.size();
  }
  return {};
}

SparseMemory without(const SparseMemory& memory, Address from, std::uint64_t size) {
  SparseMemory less;
  for (const SparseMemory::Segment& segment : memory.segments()) {
    const std::uint64_t all = segment.bytes.size();
    const std::uint64_t first =
        from <= segment.start ? 0 : std::min<std::uint64_t>(all, from - segment.start);
    const Address end = from + size;
    const std::uint64_t last =
        end <= segment.start ? 0 : std::min<std::uint64_t>(all, end - segment.start);
    less.insert(segment.start, segment.bytes.first(first));
    if (last < all) {
      const std::uint64_t rest = std::max(first, last);
      less.insert(segment.start + rest, segment.bytes.subspan(rest));
    }
  }
  less.set_regions(memory.known_regions());
  return less;
}

void change(target::Recording& recording, const Edit& edit) {
  SparseMemory& memory = recording.memory;
  std::uint64_t value = edit.value;
  if (edit.how % 4 == 1) value = address_of(memory, edit.value).value & ~std::uint64_t{7};
  if (edit.how % 4 == 2) value = 0;
  if (edit.how % 4 == 3) value = 0 - edit.value;
  if (edit.how >= 0xf0 && !recording.threads.empty()) {
    auto& registers = recording.threads[edit.place % recording.threads.size()].registers;
    registers.sp = Address{value};
    registers.syscall = edit.how % 2 == 0 ? -1 : 0;
    return;
  }
  memory.insert_value(Address{address_of(memory, edit.place).value & ~std::uint64_t{7}}, value);
}

void check(target::Recording recording, bool only_less) {
  const auto proven = ingest::decode_recording_proof(std::move(recording), "changed", {});
  if (!proven) return;
  if (!proven->proof.refused.empty()) WEIR_ASSERT(proven->proof.goroutines.empty());
  const auto found = proved(*proven);
  if (only_less)
    WEIR_ASSERT(
        std::includes(base().leaked.begin(), base().leaked.end(), found.begin(), found.end()));
  for (const std::uint64_t id : found) {
    const auto& all = proven->snapshot.goroutines;
    const auto goroutine =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.id.value == id; });
    WEIR_ASSERT(goroutine != all.end() && !goroutine->wait_reason.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool only_less = input[0] % 2 == 0;
  input.remove_prefix(1);
  target::Recording recording = base().recording;
  for (int edits = 0; input.size() >= edit_size && edits < 64; ++edits) {
    const Edit edit = take_edit(input);
    if (recording.memory.empty()) return 0;
    if (only_less)
      recording.memory = without(recording.memory, address_of(recording.memory, edit.place),
                                 1 + (edit.value & (edit.how % 2 == 0 ? 0xff : 0xffff)));
    else
      change(recording, edit);
  }
  check(std::move(recording), only_less);
  return 0;
}
