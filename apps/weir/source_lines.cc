#include "apps/weir/source_lines.h"

#include <sstream>

#include "weir/bytes/mapped_file.h"

namespace weir::app {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  const auto text = bytes::read_file(path);
  if (!text) return lines;
  std::istringstream in(*text);
  for (std::string line; std::getline(in, line);) lines.push_back(trimmed(line));
  return lines;
}

}  // namespace

std::string SourceLines::at(const model::CodePlace& place) {
  auto found = files_.find(place.file);
  if (found == files_.end()) found = files_.emplace(place.file, read_lines(place.file)).first;
  const auto index = static_cast<std::size_t>(place.line) - 1;
  return place.line > 0 && index < found->second.size() ? found->second[index] : std::string();
}

}  // namespace weir::app
