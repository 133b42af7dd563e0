#include "weir/sched/describe.h"

#include <fmt/format.h>

#include "weir/model/goname.h"

namespace weir::sched {
namespace {

constexpr std::string_view resume = "resume";
constexpr std::string_view select_case = "select case";

std::string_view operation_of(const RunEvent& event) {
  if (event.kind == agent::PointKind::select) return select_case;
  return event.hook == nullptr ? resume : std::string_view(event.hook->name);
}

/// The innermost line outside package sync.
model::CodePlace place_of(const gortime::Program& program, Address pc) {
  model::CodePlace place;
  if (!pc) return place;
  const LinkAddr at = program.bias().to_link(pc);
  const auto function = program.table().find_function(at);
  if (!function) return place;
  std::vector<gosym::InlineFrame> frames;
  program.table().append_frames(*function, at, frames);
  for (const gosym::InlineFrame& frame : frames) {
    place = {gosym::name_for_print(frame.function, program.go_minor()),
             std::string(frame.source.file), frame.source.line};
    const std::string package = model::package_of(frame.function);
    if (package != "sync" && package != "sync/atomic" && package != "internal/sync") break;
  }
  return place;
}

std::string text_of(Goid goroutine, std::string_view operation, std::uint32_t object,
                    std::uint32_t alternatives) {
  std::string text = fmt::format("goroutine {}, {}", goroutine.value, operation);
  if (object != 0) text += fmt::format(" of object {}", object);
  return text + fmt::format(", {} could run", alternatives);
}

}  // namespace

model::Schedule describe(const TestBinary& binary, const RunRecord& record, std::uint64_t seed) {
  model::Schedule schedule;
  schedule.go_version = binary.program().go_version();
  schedule.build_id = binary.build_id();
  schedule.hooks = fmt::format("{:016x}", binary.hooks().hash);
  schedule.race = binary.hooks().race;
  schedule.seed = seed;
  for (const RunEvent& event : record.events) {
    model::ScheduleStep step;
    step.goroutine = event.goroutine;
    step.operation = operation_of(event);
    step.object = event.object;
    step.where = place_of(binary.program(), event.pc);
    step.alternatives = event.alternatives;
    step.choice = event.choice;
    step.runs = event.runs;
    schedule.steps.push_back(std::move(step));
  }
  schedule.objects = record.objects;
  schedule.outcome = to_string(record.ending);
  schedule.message = record.message;
  schedule.hash = fmt::format("{:016x}", record.hash);
  return schedule;
}

std::vector<std::uint32_t> choices_of(const model::Schedule& schedule) {
  std::vector<std::uint32_t> choices;
  for (const model::ScheduleStep& step : schedule.steps)
    if (step.alternatives > 1) choices.push_back(step.choice);
  return choices;
}

std::optional<std::string> find_divergence(const model::Schedule& schedule, std::size_t index,
                                           const RunEvent& event) {
  const std::string now =
      text_of(event.goroutine, operation_of(event), event.object, event.alternatives);
  if (index >= schedule.steps.size())
    return fmt::format("point {} is not in the schedule: {}", index + 1, now);
  const model::ScheduleStep& step = schedule.steps[index];
  if (event.goroutine == step.goroutine && operation_of(event) == step.operation &&
      event.object == step.object && event.alternatives == step.alternatives &&
      event.choice == step.choice && event.runs == step.runs)
    return std::nullopt;
  return fmt::format("point {} is {}; the schedule has {}", index + 1, now,
                     text_of(step.goroutine, step.operation, step.object, step.alternatives));
}

Result<void> check_binary(const model::Schedule& schedule, const TestBinary& binary) {
  if (schedule.build_id != binary.build_id())
    return fail(ErrorCode::invalid,
                fmt::format("the schedule belongs to another build of the test: build id {}, this "
                            "one has {}",
                            schedule.build_id, binary.build_id()),
                binary.path());
  if (schedule.hooks != fmt::format("{:016x}", binary.hooks().hash))
    return fail(ErrorCode::unsupported,
                "the schedule was made by a weir that watches other places of the program; explore "
                "the test again");
  return {};
}

std::string pattern_for(std::string_view test) {
  std::string pattern = "^";
  for (const char c : test) {
    if (c == '/')
      pattern += "$/^";
    else if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos)
      pattern += fmt::format("\\{}", c);
    else
      pattern += c;
  }
  return pattern + "$";
}

}  // namespace weir::sched
