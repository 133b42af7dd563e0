#include "weir/report/why_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "weir/model/goname.h"
#include "weir/report/finding_rows.h"
#include "weir/report/json_goroutine.h"
#include "weir/report/json_values.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::CodePlace;
using model::OutsideWaker;
using model::Waker;
using model::WakeRole;
using model::WhyCycle;
using model::WhyGoroutine;
using model::WhyObject;
using model::WhyReport;
using model::WhyStep;

namespace {

constexpr std::size_t most_listed = 8;
constexpr std::size_t piece = 1 << 20;  // of JSON, handed over at once

class Page {
 public:
  Page(const WhyReport& report, const WhyOptions& options)
      : options_(options), goroutines_(report.goroutines) {}

  std::string paint(const char* code, std::string_view text) const {
    return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  void line(std::string_view text = {}) { (out_ += text) += '\n'; }

  /// "goroutine 7 (main.worker  a.go:12)".
  std::string name(Goid id) const {
    const WhyGoroutine* found = find(id);
    const std::string number = fmt::format("goroutine {}", id.value);
    return found == nullptr ? number : fmt::format("{} ({})", number, place(found->where));
  }
  /// "main.worker  a.go:12".
  std::string place(const CodePlace& place) const {
    return fmt::format("{}  {}:{}", printable(place.function),
                       printable(below(place.file, options_.root)), place.line);
  }
  const WhyGoroutine* find(Goid id) const {
    const auto found =
        std::lower_bound(goroutines_.begin(), goroutines_.end(), id,
                         [](const WhyGoroutine& one, Goid wanted) { return one.id < wanted; });
    return found == goroutines_.end() || found->id != id ? nullptr : &*found;
  }
  std::string take() { return std::move(out_); }

 private:
  const WhyOptions& options_;
  const std::vector<WhyGoroutine>& goroutines_;  // ascending
  std::string out_;
};

const char* words(WakeRole role) {
  return role == WakeRole::owner ? "which is likely held by" : "which could be freed by";
}

void add_cycle(Page& page, const WhyCycle& cycle, std::size_t number) {
  page.line();
  page.line(
      page.paint(cycle.open ? "1" : "1;31",
                 fmt::format("cycle {}: {} [{}]", number, counted(cycle.steps.size(), "goroutine"),
                             model::to_string(cycle.certainty))));
  if (!cycle.shape.empty()) page.line(fmt::format("    {}", cycle.shape));
  for (std::size_t i = 0; i < cycle.steps.size(); ++i) {
    const WhyStep& step = cycle.steps[i];
    const WhyStep& next = cycle.steps[(i + 1) % cycle.steps.size()];
    page.line(fmt::format("    {}", page.name(step.waiter)));
    page.line(fmt::format("        waits: {},", printable(step.blocked_on)));
    const bool last = i + 1 == cycle.steps.size();
    page.line(fmt::format(
        "        {} {}{}", words(step.role),
        cycle.steps.size() == 1 ? "itself" : fmt::format("goroutine {}", next.waiter.value),
        last && cycle.steps.size() > 1 ? ": round again" : ""));
    if (!step.because.empty()) page.line(fmt::format("        ({})", printable(step.because)));
  }
  page.line(fmt::format("    because {}", cycle.because));
}

std::string words(const OutsideWaker& outside) {
  std::string text =
      fmt::format("{:<12}{}", model::to_string(outside.kind), printable(outside.text));
  if (!outside.fires_in) return text;
  return text + (outside.fires_in->value <= 0 ? std::string(", due")
                                              : ", fires in " + to_text(*outside.fires_in));
}

void add_nobody(Page& page, const WhyObject& object, bool variables_known) {
  page.line(fmt::format(
      "    nobody      {}{}",
      variables_known ? "no other goroutine's stack, no variable and no timer leads to it in three "
                        "steps"
                      : "no other goroutine's stack leads to it; a variable may",
      object.lock ? ", or it was never unlocked: by one that ended, or by the one that waits"
                  : ""));
}

void add_object(Page& page, const WhyObject& object, bool variables_known) {
  page.line();
  page.line(page.paint("1", fmt::format("{} wait: {}", counted(object.waiters.size(), "goroutine"),
                                        printable(object.text))));
  for (std::size_t i = 0; i < object.waiters.size() && i < most_listed; ++i)
    page.line(fmt::format("    waits       {}", page.name(object.waiters[i])));
  if (object.waiters.size() > most_listed)
    page.line(fmt::format("                {} more", object.waiters.size() - most_listed));
  if (object.never) {
    page.line("    never       nothing can wake it");
    return;
  }
  for (std::size_t i = 0; i < object.wakers.size() && i < most_listed; ++i) {
    const Waker& waker = object.wakers[i];
    page.line(fmt::format("    {:<12}{}", waker.role == WakeRole::owner ? "held by?" : "refers",
                          page.name(waker.id)));
    if (!waker.because.empty())
      page.line(fmt::format("                {}", printable(waker.because)));
  }
  if (object.wakers.size() > most_listed)
    page.line(fmt::format("                {} more", object.wakers.size() - most_listed));
  for (const OutsideWaker& outside : object.outside) page.line("    " + words(outside));
  if (object.wakers.empty() && object.outside.empty()) add_nobody(page, object, variables_known);
}

/// Goroutines of a proof that a person takes for one: they wait in the same place, were created in
/// the same place, and the argument for them begins the same.
struct Alike {
  const WhyGoroutine* first = nullptr;  ///< null if the report does not have it
  std::vector<const model::ProofGoroutine*> all;
};

/// Most goroutines first.
std::vector<Alike> group(const Page& page, const model::Proof& proof, model::ProofVerdict verdict) {
  using Place = std::tuple<std::string_view, std::string_view, std::int32_t>;
  const auto key_of = [](const CodePlace& place) {
    return Place{place.function, place.file, place.line};
  };
  static const WhyGoroutine unknown;
  std::map<std::tuple<Place, Place, std::string_view, std::string_view, std::string_view>,
           std::size_t>
      known;
  std::vector<Alike> groups;
  for (const model::ProofGoroutine& one : proof.goroutines) {
    if (one.verdict != verdict) continue;
    const WhyGoroutine* found = page.find(one.id);
    const WhyGoroutine& goroutine = found == nullptr ? unknown : *found;
    const std::string_view root = one.path.empty() ? std::string_view() : one.path.front();
    const auto [entry, is_new] = known.try_emplace(
        {key_of(goroutine.where), key_of(goroutine.created), goroutine.state, one.because, root},
        groups.size());
    if (is_new) groups.push_back({found, {}});
    groups[entry->second].all.push_back(&one);
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Alike& a, const Alike& b) { return a.all.size() > b.all.size(); });
  return groups;
}

/// "goroutine 7 (main.worker  a.go:12)", "20 goroutines (main.worker  a.go:12)".
std::string name(const Page& page, const Alike& alike) {
  if (alike.all.size() == 1) return page.name(alike.all.front()->id);
  const std::string many = counted(alike.all.size(), "goroutine");
  return alike.first == nullptr ? many
                                : fmt::format("{} ({})", many, page.place(alike.first->where));
}

/// Which ones they are, if there are several.
void add_members(Page& page, const Alike& alike) {
  if (alike.all.size() == 1) return;
  std::string line = "    goroutines ";
  const std::size_t listed = std::min(alike.all.size(), most_listed);
  for (std::size_t i = 0; i < listed; ++i)
    line += fmt::format("{}{}", i == 0 ? "" : ", ", alike.all[i]->id.value);
  if (listed < alike.all.size())
    line += fmt::format(" and {} more (-json lists all)", alike.all.size() - listed);
  page.line(line);
}

void add_leaked(Page& page, const Alike& alike) {
  page.line();
  page.line(page.paint("1;31", fmt::format("leaked [proved]: {}", name(page, alike))));
  if (const WhyGoroutine* goroutine = alike.first) {
    page.line(fmt::format("    waits: {}", printable(goroutine->state)));
    if (!goroutine->created.function.empty())
      page.line(fmt::format("    created by {}", page.place(goroutine->created)));
  }
  page.line(fmt::format("    because {}", printable(alike.all.front()->because)));
  add_members(page, alike);
}

void add_held(Page& page, const Alike& alike) {
  page.line();
  page.line(fmt::format("held: {}", name(page, alike)));
  page.line(fmt::format("    because {}", printable(alike.all.front()->because)));
  const std::vector<std::string>& path = alike.all.front()->path;
  for (std::size_t i = 0; i < path.size(); ++i)
    page.line(fmt::format("    {:>{}}{}{}", "", 2 * i, i == 0 ? "" : "-> ", printable(path[i])));
  add_members(page, alike);
}

void add_proof(Page& page, const model::Proof& proof, std::size_t top) {
  page.line();
  if (!proof.refused.empty()) {
    page.line(fmt::format("nothing is proved, because {}", printable(proof.refused)));
    return;
  }
  std::size_t proved = 0, held = 0;
  for (const model::ProofGoroutine& one : proof.goroutines) {
    proved += one.verdict == model::ProofVerdict::proved ? 1 : 0;
    held += one.verdict == model::ProofVerdict::held ? 1 : 0;
  }
  page.line(page.paint(proved > 0 ? "1;31" : "1",
                       fmt::format("{} proved leaked, {} held, {} to which this does not apply",
                                   proved, held, proof.goroutines.size() - proved - held)));
  if (proof.stopped)
    page.line(fmt::format("    looked at a copy of the process, which stood for {}; {} MB of heap",
                          to_text(*proof.stopped), (proof.scanned_bytes + (1 << 19)) >> 20));
  for (const Alike& alike : group(page, proof, model::ProofVerdict::proved))
    add_leaked(page, alike);
  std::size_t left = held, shown = 0;
  for (const Alike& alike : group(page, proof, model::ProofVerdict::held)) {
    if (top != 0 && ++shown > top) break;
    add_held(page, alike);
    left -= alike.all.size();
  }
  if (left == 0) return;
  page.line();
  page.line(fmt::format("{} more that {} held (-top 0 shows all)", left, left == 1 ? "is" : "are"));
}

std::size_t closed_cycles(const WhyReport& report) {
  return static_cast<std::size_t>(std::count_if(report.cycles.begin(), report.cycles.end(),
                                                [](const WhyCycle& one) { return !one.open; }));
}

std::string headline(const WhyReport& report) {
  std::string text =
      fmt::format("{}: {}", report.source.name, counted(report.goroutines.size(), "goroutine"));
  if (report.deadlock == model::DeadlockKind::global) return text + ", none of them can go on";
  if (report.deadlock == model::DeadlockKind::partial)
    return text + ", " + counted(closed_cycles(report), "cycle");
  return text + (report.cycles.empty() ? ", no cycle found" : ", no cycle found that must last");
}

/// That nobody was seen to run is evidence.
void add_second_look(Page& page, const WhyReport& report) {
  if (!report.looked_again || report.deadlock == model::DeadlockKind::none) return;
  page.line();
  page.line(fmt::format("{} later {} waited as before", to_text(*report.looked_again),
                        report.cycles.empty() ? "all of them" : "all goroutines of these cycles"));
}

}  // namespace

