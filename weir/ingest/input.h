#pragma once
// What a person names as input: a process id, or a file whose content comes in pieces.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"

namespace weir::ingest {

/// A process id, if `name` is one.
std::optional<int> parse_pid(const std::string& name);

/// Hands out the file's content ("-" is standard input) in pieces of at most `piece_size` bytes,
/// until `feed` fails. Errors: not_found, which says `not_there`; denied; io; those of `feed`.
Result<void> read_input(const std::string& name, std::string_view not_there, std::size_t piece_size,
                        const std::function<Result<void>(std::string_view)>& feed);

}  // namespace weir::ingest
