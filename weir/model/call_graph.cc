#include "weir/model/call_graph.h"

#include <fmt/format.h>

namespace weir::model {

std::string CallNodeName::text() const {
  std::string text;
  const auto add = [&text](std::string_view part) {
    if (!text.empty()) text += ' ';
    text += part;
  };
  if (address != 0) add(fmt::format("{:016x}", address));
  if (!function.empty()) add(function);
  if (line != 0) {
    add(fmt::format("{}:{}", file, line));
    if (column != 0) text += fmt::format(":{}", column);
  } else if (!file.empty()) {
    add(file);
  } else if (function.empty()) {
    add(object.empty() ? "<unknown>" : fmt::format("[{}]", object.substr(object.rfind('/') + 1)));
  }
  return text;
}

}  // namespace weir::model