std::string render_why(const WhyReport& report, const WhyOptions& options) {
  Page page(report, options);
  page.line(printable(headline(report)));
  if (report.proof) add_proof(page, *report.proof, options.top);
  for (std::size_t i = 0; i < report.cycles.size(); ++i) add_cycle(page, report.cycles[i], i + 1);
  add_second_look(page, report);
  if (!report.runtime_check.text.empty()) {
    page.line();
    page.line(printable(report.runtime_check.text));
  }
  const std::size_t shown =
      options.top == 0 ? report.objects.size() : std::min(options.top, report.objects.size());
  for (std::size_t i = 0; i < shown; ++i)
    add_object(page, report.objects[i], report.variables_known);
  if (shown < report.objects.size()) {
    page.line();
    page.line(fmt::format("{} more that goroutines wait for (-top 0 shows all)",
                          report.objects.size() - shown));
  }
  if (!report.can_go_on.empty()) page.line();
  for (const std::string& one : report.can_go_on)
    page.line(fmt::format("can go on: {}", printable(one)));
  if (report.more_can_go_on > 0)
    page.line(fmt::format("can go on: {} more", report.more_can_go_on));
  for (const Note& note : report.notes.all())
    page.line(fmt::format("{}: {}", to_string(note.severity), printable(note.text)));
  return page.take();
}

