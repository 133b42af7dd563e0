#include "weir/report/yaml_map.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <numeric>
#include <optional>

#include "weir/report/settings.h"
#include "weir/report/text_safety.h"

namespace weir::report {

namespace {

constexpr std::size_t limit = 1u << 20;

/// Levenshtein's distance; both are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

/// The line of a "---" with content above it. At the start of a line it always is that mark.
std::optional<std::size_t> find_second_document(std::string_view yaml) {
  bool content = false;
  for (std::size_t line = 1; !yaml.empty(); ++line) {
    const std::string_view text = yaml.substr(0, yaml.find('\n'));
    yaml.remove_prefix(std::min(text.size() + 1, yaml.size()));
    const bool mark = text.starts_with("---") &&
                      (text.size() == 3 || (text[3] == ' ' || text[3] == '\t' || text[3] == '\r'));
    if (mark && content) return line;
    const auto first = text.find_first_not_of(" \t\r");
    content = content || mark || (first != text.npos && text[first] != '#' && text[first] != '%');
  }
  return std::nullopt;
}

}  // namespace

void reject(const YAML::Node& node, const std::string& what) {
  throw YAML::RepresentationException(node.Mark(), what);
}

void reject_key(const YAML::Node& node, const std::string& key,
                const std::vector<std::string_view>& known) {
  const auto nearest = std::min_element(known.begin(), known.end(), [&](auto a, auto b) {
    return distance(key.substr(0, 64), a) < distance(key.substr(0, 64), b);
  });
  const bool near = key.size() <= 64 && distance(key, *nearest) <= 3;
  reject(node,
         near ? fmt::format("unknown key \"{}\"; did you mean \"{}\"?", printable(key), *nearest)
              : fmt::format("unknown key \"{}\"; weir knows {}", printable(key),
                            fmt::join(known, ", ")));
}

std::string text_of(const YAML::Node& node, const char* key) {
  if (!node.IsScalar()) reject(node, fmt::format("\"{}\" must be one value", key));
  return node.Scalar();
}

bool truth_of(const YAML::Node& node, const char* key) {
  bool truth = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, truth))
    reject(node, fmt::format("\"{}\" must be true or false", key));
  return truth;
}

Nanos duration_of(const YAML::Node& node, const char* key) {
  auto duration = parse_duration(text_of(node, key));
  if (!duration) reject(node, fmt::format("\"{}\": {}", key, duration.error().what));
  return *duration;
}

int count_of(const YAML::Node& node, const char* key) {
  const std::string text = text_of(node, key);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0)
    reject(node, fmt::format("\"{}\" must be a whole number of at least 0", key));
  return number;
}

std::vector<std::string> list_of(const YAML::Node& node, const char* key) {
  if (node.IsScalar()) return {node.Scalar()};
  if (node.IsNull()) return {};
  if (!node.IsSequence()) reject(node, fmt::format("\"{}\" must be a list of names", key));
  std::vector<std::string> list;
  for (const YAML::Node& element : node) list.push_back(text_of(element, key));
  return list;
}

Result<void> read_document(std::string_view yaml, const std::string& path,
                           const std::function<void(const YAML::Node&)>& read) {
  if (yaml.size() > limit)
    return fail(ErrorCode::limit, fmt::format("the file has more than {} bytes", limit), path);
  try {
    // Not LoadAll: yaml-cpp 0.7 does not come back from some broken second documents.
    const YAML::Node document = YAML::Load(std::string(yaml));
    if (const auto line = find_second_document(yaml))
      return fail(ErrorCode::usage, "there is more than one document",
                  fmt::format("{}:{}", path, *line));
    if (document.IsNull()) return {};
    if (!document.IsMap()) reject(document, "the file must have keys at its top");
    read(document);
  } catch (const YAML::Exception& error) {
    const std::string place =
        error.mark.is_null() ? path : fmt::format("{}:{}", path, error.mark.line + 1);
    return fail(ErrorCode::usage, printable(error.msg), place);
  }
  return {};
}

}  // namespace weir::report
