#include "weir/bytes/inflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "weir/base/assert.h"

namespace weir::bytes {
namespace {

constexpr int gzip_window_bits = 15 + 16;  // zlib's way to say "gzip, not zlib"

Bytef* zlib_input(Bytes bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

}  // namespace

bool looks_gzipped(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

/// zlib's state and ours; zlib's points at itself, so this never moves.
struct Gunzip::State {
  z_stream stream{};
  std::size_t limit = 0;
  std::size_t used = 0, produced = 0;
  enum class Place : std::uint8_t { inside, between, behind } place = Place::inside;
  std::string out = std::string(std::size_t{64} << 10, '\0');

  State() { WEIR_ASSERT(inflateInit2(&stream, gzip_window_bits) == Z_OK); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { inflateEnd(&stream); }

  /// One call of zlib; what it did not take is still in the stream.
  Result<void> step(const Sink& sink) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const uInt before = stream.avail_in;
    const int status = inflate(&stream, Z_NO_FLUSH);
    used += before - stream.avail_in;
    const std::size_t size = out.size() - stream.avail_out;
    if (size > limit - produced)
      return fail(ErrorCode::limit, fmt::format("inflates to more than {} bytes", limit));
    produced += size;
    if (size > 0) WEIR_TRY_VOID(sink(as_bytes(std::string_view(out).substr(0, size))));
    if (status == Z_STREAM_END) {
      place = Place::between;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return fail(ErrorCode::invalid, "broken gzip data", FileOffset{used});
    }
    return {};
  }

  Result<void> take(const Sink& sink) {
    while (place != Place::behind) {
      if (place == Place::between && stream.avail_in > 0) {
        place = *stream.next_in == 0x1f ? Place::inside : Place::behind;
        if (place == Place::inside) inflateReset(&stream);
        continue;
      }
      // A full output may leave more of it behind though the input is used up.
      if (stream.avail_in == 0 && stream.avail_out > 0) return {};
      if (place == Place::between) return {};
      WEIR_TRY_VOID(step(sink));
    }
    return {};
  }
};

Gunzip::Gunzip(std::size_t limit) : state_(std::make_unique<State>()) {
  state_->limit = limit;
}
Gunzip::Gunzip(Gunzip&&) noexcept = default;
Gunzip::~Gunzip() = default;

Result<void> Gunzip::feed(Bytes piece, const Sink& sink) {
  State& state = *state_;
  while (!piece.empty() && state.place != State::Place::behind) {
    const std::size_t n = std::min<std::size_t>(piece.size(), 1u << 30);
    state.stream.next_in = zlib_input(piece);
    state.stream.avail_in = static_cast<uInt>(n);
    state.stream.avail_out = 1;  // nothing is known of output held back
    WEIR_TRY_VOID(state.take(sink));
    piece = piece.subspan(n);
  }
  return {};
}

Result<void> Gunzip::finish() const {
  if (state_->place == State::Place::inside)
    return fail(ErrorCode::truncated, "the gzip stream ends early", FileOffset{state_->used});
  return {};
}

Result<std::string> gunzip(Bytes bytes, std::size_t limit) {
  Gunzip stream(limit);
  std::string out;
  WEIR_TRY_VOID(stream.feed(bytes, [&out](Bytes piece) -> Result<void> {
    out += as_text(piece);
    return {};
  }));
  WEIR_TRY_VOID(stream.finish());
  return out;
}

std::string gzip(std::string_view content) {
  z_stream stream{};
  WEIR_ASSERT(deflateInit2(&stream, 1, Z_DEFLATED, gzip_window_bits, 8, Z_DEFAULT_STRATEGY) ==
              Z_OK);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = zlib_input(as_bytes(content));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  WEIR_ASSERT(status == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  return out;
}

}  // namespace weir::bytes
