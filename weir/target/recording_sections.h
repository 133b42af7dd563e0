#pragma once
// Sections of a .weir file as they are written; docs/recording-format.md. Internal to weir/target.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/bytes/cursor.h"
#include "weir/target/sparse_memory.h"

struct ZSTD_CCtx_s;

namespace weir::target {

/// The content of one section.
class Encoder {
 public:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  void integer(std::int64_t value) {  // zigzag
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }
  void flag(bool value) { out_ += value ? '\1' : '\0'; }
  void letter(char value) { out_ += value; }
  void raw(std::span<const std::byte> value) { out_ += bytes::as_text(value); }
  void reserve(std::size_t size) { out_.reserve(size); }
  const std::string& content() const { return out_; }

 private:
  std::string out_;
};

/// Packs sections, one at a time.
class SectionPacker {
 public:
  SectionPacker();
  /// Appends a section, header and frame. Errors: limit when it is longer than a reader would take.
  Result<void> append(std::string& file, std::string_view tag, const Encoder& section);

 private:
  std::unique_ptr<ZSTD_CCtx_s, std::size_t (*)(ZSTD_CCtx_s*)> context_;
};

/// Hands `take` the contents of as many sections as the bytes of `pieces` need. The pieces are
/// ascending and disjoint.
Result<void> encode_memory(std::span<const SparseMemory::Segment> pieces,
                           const std::function<Result<void>(const Encoder&)>& take);

}  // namespace weir::target
