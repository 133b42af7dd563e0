#pragma once
// Pattern: a regular expression as Go's own tools take them (RE2 syntax, which Go's regexp package
// shares), matched in linear time whatever the text.
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/error.h"

namespace weir {

/// Matches anywhere in a text unless it is anchored. A copy shares the compiled program.
class Pattern {
 public:
  /// Errors: usage, with what is wrong in the expression.
  static Result<Pattern> compile(std::string_view expression);

  bool matches(std::string_view text) const;
  const std::string& text() const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace weir
