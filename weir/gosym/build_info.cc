#include "weir/gosym/build_info.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir::gosym {

namespace {

constexpr std::string_view magic = "\xff Go buildinf:";
constexpr std::size_t header_size = 32;
constexpr std::size_t flags_offset = 15;
constexpr std::size_t alignment = 16;
// cmd/go/internal/modload.infoStart and infoEnd frame the module text.
constexpr std::size_t frame_size = 16;

int parse_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// The blob's window (from the magic on), or an empty one.
bytes::Window find_blob(const elf::File& file) {
  if (const auto section = file.find_section(".go.buildinfo")) {
    const bytes::Window window = file.section_bytes(*section);
    if (bytes::as_text(window.take(0, magic.size())) == magic) return window;
  }
  for (const elf::Segment& load : file.loads()) {
    if (!load.writable) continue;
    const bytes::Window window = file.file_window(load.file_offset, load.file_size);
    const std::string_view text = bytes::as_text(window.unnoted());
    for (std::size_t at = text.find(magic); at != std::string_view::npos;
         at = text.find(magic, at + 1)) {
      if ((load.start.value + at) % alignment == 0) return window.part(at, text.size() - at);
    }
  }
  return {};
}

// A varint length and that many bytes at `offset`, which then points behind them.
bool read_string(const bytes::Window& blob, std::size_t& offset, std::string_view& text) {
  const std::size_t room = std::min<std::size_t>(10, blob.size() - std::min(offset, blob.size()));
  bytes::Cursor cursor(blob.take(offset, room));
  const std::uint64_t size = cursor.varint();
  if (!cursor.ok()) return false;
  offset += cursor.pos();
  if (size > blob.size() - offset) return false;
  text = bytes::as_text(blob.take(offset, size));
  offset += size;
  return true;
}

std::string_view strip_frame(std::string_view text) {
  if (text.size() < 2 * frame_size + 1 || text[text.size() - frame_size - 1] != '\n') return {};
  return text.substr(frame_size, text.size() - 2 * frame_size);
}

}  // namespace

GoVersion parse_go_version(std::string_view text) {
  constexpr std::string_view prefix = "go1.";
  const std::size_t at = text.find(prefix);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + prefix.size());
  GoVersion version;
  const int minor = parse_number(text);
  if (minor < 0) return {};
  version.minor = minor;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    version.patch = std::max(0, parse_number(text));
  }
  return version;
}

Result<BuildInfo> find_build_info(const elf::File& file) {
  const bytes::Window blob = find_blob(file);
  if (blob.size() == 0) {
    return fail(ErrorCode::not_found,
                "no Go build information: not a Go program, or it was removed");
  }
  std::uint8_t flags = 0;
  if (!blob.read(flags_offset, flags) || blob.size() < header_size) {
    return fail(ErrorCode::truncated, "the Go build information is cut",
                FileOffset{blob.file_offset()});
  }
  if ((flags & 2) == 0) {
    return fail(ErrorCode::unsupported, "built by Go 1.17 or older",
                FileOffset{blob.file_offset()});
  }
  std::size_t offset = header_size;
  std::string_view version, module_text;
  if (!read_string(blob, offset, version) || !read_string(blob, offset, module_text)) {
    return fail(ErrorCode::truncated, "the strings of the Go build information do not fit",
                FileOffset{blob.file_offset()});
  }
  if (version.empty()) {
    return fail(ErrorCode::not_found, "the Go build information holds no version",
                FileOffset{blob.file_offset()});
  }
  BuildInfo info;
  // Behind a space, or from 1.26 on behind a hyphen (cmd/link/internal/ld/main.go).
  const auto x = version.find("X:");
  if (x != std::string_view::npos && x > 0 && (version[x - 1] == ' ' || version[x - 1] == '-')) {
    info.experiments = version.substr(x + 2);
    version = version.substr(0, x - 1);
  }
  info.go_version = version;
  info.module_text = strip_frame(module_text);
  info.version = parse_go_version(version);
  return info;
}

}  // namespace weir::gosym
