#pragma once
// JsonWriter: JSON written straight into a string, without a tree in between (a Snapshot may have
// 100,000 goroutines).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::report {

/// Appends to a string that it does not own. Values come in document order; commas and line breaks
/// come by themselves. Strings may hold any bytes: the output is valid UTF-8. Misuse (a value
/// without a key in an object, an end without its begin) is an assertion.
class JsonWriter {
 public:
  enum class Layout : std::uint8_t {
    compact,   ///< one line
    indented,  ///< two spaces a level, one member or element per line
  };

  explicit JsonWriter(std::string& out, Layout layout = Layout::compact)
      : out_(out), layout_(layout) {}

  void begin_object() { begin('{'); }
  void end_object() { end('{', '}'); }
  void begin_array() { begin('['); }
  void end_array() { end('[', ']'); }
  void key(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(bool truth);
  void value(std::uint64_t number);
  void value(std::int64_t number);
  /// Null for what is no number or infinite: JSON has neither.
  void value(double number);
  void value(std::int32_t number) { value(static_cast<std::int64_t>(number)); }

  template <class T>
  void member(std::string_view name, const T& what) {
    key(name);
    value(what);
  }
  /// Only if it is not empty.
  void member_if(std::string_view name, std::string_view text) {
    if (!text.empty()) member(name, text);
  }
  /// Only if it is true.
  void member_if(std::string_view name, bool truth) {
    if (truth) member(name, true);
  }
  void member_if(std::string_view name, const std::string& text) {
    member_if(name, std::string_view(text));
  }
  void member_if(std::string_view name, const char* text) = delete;

 private:
  struct Level {
    char kind;
    bool empty = true;
  };

  std::string& out_;
  Layout layout_;
  std::vector<Level> levels_;
  bool after_key_ = false;

  void begin(char kind);
  void end(char kind, char close);
  void before_value();
  void line_break();
  void quote(std::string_view text);
};

}  // namespace weir::report
