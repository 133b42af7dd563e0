#include "weir/dump/frame_memo.h"

#include <cstring>

namespace weir::dump {

namespace {

constexpr std::size_t places = 8192;  // a power of two, at most half of them used
constexpr std::size_t max_texts = 1u << 20;
constexpr std::size_t max_text = 4096;  // of one call

}  // namespace

/// Where the call after `key` is or would be. Keys are hashes.
std::size_t FrameMemo::place_of(std::uint64_t key) const {
  std::size_t place = key % places;
  while (calls_[place].function_size != 0 && calls_[place].key != key) place = (place + 1) % places;
  return place;
}

FrameMemo::Match FrameMemo::find(std::uint64_t key, std::string_view text) const {
  if (calls_.empty()) return {};
  const Call& call = calls_[place_of(key)];
  if (call.function_size == 0) return {};
  const char* const known = texts_.data() + call.at;
  if (!text.starts_with(std::string_view(known, call.function_size))) return {};
  const std::string_view rest = text.substr(call.function_size);
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != ')') return {};
  // Arguments have no parentheses: with one more, the function's name is another.
  if (std::memchr(rest.data(), '(', end) != nullptr) return {};
  const std::string_view location(known + call.function_size, call.location_size);
  if (!rest.substr(end + 1).starts_with(location)) return {};
  return {call.function_size + end + 1 + location.size(), call.next};
}

void FrameMemo::learn(std::uint64_t key, std::string_view function, std::string_view location,
                      std::uint64_t next) {
  if (function.size() + location.size() > max_text) return;
  if (calls_.empty() || used_ > places / 2 || texts_.size() > max_texts) {
    calls_.assign(places, {});
    texts_.clear();
    used_ = 0;
  }
  Call& call = calls_[place_of(key)];
  const std::size_t room = call.function_size + call.location_size;
  const std::size_t size = function.size() + location.size() + 2;
  if (room == 0) ++used_;
  if (room < size) {
    call.at = static_cast<std::uint32_t>(texts_.size());
    texts_.resize(texts_.size() + size);
  }
  call.key = key;
  call.next = next;
  call.function_size = static_cast<std::uint16_t>(function.size() + 1);
  call.location_size = static_cast<std::uint16_t>(location.size() + 1);
  char* at = texts_.data() + call.at;
  std::memcpy(at, function.data(), function.size());
  at += function.size();
  *at++ = '(';
  std::memcpy(at, location.data(), location.size());
  at[location.size()] = '\n';
}

}  // namespace weir::dump
