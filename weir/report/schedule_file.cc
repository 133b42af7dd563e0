#include "weir/report/schedule_file.h"

#include <fmt/format.h>

#include "weir/report/json_fields.h"
#include "weir/report/json_values.h"
#include "weir/report/json_writer.h"

namespace weir::report {
namespace {

using model::Schedule;
using model::ScheduleStep;

constexpr std::string_view schema = "weir.schedule/1";
constexpr std::size_t size_limit = 256u << 20;
constexpr std::size_t step_limit = 1'000'000;
constexpr std::size_t line_limit = 1 << 20;

void write_step(std::string& out, std::size_t index, const ScheduleStep& step) {
  JsonWriter json(out);
  json.begin_object();
  json.member("point", static_cast<std::uint64_t>(index + 1));
  json.member("goroutine", step.goroutine.value);
  json.member("operation", step.operation);
  if (step.object != 0) json.member("object", static_cast<std::uint64_t>(step.object));
  json.member_if("function", step.where.function);
  json.member_if("file", step.where.file);
  if (step.where.line != 0) json.member("line", step.where.line);
  json.member("alternatives", static_cast<std::uint64_t>(step.alternatives));
  json.member("choice", static_cast<std::uint64_t>(step.choice));
  json.member("runs", step.runs.value);
  json.end_object();
  out += '\n';
}

std::uint32_t read_small(const Fields& fields, const char* name, std::uint32_t otherwise) {
  std::uint64_t number = otherwise;
  fields.read(name, number);
  if (number > UINT32_MAX) fields.fail(name, "is too large");
  return static_cast<std::uint32_t>(number);
}

ScheduleStep step_of(const Fields& fields) {
  ScheduleStep step;
  for (const char* name : {"goroutine", "operation", "alternatives", "choice", "runs"})
    fields.require(name);
  fields.read("goroutine", step.goroutine);
  fields.read("operation", step.operation);
  step.object = read_small(fields, "object", 0);
  fields.read("function", step.where.function);
  fields.read("file", step.where.file);
  fields.read("line", step.where.line);
  step.alternatives = read_small(fields, "alternatives", 1);
  step.choice = read_small(fields, "choice", 0);
  fields.read("runs", step.runs);
  if (step.alternatives == 0 || step.choice >= step.alternatives)
    fields.fail("choice", "is none of the alternatives");
  return step;
}

void read_header(const Fields& fields, Schedule& schedule) {
  for (const char* name : {"build_id", "hooks", "test", "seed"}) fields.require(name);
  fields.read("weir", schedule.weir_version);
  fields.read("go_version", schedule.go_version);
  fields.read("build_id", schedule.build_id);
  fields.read("hooks", schedule.hooks);
  fields.read("package", schedule.package);
  fields.read("folder", schedule.folder);
  fields.read("test", schedule.test);
  fields.read("race", schedule.race);
  fields.read("arguments", schedule.arguments);
  fields.read("seed", schedule.seed);
  fields.read("strategy", schedule.strategy);
}

/// The lines of the file, one after the other.
class Lines {
 public:
  Lines(std::string_view text, const std::string& path) : rest_(text), path_(path) {}

  bool at_end() const { return rest_.empty(); }
  Result<Json> next() {
    ++number_;
    const auto end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.size() > line_limit) return error(ErrorCode::limit, "is too long");
    Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) return error(ErrorCode::invalid, "is not JSON");
    if (!json.is_object()) return error(ErrorCode::invalid, "is no JSON object");
    return json;
  }
  tl::unexpected<Error> error(ErrorCode code, const std::string& what) const {
    return fail(code, fmt::format("line {} {}", number_, what), where_of(path_));
  }
  /// "line 3: " for Fields.
  std::string prefix() const { return fmt::format("line {}: ", number_); }

 private:
  std::string_view rest_;
  const std::string& path_;
  std::size_t number_ = 0;
};

}  // namespace

std::string render_schedule_file(const Schedule& schedule) {
  std::string out;
  {
    JsonWriter json(out);
    json.begin_object();
    json.member("schema", schema);
    json.member_if("weir", schedule.weir_version);
    json.member_if("go_version", schedule.go_version);
    json.member("build_id", schedule.build_id);
    json.member("hooks", schedule.hooks);
    json.member_if("package", schedule.package);
    json.member_if("folder", schedule.folder);
    json.member("test", schedule.test);
    json.member_if("race", schedule.race);
    if (!schedule.arguments.empty()) write_texts(json, "arguments", schedule.arguments);
    json.member("seed", schedule.seed);
    json.member_if("strategy", schedule.strategy);
    json.end_object();
  }
  out += '\n';
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) write_step(out, i, schedule.steps[i]);
  JsonWriter json(out);
  json.begin_object();
  json.member("outcome", schedule.outcome);
  json.member_if("message", schedule.message);
  json.member("hash", schedule.hash);
  json.end_object();
  return out + '\n';
}

Result<Schedule> parse_schedule_file(std::string_view text, const std::string& path) {
  if (text.size() > size_limit)
    return fail(ErrorCode::limit, "a schedule file of more than 256 MiB", where_of(path));
  Lines lines(text, path);
  if (lines.at_end()) return fail(ErrorCode::truncated, "the file is empty", where_of(path));
  Schedule schedule;
  std::string failure;
  bool first = true;
  while (!lines.at_end()) {
    WEIR_TRY(const Json json, lines.next());
    const Fields fields(json, lines.prefix(), failure);
    if (std::exchange(first, false)) {
      std::string found;
      fields.read("schema", found);
      if (failure.empty() && found != schema)
        return fail(
            found.starts_with("weir.schedule/") ? ErrorCode::unsupported : ErrorCode::invalid,
            fmt::format("this is no schedule file of weir (\"schema\": \"{}\" is missing)", schema),
            where_of(path));
      read_header(fields, schedule);
    } else if (json.contains("outcome")) {
      fields.require("hash");
      fields.read("outcome", schedule.outcome);
      fields.read("message", schedule.message);
      fields.read("hash", schedule.hash);
      if (failure.empty() && !lines.at_end())
        return lines.error(ErrorCode::invalid,
                           "is the last one of a schedule, but the file goes on");
    } else {
      if (schedule.steps.size() == step_limit)
        return lines.error(ErrorCode::limit, "is one too many");
      schedule.steps.push_back(step_of(fields));
    }
    if (!failure.empty()) return fail(ErrorCode::invalid, failure, where_of(path));
  }
  if (schedule.hash.empty())
    return fail(ErrorCode::truncated, "the last line, with the outcome, is missing",
                where_of(path));
  return schedule;
}

}  // namespace weir::report
