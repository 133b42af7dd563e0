#pragma once
// What one line below a goroutine's header is: shared by the scanner, which only fingerprints it,
// and parse_stack, which takes it apart. Internal to dump.
#include <cstdint>
#include <string_view>

#include "weir/dump/goroutine_text.h"

namespace weir::dump {

enum class LineKind : std::uint8_t {
  blank,
  function,     ///< "main.f(0x1)", or anything else that ends in a parenthesis
  location,     ///< "\t/a/b.go:7 +0x1d fp=… sp=… pc=…", "\tpc=0x…"
  created_by,   ///< "created by main.f in goroutine 1"
  originating,  ///< "[originating from goroutine 1]:"
  elided,       ///< "...23 frames elided..."
  unavailable,  ///< "\tgoroutine running on other thread; stack unavailable"
  foreign,      ///< "non-Go function at pc=0x…": a whole frame in one line
  comment,      ///< "# …", as weir itself writes them
  other,        ///< not goroutine text, or the name of a C function
};
LineKind classify(std::string_view line);

/// How a location line ends, found from its end without reading numbers.
struct LocationShape {
  std::size_t key_size = 0;  ///< bytes that are the same for the same place; 0: not a location
  bool foreign = false;      ///< C code: "pc=" without an offset
};
LocationShape measure_location(std::string_view line);

/// Fills the fields of a location line. False if measure_location finds none; a number in it that
/// does not fit leaves its field as it is.
bool parse_location(std::string_view line, Frame& frame);

/// Fills function and args of a function line; the name of a C function has no args.
void parse_function(std::string_view line, Frame& frame);

}  // namespace weir::dump
