#include "weir/report/schedule_skeleton.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "weir/model/goname.h"
#include "weir/report/text_safety.h"

namespace weir::report {
namespace {

using model::CodePlace;
using model::Schedule;
using model::ScheduleStep;

/// `first` has to be through before `second` does what it does.
struct Order {
  const ScheduleStep* first = nullptr;
  const ScheduleStep* second = nullptr;
  bool first_waits = false;  ///< it never comes out of what it does there
};

bool has_place(const ScheduleStep& step) {
  return !step.where.file.empty() &&
         !model::is_standard_package(model::package_of(step.where.function));
}

/// What `id` does next from `from` on.
const ScheduleStep* next_of(const Schedule& schedule, Goid id, std::size_t from) {
  for (std::size_t i = from; i < schedule.steps.size(); ++i)
    if (schedule.steps[i].goroutine == id && has_place(schedule.steps[i]))
      return &schedule.steps[i];
  return nullptr;
}

/// The last act of somebody else before `id` acts again, from `from` on.
const ScheduleStep* last_before(const Schedule& schedule, Goid id, std::size_t from) {
  const ScheduleStep* last = nullptr;
  for (std::size_t i = from; i < schedule.steps.size(); ++i) {
    const ScheduleStep& step = schedule.steps[i];
    if (step.goroutine == id && step.operation != "resume") break;
    if (step.goroutine != id && has_place(step)) last = &step;
  }
  return last;
}

std::vector<Order> orders_of(const Schedule& schedule) {
  std::vector<Order> orders;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const ScheduleStep& step = schedule.steps[i];
    if (step.choice == 0) continue;
    const ScheduleStep* held = has_place(step) ? &step : next_of(schedule, step.goroutine, i + 1);
    const ScheduleStep* first = last_before(schedule, step.goroutine, i + 1);
    if (held == nullptr || first == nullptr) continue;
    const auto at = static_cast<std::size_t>(first - schedule.steps.data());
    orders.push_back({first, held, next_of(schedule, first->goroutine, at + 1) == nullptr});
  }
  return orders;
}

/// The package clause: the last element of the import path that is no major version.
std::string package_name(const Schedule& schedule) {
  std::string path = schedule.package;
  for (const ScheduleStep& step : schedule.steps) {
    if (!has_place(step)) continue;
    const std::string package{model::package_of(step.where.function)};
    if (path.empty() || package == path + "_test") path = package;
  }
  std::string name;
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    const bool version =
        name.size() > 1 && name[0] == 'v' &&
        std::all_of(name.begin() + 1, name.end(), [](unsigned char c) { return std::isdigit(c); });
    if (!version || slash == std::string::npos) break;
    path.resize(slash);
  }
  std::erase_if(name, [](unsigned char c) { return c != '_' && std::isalnum(c) == 0; });
  return name.empty() ? "main" : name;
}

/// One line that ends no comment.
std::string one_line(std::string text) {
  text = printable(text);
  return text;
}

std::string place_text(const ScheduleStep& step) {
  const CodePlace& place = step.where;
  const auto slash = place.file.rfind('/');
  return one_line(fmt::format("{}:{} ({}, goroutine {})",
                              place.file.substr(slash == std::string::npos ? 0 : slash + 1),
                              place.line, step.operation, step.goroutine.value));
}

}  // namespace

TestSkeleton render_test_skeleton(const Schedule& schedule,
                                  const std::function<std::string(const CodePlace&)>& source) {
  const auto orders = orders_of(schedule);
  const std::string top = schedule.test.substr(0, schedule.test.find('/'));
  std::string steps;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const Order& order = orders[i];
    const auto line = [&](const ScheduleStep& step) {
      const std::string text = source ? source(step.where) : "";
      return text.empty() ? std::string() : fmt::format("\t//\t\t{}\n", one_line(text));
    };
    steps +=
        fmt::format("\t// {0}. weirDone({0}) {1} {2}\n{3}\t//    weirWait({0}) before {4}\n{5}",
                    i + 1, order.first_waits ? "before" : "after", place_text(*order.first),
                    line(*order.first), place_text(*order.second), line(*order.second));
  }
  TestSkeleton skeleton;
  skeleton.orders = orders.size();
  skeleton.text = fmt::format(
      R"(// A starting point, written by `weir replay -emit-test`. It does not fail by itself: put the calls
// listed in {0}Order into the code, where the comments say, and the order that weir found comes about
// without weir. A place that several goroutines pass needs a condition of yours beside the call.
//
// Outcome under weir: {1}.
package {2}

import (
	"runtime"
	"testing"
	"time"
)

// weirSteps[n] is closed when step n is done.
var weirSteps [{3}]chan struct{{}}

// weirDone lets whoever waits for step n go on, and first.
func weirDone(n int) {{
	if c := weirSteps[n]; c != nil {{
		select {{
		case <-c:
		default:
			close(c)
		}}
		runtime.Gosched()
	}}
}}

// weirWait waits until step n is done; a second at most, since another order may not reach it.
func weirWait(n int) {{
	if c := weirSteps[n]; c != nil {{
		select {{
		case <-c:
		case <-time.After(time.Second):
		}}
	}}
}}

func {0}Order(t *testing.T) {{
{4}	for n := range weirSteps {{
		weirSteps[n] = make(chan struct{{}})
	}}
	{0}(t)
}}
)",
      top, one_line(schedule.outcome + ": " + schedule.message), package_name(schedule),
      orders.size() + 1, steps);
  return skeleton;
}

}  // namespace weir::report
