#pragma once
// Goroutines and stacks as bytes for the history. Internal to store. What changes from run to run
// and says nothing later (pcs, addresses of g, arguments) is left out.
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/snapshot.h"

namespace weir::store {

std::string encode_stack(const model::Stack& stack);
/// Errors: invalid.
Result<model::Stack> decode_stack(std::string_view bytes);

/// Without its stack.
std::string encode_goroutine(const model::Goroutine& goroutine);
/// With an empty stack. Errors: invalid.
Result<model::Goroutine> decode_goroutine(std::string_view bytes);

std::string encode_source(const model::Source& source);
/// Errors: invalid.
Result<model::Source> decode_source(std::string_view bytes);

std::string encode_notes(const Notes& notes);
/// Errors: invalid.
Result<Notes> decode_notes(std::string_view bytes);

}  // namespace weir::store
