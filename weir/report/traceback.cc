#include "weir/report/traceback.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "weir/model/describe.h"
#include "weir/model/goname.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::Frame;
using model::Goroutine;
using model::Status;

namespace {

constexpr std::int64_t minute = 60'000'000'000;
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";

template <class... Args>
void add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// isIdleInSynctest, src/runtime/runtime2.go, for reasons that do not say "(durable)" themselves.
bool is_durable(std::string_view reason) {
  static constexpr std::string_view reasons[] = {"chan receive (nil chan)",
                                                 "chan send (nil chan)",
                                                 "select (no cases)",
                                                 "sleep",
                                                 "sync.Cond.Wait",
                                                 "coroutine",
                                                 "synctest.Run",
                                                 "synctest.Wait"};
  return std::find(std::begin(reasons), std::end(reasons), reason) != std::end(reasons);
}

/// tracebackStringNeedsQuoting.
bool needs_quotes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !word && c != '.' && c != '/' && c != '_';
  });
}

/// printquoted, src/runtime/print.go: like strconv.Quote to ASCII; invalid UTF-8 as \xNN.
void add_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      add(out, "\\x{:02x}", first);
    } else if (length == 1) {
      if (first == '"' || first == '\\') {
        (out += '\\') += text[0];
      } else if (first == '\n') {
        out += "\\n";
      } else if (first == '\r') {
        out += "\\r";
      } else if (first == '\t') {
        out += "\\t";
      } else if (first < 0x20) {
        add(out, "\\x{:02x}", first);
      } else if (first == 0x7f) {
        out += "\\u007f";  // as Go does
      } else {
        out += text[0];
      }
    } else {
      std::uint32_t rune = first & (0xffu >> (length + 1));
      for (std::size_t i = 1; i < length; ++i)
        rune = rune << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
      if (rune < 0x10000) {
        add(out, "\\u{:04x}", rune);
      } else {
        add(out, "\\U{:08x}", rune);
      }
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void add_label_text(std::string& out, std::string_view text) {
  if (needs_quotes(text)) {
    add_quoted(out, text);
  } else {
    out += text;
  }
}

void add_labels(std::string& out, const Goroutine& goroutine) {
  out += '{';
  for (std::size_t i = 0; i < goroutine.labels.size(); ++i) {
    if (i > 0) out += ", ";
    add_label_text(out, goroutine.labels[i].first);
    out += ": ";
    add_label_text(out, goroutine.labels[i].second);
  }
  out += '}';
}

bool has_labels_in_header(const Goroutine& goroutine, const TracebackOptions& options) {
  return !goroutine.labels.empty() &&
         (options.extras == Extras::in_place || options.extras == Extras::labels_only);
}

/// goroutineheader.
void add_header(std::string& out, const Goroutine& goroutine, const TracebackOptions& options) {
  if (options.colour) out += bold;
  const std::string state = printable(model::state_of(goroutine));
  add(out, "goroutine {} [{}", goroutine.id.value, state);
  if (goroutine.status == Status::leaked) out += " (leaked)";
  if (goroutine.synctest_bubble && goroutine.status == Status::waiting && is_durable(state))
    out += " (durable)";
  const bool parked = goroutine.status == Status::waiting || goroutine.status == Status::syscall;
  const std::int64_t minutes =
      goroutine.waiting_at_least ? goroutine.waiting_at_least->value / minute : 0;
  if (parked && minutes >= 1) add(out, ", {} minutes", minutes);
  if (goroutine.locked_to_thread) out += ", locked to thread";
  if (goroutine.synctest_bubble) add(out, ", synctest bubble {}", *goroutine.synctest_bubble);
  out += ']';
  if (has_labels_in_header(goroutine, options)) {
    out += ' ';
    add_labels(out, goroutine);
  }
  out += ':';
  if (options.colour) out += plain;
  out += '\n';
}

void add_place(std::string& out, std::string_view file, std::int32_t line, std::uint64_t offset) {
  add(out, "\t{}:{}", printable(file), line);
  if (offset > 0) add(out, " +{:#x}", offset);
  out += '\n';
}

void add_frame(std::string& out, const Frame& frame, bool ancestor) {
  // What was inlined has neither arguments nor an offset of its own; so a frame without an offset
  // must not have the arguments of an inlined one.
  const bool no_args = ancestor || frame.inlined;
  const std::string args = frame.offset == 0 && frame.args == "..." ? "" : printable(frame.args);
  add(out, "{}({})\n", printable(model::name_in_traceback(frame.function)), no_args ? "..." : args);
  add_place(out, frame.file, frame.line, frame.inlined && !ancestor ? 0 : frame.offset);
}

/// A compiler-made wrapper is hidden, unless what it called is the panic about it
/// (elideWrapperCalling).
bool is_hidden_wrapper(const Frame& frame, const Frame* callee) {
  static constexpr std::string_view panics[] = {"runtime.gopanic", "runtime.sigpanic",
                                                "runtime.panicwrap"};
  if (!frame.wrapper) return false;
  return callee == nullptr ||
         std::find(std::begin(panics), std::end(panics), callee->function) == std::end(panics);
}

std::vector<const Frame*> shown_frames(const model::Stack& stack, bool all) {
  std::vector<const Frame*> shown;
  const Frame* callee = nullptr;
  for (const Frame& frame : stack) {
    const bool show =
        !is_hidden_wrapper(frame, callee) && model::is_shown(frame.function, shown.empty());
    if (all || show) shown.push_back(&frame);
    callee = &frame;
  }
  // Go prints the runtime's frames when there is nothing else.
  return shown.empty() && !all ? shown_frames(stack, true) : shown;
}

void add_frames(std::string& out, const Goroutine& goroutine, const TracebackOptions& options) {
  const bool none = !goroutine.stack || goroutine.stack->empty();
  if (none && goroutine.status == Status::running)
    out += "\tgoroutine running on other thread; stack unavailable\n";
  if (none) return;
  const std::vector<const Frame*> shown = shown_frames(*goroutine.stack, options.system);
  const std::size_t each = options.frames_each_end;
  const bool elide = each > 0 && shown.size() > 2 * each;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (elide && i == each) {
      add(out, "...{} frames elided...\n", shown.size() - 2 * each);
      i = shown.size() - each;
    }
    add_frame(out, *shown[i], false);
  }
  if (goroutine.stack_truncated) out += "...additional frames elided...\n";
}