namespace {

void write_place(JsonWriter& json, const char* key, const CodePlace& place) {
  if (place.function.empty()) return;
  json.key(key);
  json.begin_object();
  json.member("function", place.function);
  json.member("file", place.file);
  json.member("line", place.line);
  json.end_object();
}

const char* role_word(WakeRole role) {
  return role == WakeRole::owner ? "likely_owner" : "refers";
}

void write_cycle(JsonWriter& json, const WhyCycle& cycle) {
  json.begin_object();
  json.member("certainty", model::to_string(cycle.certainty));
  json.member_if("shape", cycle.shape);
  json.member_if("open", cycle.open);
  json.member("because", cycle.because);
  json.key("steps");
  json.begin_array();
  for (const WhyStep& step : cycle.steps) {
    json.begin_object();
    json.member("goroutine", step.waiter.value);
    json.member("blocked_on", step.blocked_on);
    json.member("next", role_word(step.role));
    json.member_if("next_because", step.because);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_object(JsonWriter& json, const WhyObject& object) {
  json.begin_object();
  json.member("text", object.text);
  json.member_if("never", object.never);
  json.key("waiters");
  json.begin_array();
  for (const Goid id : object.waiters) json.value(id.value);
  json.end_array();
  json.key("wakers");
  json.begin_array();
  for (const Waker& waker : object.wakers) {
    json.begin_object();
    json.member("goroutine", waker.id.value);
    json.member("role", role_word(waker.role));
    json.member_if("because", waker.because);
    json.end_object();
  }
  json.end_array();
  json.key("outside");
  json.begin_array();
  for (const OutsideWaker& outside : object.outside) {
    json.begin_object();
    json.member("kind", model::to_string(outside.kind));
    json.member("text", outside.text);
    if (outside.fires_in) json.member("fires_in_ns", outside.fires_in->value);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_proved(JsonWriter& json, const model::ProofGoroutine& one) {
  json.begin_object();
  json.member("goroutine", one.id.value);
  json.member("verdict", model::to_string(one.verdict));
  json.member("because", one.because);
  json.key("path");
  json.begin_array();
  for (const std::string& step : one.path) json.value(step);
  json.end_array();
  json.end_object();
}

void write_proof_facts(JsonWriter& json, const model::Proof& proof) {
  json.member_if("refused", proof.refused);
  if (proof.stopped) json.member("stopped_ns", proof.stopped->value);
  json.member("scanned_bytes", proof.scanned_bytes);
}

void write_goroutine(JsonWriter& json, const WhyGoroutine& goroutine) {
  json.begin_object();
  json.member("id", goroutine.id.value);
  json.member("state", goroutine.state);
  write_place(json, "where", goroutine.where);
  write_place(json, "created", goroutine.created);
  json.end_object();
}

}  // namespace

void write_why_json(const WhyReport& report, const TextSink& sink) {
  std::string out;
  JsonWriter json(out);
  const auto hand_over = [&](std::size_t above) {
    if (out.size() <= above) return;
    sink(out);
    out.clear();
  };
  const auto write_list = [&](const char* key, const auto& list, auto write) {
    json.key(key);
    json.begin_array();
    for (const auto& one : list) {
      write(json, one);
      hand_over(piece);
    }
    json.end_array();
  };
  json.begin_object();
  json.member("schema", "weir.why/1");
  json.key("source");
  write_source(json, report.source);
  json.member("deadlock", model::to_string(report.deadlock));
  if (report.looked_again) json.member("looked_again_ns", report.looked_again->value);
  json.member_if("runtime_silent", report.runtime_check.text);
  if (!report.runtime_check.silent.empty())
    write_list(
        "runtime_silent_because", report.runtime_check.silent,
        [](JsonWriter& to, model::SilenceReason reason) { to.value(model::to_string(reason)); });
  if (report.proof) {
    json.key("proof");
    json.begin_object();
    write_proof_facts(json, *report.proof);
    write_list("goroutines", report.proof->goroutines, write_proved);
    json.end_object();
  }
  write_list("cycles", report.cycles, write_cycle);
  write_list("objects", report.objects, write_object);
  write_list("goroutines", report.goroutines, write_goroutine);
  write_list("can_go_on", report.can_go_on,
             [](JsonWriter& to, const std::string& one) { to.value(one); });
  json.member("more_can_go_on", report.more_can_go_on);
  json.key("notes");
  write_notes(json, report.notes);
  json.end_object();
  out += '\n';
  hand_over(0);
}

}  // namespace weir::report
