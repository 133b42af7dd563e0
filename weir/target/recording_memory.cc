#include "weir/target/recording_memory.h"

#include <fmt/format.h>

#include <utility>

#include "weir/target/recording_format.h"
#include "weir/target/recording_sections.h"

namespace weir::target {
namespace {

/// What is read in such pieces is packed from where it is, and is not put down first.
constexpr std::size_t large = std::size_t{1} << 20;

Result<PackedMemory> pack(std::span<const SparseMemory::Segment> pieces) {
  PackedMemory packed;
  SectionPacker packer;
  WEIR_TRY_VOID(encode_memory(pieces, [&](const Encoder& section) {
    std::string& out = packed.sections.emplace_back();
    auto appended = packer.append(out, format::tag_memory, section);
    out.shrink_to_fit();  // it had room for bytes that cannot be packed
    return appended;
  }));
  return packed;
}

}  // namespace

RecordingMemory::RecordingMemory(Memory& inner, Packing packing, std::uint64_t most_packed)
    : inner_(inner),
      packing_(packing),
      most_packed_(most_packed),
      fold_at_((packing == Packing::as_read ? 8UL : 64UL) << 20) {}

Result<std::size_t> RecordingMemory::read_some(Address at, std::span<std::byte> into) {
  WEIR_TRY(const std::size_t n, inner_.read_some(at, into));
  WEIR_TRY_VOID(note(at, into.first(n)));
  return n;
}

Result<void> RecordingMemory::read_many(std::span<ReadRequest> requests) {
  WEIR_TRY_VOID(inner_.read_many(requests));
  for (const ReadRequest& request : requests)
    WEIR_TRY_VOID(note(request.at, request.into.first(request.got)));
  return {};
}

Result<void> RecordingMemory::note(Address at, std::span<const std::byte> bytes) {
  {
    const std::scoped_lock locked(lock_);
    if (packing_ == Packing::none || bytes.size() < large) {
      put_down(at, bytes);
      return result_;
    }
    pack_latest();  // what was read before
  }
  // Without the lock: several threads can pack at once.
  const SparseMemory::Segment piece{at, bytes};
  auto packed = pack({&piece, 1});
  const std::scoped_lock locked(lock_);
  keep(std::move(packed));
  return result_;
}

void RecordingMemory::put_down(Address at, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (log_.size() + bytes.size() > fold_at_) {
    if (packing_ == Packing::as_read)
      pack_latest();
    else
      fold();
  }
  if (!pieces_.empty() && pieces_.back().at + pieces_.back().size == at) {
    pieces_.back().size += bytes.size();
  } else {
    pieces_.push_back({at, log_.size(), bytes.size()});
  }
  log_.insert(log_.end(), bytes.begin(), bytes.end());
}

void RecordingMemory::fold() {
  for (const Piece& piece : pieces_)
    latest_.insert(piece.at, std::span(log_).subspan(piece.offset, piece.size));
  pieces_.clear();
  log_.clear();
}

void RecordingMemory::pack_latest() {
  fold();
  keep(pack(latest_.segments()));
  latest_ = SparseMemory();
}

void RecordingMemory::keep(Result<PackedMemory> packed) {
  if (!result_) return;
  if (!packed) {
    result_ = fail(std::move(packed).error());
    return;
  }
  for (std::string& section : packed->sections) {
    packed_size_ += section.size();
    packed_.sections.push_back(std::move(section));
  }
  if (packed_size_ > most_packed_)
    result_ =
        fail(ErrorCode::limit,
             fmt::format("the recording takes more than {} MB of memory: allow more with -max-mem",
                         most_packed_ >> 20));
}

Result<PackedMemory> RecordingMemory::take_packed() {
  const std::scoped_lock locked(lock_);
  packed_size_ = 0;
  WEIR_TRY_VOID(std::exchange(result_, {}));
  return std::exchange(packed_, {});
}

SparseMemory RecordingMemory::take_latest() {
  const std::scoped_lock locked(lock_);
  fold();
  return std::exchange(latest_, {});
}

}  // namespace weir::target
