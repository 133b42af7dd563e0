#pragma once
// Shared libraries that are loaded when they are first needed. Most runs of weir have nothing to do
// with HTTP, and libcurl alone brings thirty others with it.
#include <dlfcn.h>
#include <fmt/format.h>

#include "weir/base/error.h"

namespace weir::http {

/// Loads a library for good. Errors: unsupported, with the Debian package that has it.
inline Result<void*> load_library(const char* file, const char* package) {
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const char* why = dlerror();
  return fail(ErrorCode::unsupported,
              fmt::format("{} is not to be had here ({}); Debian has it in the package {}", file,
                          why == nullptr ? "no reason given" : why, package));
}

/// Sets `function` to the library's function of that name. Errors: unsupported.
template <class Function>
Result<void> find_function(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function != nullptr) return {};
  return fail(ErrorCode::unsupported, fmt::format("the library found here has no {}", name));
}

}  // namespace weir::http
