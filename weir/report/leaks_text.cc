#include "weir/report/leaks_text.h"

#include <fmt/format.h>

#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/json_goroutine.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::RuntimeLeak;
using model::RuntimeLeaks;

namespace {

constexpr std::string_view by_runtime = "proved by the runtime";

std::string paint(const WhyOptions& options, const char* code, std::string_view text) {
  return options.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string leak_text(const RuntimeLeak& leak, const WhyOptions& options) {
  std::string text = "\n";
  text += paint(options, "1;31",
                fmt::format("leaked [{}]: {}", by_runtime, counted(leak.count, "goroutine")));
  text += fmt::format("\n    {}\n", printable(leak.fingerprint.key));
  if (!leak.exemplar.stack) return text;
  for (const model::Frame& frame : *leak.exemplar.stack)
    if (!frame.wrapper && model::is_user_function(frame.function))
      text += fmt::format("    {}  {}:{}\n", printable(model::name_in_traceback(frame.function)),
                          printable(below(frame.file, options.root)), frame.line);
  return text;
}

}  // namespace

std::string render_runtime_leaks(const RuntimeLeaks& leaks, const WhyOptions& options) {
  std::string text = fmt::format("{}: {} leaked, by its own goroutineleak profile\n",
                                 printable(leaks.source.name), counted(leaks.total(), "goroutine"));
  std::size_t shown = 0;
  for (const RuntimeLeak& leak : leaks.leaks) {
    if (options.top != 0 && shown == options.top) break;
    text += leak_text(leak, options);
    ++shown;
  }
  if (shown < leaks.leaks.size())
    text += fmt::format("\n{} more groups (-top 0 shows all)\n", leaks.leaks.size() - shown);
  for (const Note& note : leaks.notes.all())
    text += fmt::format("{}: {}\n", to_string(note.severity), printable(note.text));
  return text;
}

std::string render_runtime_leaks_json(const RuntimeLeaks& leaks) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("schema", "weir.leaks/1");
  json.key("source");
  write_source(json, leaks.source);
  json.member("certainty", "proved");
  json.member("proved_by", "runtime");
  json.member("total", leaks.total());
  json.key("groups");
  json.begin_array();
  for (const RuntimeLeak& leak : leaks.leaks) {
    json.begin_object();
    json.member("id", leak.fingerprint.id);
    json.member("key", leak.fingerprint.key);
    json.member("count", leak.count);
    if (leak.exemplar.stack) {
      json.key("stack");
      write_stack(json, *leak.exemplar.stack);
    }
    json.end_object();
  }
  json.end_array();
  json.key("notes");
  write_notes(json, leaks.notes);
  json.end_object();
  return out += '\n';
}

}  // namespace weir::report
