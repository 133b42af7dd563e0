#pragma once
// ReadMemory: how this part reads a program's memory without knowing what it is.
#include <cstring>
#include <functional>
#include <span>

#include "weir/base/address.h"

namespace weir::gosym {

/// Fills `into` with the bytes at the address; false if any of them is missing.
using ReadMemory = std::function<bool(Address, std::span<std::byte>)>;

/// One integer.
template <class T>
bool read_value(const ReadMemory& read, Address at, T& value) {
  return read(at, std::as_writable_bytes(std::span<T, 1>(&value, 1)));
}

}  // namespace weir::gosym
