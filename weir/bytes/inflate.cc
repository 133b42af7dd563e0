#include "weir/bytes/inflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "weir/base/assert.h"

namespace weir::bytes {
namespace {

constexpr int gzip_window_bits = 15 + 16;  // zlib's way to say "gzip, not zlib"

/// Frees zlib's state on every path.
struct Inflater {
  z_stream stream{};
  Inflater() { WEIR_ASSERT(inflateInit2(&stream, gzip_window_bits) == Z_OK); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
};

Bytef* zlib_input(Bytes bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

}  // namespace

bool looks_gzipped(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

Result<std::string> gunzip(Bytes bytes, std::size_t limit) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::string out;
  std::size_t used = 0;
  int status = Z_OK;
  while (true) {
    if (stream.avail_in == 0) {
      const std::size_t n = std::min<std::size_t>(bytes.size() - used, 1u << 30);
      if (n == 0) return fail(ErrorCode::truncated, "the gzip stream ends early", FileOffset{used});
      stream.next_in = zlib_input(bytes.subspan(used));
      stream.avail_in = static_cast<uInt>(n);
      used += n;
    }
    char chunk[65536];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = sizeof chunk - stream.avail_out;
    if (produced > limit - out.size())
      return fail(ErrorCode::limit, fmt::format("inflates to more than {} bytes", limit));
    out.append(chunk, produced);
    const std::size_t consumed = used - stream.avail_in;
    if (status == Z_STREAM_END) {
      if (!looks_gzipped(bytes.subspan(consumed))) return out;  // the end, or padding
      inflateReset(&stream);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return fail(ErrorCode::invalid, "broken gzip data", FileOffset{consumed});
    }
  }
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
