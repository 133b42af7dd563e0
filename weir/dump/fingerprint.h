#pragma once
// A fast 64-bit hash for stack_key. Not for hostile keys, and not stable between versions of weir.
// Internal to dump.
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::dump {

inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class T>
std::uint64_t load_word(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Mixes `text` into `key`, 16 bytes at a time. The length takes part, so that lines do not run
/// together.
inline std::uint64_t mix_text(std::uint64_t key, std::string_view text) {
  constexpr std::uint64_t first = 0x9e3779b97f4a7c15u;
  constexpr std::uint64_t second = 0xd6e8feb86659fd93u;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > 16; left -= 16, at += 16)
    key =
        fold_multiply(load_word<std::uint64_t>(at) ^ first, load_word<std::uint64_t>(at + 8) ^ key);
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    a = load_word<std::uint64_t>(at);
    b = load_word<std::uint64_t>(at + left - 8);
  } else if (left >= 4) {
    a = load_word<std::uint32_t>(at);
    b = load_word<std::uint32_t>(at + left - 4);
  } else {
    for (std::size_t i = 0; i < left; ++i) a = a << 8 | static_cast<unsigned char>(at[i]);
  }
  return fold_multiply(a ^ second ^ text.size(), b ^ key ^ first);
}

}  // namespace weir::dump
