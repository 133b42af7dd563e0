// The wait-for graph in the language of Graphviz.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "weir/report/text_safety.h"
#include "weir/report/why_text.h"

namespace weir::report {

using model::OutsideKind;
using model::OutsideWaker;
using model::Waker;
using model::WakeRole;
using model::WhyCycle;
using model::WhyGoroutine;
using model::WhyObject;
using model::WhyReport;

namespace {

std::string dot_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

const char* shape(OutsideKind kind) {
  switch (kind) {
    case OutsideKind::variable:
      return "note";
    case OutsideKind::timer:
      return "octagon";
    case OutsideKind::poller:
      return "diamond";
  }
  return "note";
}

class Drawing {
 public:
  explicit Drawing(const WhyReport& report) : report_(report) {
    for (const WhyCycle& cycle : report.cycles)
      for (std::size_t i = 0; i < cycle.steps.size(); ++i)
        in_cycle_.emplace(cycle.steps[i].waiter.value,
                          cycle.steps[(i + 1) % cycle.steps.size()].waiter.value);
  }

  std::string draw() {
    add_goroutines();
    for (std::size_t i = 0; i < report_.objects.size(); ++i) add_object(i);
    return "digraph why {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n" + out_ + "}\n";
  }

 private:
  void add_goroutines() {
    std::set<std::uint64_t> named;
    for (const WhyObject& object : report_.objects) {
      for (const Goid id : object.waiters) named.insert(id.value);
      for (const Waker& waker : object.wakers) named.insert(waker.id.value);
    }
    for (const WhyGoroutine& goroutine : report_.goroutines) {
      if (!named.contains(goroutine.id.value)) continue;
      const std::string label =
          fmt::format("goroutine {} [{}]", goroutine.id.value, goroutine.state);
      out_ += fmt::format("  g{} [shape=box, label={}, tooltip={}];\n", goroutine.id.value,
                          dot_string(label + "  " + goroutine.where.function), dot_string(label));
    }
  }

  void add_object(std::size_t i) {
    const WhyObject& object = report_.objects[i];
    out_ += fmt::format("  o{} [shape=ellipse, label={}];\n", i, dot_string(object.text));
    for (const Goid waiter : object.waiters) {
      const bool red =
          std::any_of(object.wakers.begin(), object.wakers.end(), [&](const Waker& waker) {
            return in_cycle_.contains({waiter.value, waker.id.value});
          });
      out_ += fmt::format("  g{} -> o{}{};\n", waiter.value, i, red ? " [color=red]" : "");
    }
    for (const Waker& waker : object.wakers) {
      const bool red =
          std::any_of(object.waiters.begin(), object.waiters.end(), [&](const Goid waiter) {
            return in_cycle_.contains({waiter.value, waker.id.value});
          });
      out_ +=
          fmt::format("  o{} -> g{} [style={}{}];\n", i, waker.id.value,
                      waker.role == WakeRole::owner ? "solid" : "dashed", red ? ", color=red" : "");
    }
    for (const OutsideWaker& outside : object.outside)
      out_ += fmt::format("  o{} -> x{} [style=dashed];\n", i, number_of(outside));
  }

  /// Several objects may be led to by the same one, which is drawn once.
  std::size_t number_of(const OutsideWaker& outside) {
    const auto [entry, fresh] = outside_.try_emplace({outside.kind, outside.text}, outside_.size());
    if (fresh)
      out_ += fmt::format("  x{} [shape={}, label={}];\n", entry->second, shape(outside.kind),
                          dot_string(outside.text));
    return entry->second;
  }

  const WhyReport& report_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> in_cycle_;
  std::map<std::pair<OutsideKind, std::string>, std::size_t> outside_;
  std::string out_;
};

}  // namespace

std::string render_why_dot(const WhyReport& report) {
  return Drawing(report).draw();
}

}  // namespace weir::report