/// printcreatedby.
void add_creator(std::string& out, const Goroutine& goroutine, const TracebackOptions& options) {
  const model::Creation& created = goroutine.created;
  if (created.function.empty() || goroutine.id == Goid{1}) return;
  if (!options.system && !model::is_shown(created.function, false)) return;
  add(out, "created by {}", printable(model::name_in_traceback(created.function)));
  if (created.by.value != 0) add(out, " in goroutine {}", created.by.value);
  out += '\n';
  add_place(out, created.file, created.line, created.offset);
}

/// printAncestorTraceback.
void add_ancestors(std::string& out, const Goroutine& goroutine, const TracebackOptions& options) {
  for (const model::Ancestor& ancestor : goroutine.ancestors) {
    add(out, "[originating from goroutine {}]:\n", ancestor.id.value);
    bool first = true;
    for (const Frame& frame : ancestor.stack) {
      if (options.system || model::is_shown(frame.function, first)) add_frame(out, frame, true);
      first = false;
    }
  }
}

/// One comment line a goroutine: the goroutine's number, its labels, what it is blocked on.
void add_extras(std::string& out, const std::vector<const Goroutine*>& shown) {
  bool any = false;
  for (const Goroutine* goroutine : shown) {
    if (!goroutine->blocked_on && goroutine->labels.empty()) continue;
    if (!any) out += "\n# weir: what goroutines are blocked on, and their labels\n";
    any = true;
    add(out, "# goroutine {}:", goroutine->id.value);
    if (!goroutine->labels.empty()) {
      out += ' ';
      add_labels(out, *goroutine);
    }
    if (goroutine->blocked_on) add(out, " {}", printable(model::describe(*goroutine->blocked_on)));
    out += '\n';
  }
}

}  // namespace

void render_goroutine(std::string& out, const Goroutine& goroutine,
                      const TracebackOptions& options) {
  add_header(out, goroutine, options);
  if (options.extras == Extras::in_place && goroutine.blocked_on) {
    if (options.colour) out += dim;
    add(out, "# blocked on: {}", printable(model::describe(*goroutine.blocked_on)));
    if (options.colour) out += plain;
    out += '\n';
  }
  add_frames(out, goroutine, options);
  add_creator(out, goroutine, options);
  add_ancestors(out, goroutine, options);
}

std::string render_traceback(const model::Snapshot& snapshot, const TracebackOptions& options) {
  std::string out;
  std::vector<const Goroutine*> shown;
  for (const Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system && !options.system) continue;
    if (!shown.empty()) out += '\n';
    render_goroutine(out, goroutine, options);
    shown.push_back(&goroutine);
  }
  if (options.extras == Extras::at_end) add_extras(out, shown);
  return out;
}

}  // namespace weir::report
