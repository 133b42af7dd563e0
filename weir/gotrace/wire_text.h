#pragma once
// A trace of format 2 as text, event by event as its bytes stand, like `go tool trace -d=wire`: to
// see what a program really wrote. Nothing is put in order, looked up or judged.
#include <functional>
#include <string_view>

#include "weir/base/error.h"
#include "weir/bytes/cursor.h"

namespace weir::gotrace {

/// Hands on lines as internal/trace/raw's Event.String makes them (go1.26.8), some at a time.
/// Errors: those of parse_header; unsupported (format 1 has no such text); invalid, with the
/// offset, after all that stands before it was handed on.
Result<void> write_wire_text(bytes::Bytes file, const std::function<void(std::string_view)>& to);

}  // namespace weir::gotrace
