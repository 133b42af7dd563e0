#include "tests/live/expectations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace weir::live {

namespace {

using nlohmann::json;

std::string_view cut(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return head;
}

/// A Go string literal at the beginning of `text` (only \" and \\ are escaped in the program's
/// values), or everything up to a blank.
std::string take_value(std::string_view& text) {
  if (!text.starts_with('"')) return std::string(cut(text, ' '));
  std::string value;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\') ++i;
    if (i < text.size()) value += text[i];
  }
  text.remove_prefix(std::min(text.size(), i + 2));
  return value;
}

/// Collects what does not hold.
class Check {
 public:
  Check(const Expectation& expectation, const json& goroutine)
      : expectation_(expectation), goroutine_(goroutine) {
    if (goroutine.contains("blocked_on")) blocked_ = goroutine.at("blocked_on");
  }

  std::vector<std::string> run(std::int64_t taken_at);

 private:
  const std::string* field(const std::string& name) const {
    const auto found = expectation_.fields.find(name);
    return found == expectation_.fields.end() ? nullptr : &found->second;
  }
  void want(std::string_view what, std::string_view wanted, std::string_view got) {
    if (wanted != got)
      wrong_.push_back(fmt::format("{}: \"{}\" expected, weir says \"{}\"", what, wanted, got));
  }
  static std::string text(const json& object, const char* name) {
    if (!object.is_object() || !object.contains(name)) return "";
    const json& value = object.at(name);
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  void check_kind();
  void check_channel();
  void check_select();
  void check_labels();

  const Expectation& expectation_;
  const json& goroutine_;
  json blocked_;
  std::vector<std::string> wrong_;
};

void Check::check_kind() {
  const std::string* kind = field("kind");
  if (kind == nullptr || *kind == "other") return;
  if (*kind == "syscall") return want("status", "syscall", text(goroutine_, "status"));
  want("kind", *kind, text(blocked_, "kind"));
}

void Check::check_channel() {
  const json one = blocked_.value("cases", json::array());
  if (one.size() != 1) return wrong_.push_back(fmt::format("{} cases instead of 1", one.size()));
  want("channel", *field("addr"), text(one[0], "channel"));
  want("direction", *field("kind") == "channel_send" ? "send" : "receive",
       text(one[0], "direction"));
  if (const auto* elem = field("elem")) want("element type", *elem, text(one[0], "element_type"));
  if (const auto* length = field("len")) want("length", *length, text(one[0], "length"));
  if (const auto* capacity = field("cap")) want("capacity", *capacity, text(one[0], "capacity"));
  if (const auto* closed = field("closed"))
    want("closed", *closed, one[0].value("closed", false) ? "true" : "false");
}

/// The cases as a set: weir gives them in lock order.
void Check::check_select() {
  std::vector<std::string> wanted;
  std::string_view rest = *field("cases");
  while (!rest.empty()) wanted.emplace_back(cut(rest, ','));
  std::vector<std::string> got;
  for (const json& one : blocked_.value("cases", json::array()))
    got.push_back(fmt::format("{}:{}:{}:{}", text(one, "direction") == "send" ? "send" : "recv",
                              text(one, "channel"), text(one, "length"), text(one, "capacity")));
  std::sort(wanted.begin(), wanted.end());
  std::sort(got.begin(), got.end());
  for (std::size_t i = 0; i < std::max(wanted.size(), got.size()); ++i)
    want("case", i < wanted.size() ? wanted[i] : "", i < got.size() ? got[i] : "");
}

void Check::check_labels() {
  const json labels = goroutine_.value("labels", json::object());
  want("label case", expectation_.name, text(labels, "case"));
  for (const auto& [name, value] : expectation_.fields)
    if (name.starts_with("label.")) want(name, value, text(labels, name.substr(6).c_str()));
}

std::vector<std::string> Check::run(std::int64_t taken_at) {
  check_kind();
  check_labels();
  const std::string kind = field("kind") != nullptr ? *field("kind") : "";
  if (kind == "channel_send" || kind == "channel_receive") {
    check_channel();
  } else if (const auto* address = field("addr")) {
    want("object", *address, text(blocked_, "object"));
  }
  if (field("cases") != nullptr) check_select();
  if (const auto* fd = field("fd")) want("fd", *fd, text(blocked_, "fd"));
  if (const auto* direction = field("dir"))
    want("direction", *direction, text(blocked_, "io_direction"));
  // The runtime tells the wake time from Go 1.23 on; the program's is taken just before the call.
  if (const auto* wake = field("wake"); wake != nullptr && blocked_.contains("wakes_in_ns")) {
    const std::int64_t due = taken_at + blocked_.at("wakes_in_ns").get<std::int64_t>();
    const std::int64_t apart = due - std::strtoll(wake->c_str(), nullptr, 10);
    if (std::abs(apart) > 2'000'000'000)
      wrong_.push_back(fmt::format("wakes {} ms from when it should", apart / 1'000'000));
  }
  return std::move(wrong_);
}

}  // namespace

std::vector<Expectation> parse_expectations(std::string_view output) {
  std::vector<Expectation> expectations;
  while (!output.empty()) {
    std::string_view line = cut(output, '\n');
    if (cut(line, ' ') != "expect") continue;
    Expectation expectation;
    expectation.name = cut(line, ' ');
    while (!line.empty()) {
      std::string name(cut(line, '='));
      expectation.fields[std::move(name)] = take_value(line);
    }
    expectations.push_back(std::move(expectation));
  }
  return expectations;
}

std::vector<std::string> check_expectation(const Expectation& expectation, const json& goroutine,
                                           std::int64_t taken_at) {
  return Check(expectation, goroutine).run(taken_at);
}

}  // namespace weir::live
