// Takes the lines below a goroutine's header apart.
#include "weir/dump/goroutine_text.h"
#include "weir/dump/line.h"
#include "weir/dump/text.h"

namespace weir::dump {

namespace {

/// "created by main.f in goroutine 7": the location comes with the next line.
Creator parse_creator(std::string_view line) {
  take_prefix(line, "created by ");
  Creator creator;
  constexpr std::string_view mark = " in goroutine ";
  if (const auto at = line.rfind(mark); at != std::string_view::npos) {
    std::string_view number = line.substr(at + mark.size());
    const auto id = take_number<std::uint64_t>(number);
    if (id && number.empty()) {
      creator.by = Goid{*id};
      line = line.substr(0, at);
    }
  }
  creator.function = line;
  return creator;
}

void set_location(Creator& creator, std::string_view line) {
  Frame frame;
  if (!parse_location(line, frame)) return;
  creator.file = frame.file;
  creator.line = frame.line;
  creator.offset = frame.offset;
}

/// Builds a Stack line by line.
class Builder {
 public:
  explicit Builder(Stack& stack) : stack_(stack) {}

  void add(std::string_view line) {
    switch (classify(line)) {
      case LineKind::location:
        add_location(line);
        break;
      case LineKind::created_by:
        creator() = parse_creator(line);
        in_creator_ = true;
        return;
      case LineKind::function:
        call_ = line;
        in_creator_ = false;
        return;
      case LineKind::other:
        alien_ = line;
        return;
      case LineKind::blank:
      case LineKind::comment:
        return;
      case LineKind::originating:
        add_ancestor(line);
        break;
      case LineKind::elided:
        add_elision(line);
        break;
      case LineKind::unavailable:
        stack_.unavailable = true;
        break;
      case LineKind::foreign:
        add_foreign(line);
        break;
    }
    alien_ = {};
  }

 private:
  std::vector<Frame>& frames() {
    return stack_.ancestors.empty() ? stack_.frames : stack_.ancestors.back().frames;
  }
  Creator& creator() {
    return stack_.ancestors.empty() ? stack_.created : stack_.ancestors.back().created;
  }

  void add_location(std::string_view line) {
    Frame frame;
    if (!parse_location(line, frame)) return;
    if (frame.foreign && !alien_.empty()) {
      parse_function(alien_, frame);  // the name of a C function
      frames().push_back(frame);
    } else if (in_creator_) {
      set_location(creator(), line);
    } else if (!call_.empty()) {
      parse_function(call_, frame);
      frames().push_back(frame);
    }
    call_ = {};
    in_creator_ = false;
  }

  void add_ancestor(std::string_view line) {
    take_prefix(line, "[originating from goroutine ");
    Ancestor ancestor;
    if (const auto id = take_number<std::uint64_t>(line)) ancestor.id = Goid{*id};
    stack_.ancestors.push_back(std::move(ancestor));
    call_ = {};
    in_creator_ = false;
  }

  void add_elision(std::string_view line) {
    if (!stack_.ancestors.empty()) {
      stack_.ancestors.back().elided = true;
      return;
    }
    take_prefix(line, "...");
    stack_.elided = Elision{stack_.frames.size(), take_number<std::uint64_t>(line)};
  }

  void add_foreign(std::string_view line) {
    take_prefix(line, "non-Go function at pc=");
    Frame frame;
    frame.function = "non-Go function";
    frame.foreign = true;
    if (const auto pc = take_hex(line)) frame.pc = Address{*pc};
    frames().push_back(frame);
  }

  Stack& stack_;
  std::string_view call_;    ///< waits for its location
  std::string_view alien_;   ///< an unknown line: perhaps the name of a C function
  bool in_creator_ = false;  ///< the next location is the creator's
};

}  // namespace

Stack parse_stack(std::string_view text) {
  Stack stack;
  Builder builder(stack);
  while (!text.empty()) builder.add(take_line(text));
  return stack;
}

}  // namespace weir::dump
