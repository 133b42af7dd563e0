#include "weir/report/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "weir/report/json_fields.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"

namespace weir::report {

using model::Baseline;
using model::BaselineEntry;

namespace {

constexpr std::string_view schema = "weir.baseline/1";
constexpr std::size_t limit = 64u << 20;

bool is_id(std::string_view text) {
  return text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

BaselineEntry entry_of(const Fields& fields) {
  BaselineEntry entry;
  fields.require("fingerprint");
  fields.read("fingerprint", entry.fingerprint.id);
  fields.read("key", entry.fingerprint.key);
  fields.read("packages", entry.packages);
  fields.read("count", entry.count);
  fields.read("note", entry.note);
  if (!is_id(entry.fingerprint.id)) fields.fail("fingerprint", "is not 16 hex digits (0-9, a-f)");
  return entry;
}

}  // namespace

std::string render_baseline(const Baseline& baseline) {
  std::vector<const BaselineEntry*> sorted;
  for (const BaselineEntry& entry : baseline.entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const BaselineEntry* a, const BaselineEntry* b) {
    return std::tie(a->fingerprint.key, a->fingerprint.id) <
           std::tie(b->fingerprint.key, b->fingerprint.id);
  });
  std::string out;
  JsonWriter json(out, JsonWriter::Layout::indented);
  json.begin_object();
  json.member("schema", schema);
  json.key("known");
  json.begin_array();
  for (const BaselineEntry* entry : sorted) {
    json.begin_object();
    write_fingerprint(json, entry->fingerprint);
    json.key("packages");
    json.begin_array();
    for (const std::string& package : entry->packages) json.value(package);
    json.end_array();
    json.member("count", entry->count);
    json.member("note", entry->note);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  out += '\n';
  return out;
}

Result<Baseline> parse_baseline(std::string_view text, const std::string& path) {
  WEIR_TRY(const Json document, parse_document(text, schema, path, limit));
  std::string failure;
  Baseline baseline;
  std::set<std::string> ids;
  const Fields fields(document, "", failure);
  fields.require("known");
  fields.for_each("known", [&](const Fields& f) {
    BaselineEntry entry = entry_of(f);
    if (!ids.insert(entry.fingerprint.id).second)
      f.fail("fingerprint", "is there twice: " + entry.fingerprint.id);
    baseline.entries.push_back(std::move(entry));
  });
  if (!failure.empty()) {
    Error error{ErrorCode::invalid, failure, path, 0, {}};
    return fail(std::move(error).with("reading the baseline"));
  }
  return baseline;
}

}  // namespace weir::report
