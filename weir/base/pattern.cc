#include "weir/base/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace weir {

struct Pattern::Compiled {
  explicit Compiled(std::string_view expression)
      : program(re2::StringPiece(expression.data(), expression.size()), quiet()) {}
  static re2::RE2::Options quiet() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    return options;
  }
  re2::RE2 program;
};

Result<Pattern> Pattern::compile(std::string_view expression) {
  auto compiled = std::make_shared<const Compiled>(expression);
  if (!compiled->program.ok())
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no regular expression: {}", expression,
                                              compiled->program.error()));
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->program);
}

const std::string& Pattern::text() const {
  return compiled_->program.pattern();
}

}  // namespace weir
