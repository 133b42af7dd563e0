#include "weir/target/recording_sections.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "weir/target/recording.h"
#include "weir/target/recording_format.h"

namespace weir::target {
namespace {

void put(std::string& file, auto value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Number of pieces, then (start, size) of each with the start counted from the end of the one
/// before, then the bytes of all.
Encoder encode_pieces(const std::vector<SparseMemory::Segment>& pieces, std::uint64_t size) {
  Encoder out;
  out.reserve(size);
  out.number(pieces.size());
  std::uint64_t end = 0;
  for (const auto& piece : pieces) {
    out.number(piece.start.value - end);
    out.number(piece.bytes.size());
    end = piece.start.value + piece.bytes.size();
  }
  for (const auto& piece : pieces) out.raw(piece.bytes);
  return out;
}

}  // namespace

SectionPacker::SectionPacker() : context_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

Result<void> SectionPacker::append(std::string& file, std::string_view tag,
                                   const Encoder& section) {
  const std::string& content = section.content();
  if (content.size() > RecordingLimits{}.section_bytes) {
    return fail(ErrorCode::limit,
                fmt::format("section {} of the recording would be {} bytes", tag, content.size()));
  }
  file += tag;
  put(file, std::uint32_t{0});
  const std::size_t sizes = file.size();
  put(file, std::uint64_t{0});  // stored size, known below
  put(file, std::uint64_t{content.size()});
  const std::size_t begin = file.size();
  file.resize(begin + ZSTD_compressBound(content.size()));
  const std::uint64_t size = ZSTD_compress2(context_.get(), file.data() + begin,
                                            file.size() - begin, content.data(), content.size());
  if (ZSTD_isError(size) != 0) {
    return fail(ErrorCode::io, fmt::format("compressing: {}", ZSTD_getErrorName(size)));
  }
  file.resize(begin + size);
  std::memcpy(file.data() + sizes, &size, sizeof size);
  return {};
}

Result<void> encode_memory(std::span<const SparseMemory::Segment> pieces,
                           const std::function<Result<void>(const Encoder&)>& take) {
  constexpr std::uint64_t piece_cost = 20;  // of two numbers, at most
  std::vector<SparseMemory::Segment> taken;
  std::uint64_t size = piece_cost;
  const auto flush = [&]() -> Result<void> {
    const Encoder section = encode_pieces(taken, size);
    taken.clear();
    size = piece_cost;
    return take(section);
  };
  for (SparseMemory::Segment piece : pieces) {
    while (!piece.bytes.empty()) {
      if (size + piece_cost >= format::chunk_size) WEIR_TRY_VOID(flush());
      const std::size_t n =
          std::min<std::uint64_t>(piece.bytes.size(), format::chunk_size - size - piece_cost);
      taken.push_back({piece.start, piece.bytes.first(n)});
      size += n + piece_cost;
      piece = {piece.start + n, piece.bytes.subspan(n)};
    }
  }
  return taken.empty() ? Result<void>{} : flush();
}

}  // namespace weir::target
