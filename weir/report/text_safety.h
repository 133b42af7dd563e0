#pragma once
// Strings from a target may hold any bytes. Every output that has an encoding goes through here.
#include <string>
#include <string_view>

namespace weir::report {

/// Appends `text` with every byte that is no part of valid UTF-8 replaced by U+FFFD. Surrogates,
/// overlong forms and code points above U+10FFFF are not valid.
void append_utf8(std::string& out, std::string_view text);

/// The length of the valid UTF-8 sequence that `text` starts with; 0 if it starts with none.
std::size_t utf8_length(std::string_view text);

/// For a terminal or a log: valid UTF-8, control characters (line breaks and escape sequences too)
/// as "\x1b", characters that reorder text (Unicode's Bidi_Control) as "\u202e".
std::string printable(std::string_view text);

/// JSON that may stand in a script element of a page: nothing in it ends that.
std::string script_safe(std::string_view json);

}  // namespace weir::report
