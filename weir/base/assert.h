#pragma once
// WEIR_ASSERT: weir itself is wrong. On in release builds. Never used on bytes that come from a
// target or a file.

namespace weir {
/// Prints the failed condition with its place and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}  // namespace weir

#define WEIR_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::weir::assertion_failed(#condition, __FILE__, __LINE__))
