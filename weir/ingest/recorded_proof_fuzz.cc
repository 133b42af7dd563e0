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
  std::vector<SparseMemory::Segment> segments;
};

Base& base() {
  static Base value = [] {
    Base made;
    made.recording =
        target::read_recording(WEIR_SOURCE_DIR "/tests/recordings/leaked.weir").value();
    const auto proven =
        ingest::decode_recording_proof(made.recording, made.recording.memory, "leaked.weir", {});
    WEIR_ASSERT(proven.has_value() && proven->proof.refused.empty());
    made.leaked = proved(*proven);
    WEIR_ASSERT(made.leaked.size() > 5);
    made.segments = made.recording.memory.segments();
    return made;
  }();
  return value;
}

/// The base's memory with holes, or other words in places. The base is some megabytes and an edit
/// some bytes: a copy for each input would take most of the time.
class EditedMemory final : public target::Memory {
 public:
  explicit EditedMemory(SparseMemory& whole) : whole_(whole) {}

  void remove(Address from, std::uint64_t size) { holes_.push_back({from, from + size}); }
  void change(Address at, std::uint64_t value) { words_.push_back({at, value}); }

  Result<std::size_t> read_some(Address at, std::span<std::byte> into) override {
    for (const Hole& hole : holes_) {
      if (at < hole.end && hole.start <= at) return fail(ErrorCode::unmapped, "a hole", at);
      if (at < hole.start) into = into.first(std::min<std::uint64_t>(into.size(), hole.start - at));
    }
    WEIR_TRY(const std::size_t got, whole_.read_some(at, into));
    for (const Word& word : words_) lay_over(word, at, into.first(got));
    return got;
  }
  std::vector<target::Region> regions() override { return whole_.regions(); }
  target::Consistency consistency() const override { return target::Consistency::frozen; }

 private:
  struct Hole {
    Address start, end;
  };
  struct Word {
    Address at;
    std::uint64_t value;
  };
  static void lay_over(const Word& word, Address at, std::span<std::byte> bytes) {
    const Address start = std::max(word.at, at);
    const Address end = std::min(word.at + sizeof word.value, at + bytes.size());
    if (start >= end) return;
    const auto* value = reinterpret_cast<const std::byte*>(&word.value);
    std::memcpy(bytes.data() + (start - at), value + (start - word.at), end - start);
  }

  SparseMemory& whole_;
  std::vector<Hole> holes_;
  std::vector<Word> words_;  // the later wins
};

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
Address address_of(std::uint64_t number) {
  number %= base().recording.memory.size();
  for (const SparseMemory::Segment& segment : base().segments) {
    if (number < segment.bytes.size()) return segment.start + number;
    number -= segment.bytes.size();
  }
  return {};
}

Address word_of(std::uint64_t number) {
  return Address{address_of(number).value & ~std::uint64_t{7}};
}

void change(EditedMemory& memory, std::vector<target::RecordedThread>& threads, const Edit& edit) {
  std::uint64_t value = edit.value;
  if (edit.how % 4 == 1) value = word_of(edit.value).value;
  if (edit.how % 4 == 2) value = 0;
  if (edit.how % 4 == 3) value = 0 - edit.value;
  if (edit.how >= 0xf0 && !threads.empty()) {
    auto& registers = threads[edit.place % threads.size()].registers;
    registers.sp = Address{value};
    registers.syscall = edit.how % 2 == 0 ? -1 : 0;
    return;
  }
  memory.change(word_of(edit.place), value);
}

void check(target::Memory& memory, bool only_less) {
  const auto proven = ingest::decode_recording_proof(base().recording, memory, "changed", {});
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
  target::Recording& recording = base().recording;
  const std::vector<target::RecordedThread> threads = recording.threads;
  EditedMemory memory(recording.memory);
  for (int edits = 0; input.size() >= edit_size && edits < 64; ++edits) {
    const Edit edit = take_edit(input);
    if (only_less)
      memory.remove(address_of(edit.place), 1 + (edit.value & (edit.how % 2 == 0 ? 0xff : 0xffff)));
    else
      change(memory, recording.threads, edit);
  }
  check(memory, only_less);
  recording.threads = threads;
  return 0;
}
