#pragma once
// Distinct integer types for things that must not be mixed. All are plain 64-bit values; ranges are
// half-open.
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace weir {

/// An address in the target's run-time memory.
struct Address {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Address&) const = default;
  constexpr explicit operator bool() const { return value != 0; }
  /// Wraps modulo 2^64, as the target's own arithmetic does; a wrapped address is simply unmapped.
  constexpr Address operator+(std::uint64_t n) const { return {value + n}; }
  constexpr Address operator-(std::uint64_t n) const { return {value - n}; }
  constexpr std::uint64_t operator-(Address other) const { return value - other.value; }
};

/// An address as the linker wrote it, before the load bias (a virtual address in the ELF file).
struct LinkAddr {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const LinkAddr&) const = default;
  constexpr LinkAddr operator+(std::uint64_t n) const { return {value + n}; }
};

/// A byte offset in a file.
struct FileOffset {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const FileOffset&) const = default;
};

/// What the kernel added to every link address at load time. 0 for a non-PIE program.
struct LoadBias {
  std::uint64_t value = 0;
  constexpr Address to_run(LinkAddr a) const { return {a.value + value}; }
  constexpr LinkAddr to_link(Address a) const { return {a.value - value}; }
};

/// A span of time, or a point on a stated clock, in nanoseconds.
struct Nanos {
  std::int64_t value = 0;
  constexpr auto operator<=>(const Nanos&) const = default;
};

/// runtime.g.goid. Unique in a process for its whole life; 0 is "none" (g0 and unstarted).
struct Goid {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Goid&) const = default;
};

/// "0xc000012340".
std::string to_hex(std::uint64_t value);
inline std::string to_hex(Address a) {
  return to_hex(a.value);
}

/// "950 ns", "12.3 µs", "1.23 ms", "4.5 s", "2m10s": three significant digits.
std::string to_text(Nanos duration);

}  // namespace weir

template <>
struct std::hash<weir::Address> {
  std::size_t operator()(weir::Address a) const noexcept {
    return std::hash<std::uint64_t>{}(a.value);
  }
};
template <>
struct std::hash<weir::Goid> {
  std::size_t operator()(weir::Goid g) const noexcept {
    return std::hash<std::uint64_t>{}(g.value);
  }
};
