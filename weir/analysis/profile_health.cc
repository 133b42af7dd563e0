#include "weir/analysis/profile_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "weir/analysis/fingerprint.h"
#include "weir/model/goname.h"
#include "weir/model/units.h"

namespace weir::analysis {

using model::HealthReport;
using model::HealthStack;
using model::Profile;

namespace {

constexpr std::size_t most_functions = 6;

/// The functions of a sample, innermost first.
std::vector<std::string> functions_of(const Profile& profile, const Sample& sample) {
  std::vector<std::string> functions;
  for (const std::uint32_t location : sample.locations())
    for (const model::ProfileLine& line : profile.lines_of(profile.locations[location]))
      functions.emplace_back(profile.name_of(line));
  return functions;
}

/// The user's functions, or what is outside the runtime, or all.
std::vector<std::string> telling(const std::vector<std::string>& functions) {
  std::vector<std::string> user, other;
  for (const std::string& function : functions) {
    if (model::is_user_function(function)) user.push_back(function);
    if (model::is_shown(function, false)) other.push_back(function);
  }
  std::vector<std::string>& best = user.empty() ? other : user;
  if (best.empty()) best = functions;
  if (best.size() > most_functions) best.resize(most_functions);
  return best;
}

/// Says where the first of the stack's functions is.
void place(HealthStack& stack, const Profile& profile, const Sample& sample) {
  if (stack.functions.empty()) return;
  for (const std::uint32_t location : sample.locations())
    for (const model::ProfileLine& line : profile.lines_of(profile.locations[location]))
      if (profile.name_of(line) == stack.functions.front()) {
        stack.file = profile.file_of(line);
        stack.line = line.line;
        return;
      }
}

std::string state_of(const std::vector<std::string>& functions) {
  model::Goroutine goroutine;
  model::Stack stack;
  for (const std::string& function : functions) {
    model::Frame frame;
    frame.function = function;
    stack.push_back(std::move(frame));
  }
  goroutine.stack = std::make_shared<const model::Stack>(std::move(stack));
  const auto kind = wait_kind(goroutine);
  if (kind) return std::string(wait_word(kind));
  const bool parked = !functions.empty() && functions.front() == "runtime.gopark";
  return parked ? "parked" : "not parked";
}

bool is_parked(const std::vector<std::string>& functions) {
  return !functions.empty() && functions.front() == "runtime.gopark";
}

/// Those that let go of a lock are on top of a mutex profile's stacks (runtime/mprof.go,
/// mutexevent; sync/mutex.go, go1.19–1.27).
bool unlocks(const std::vector<std::string>& functions) {
  if (functions.empty()) return false;
  const std::string& top = functions.front();
  return top.ends_with("Unlock") || top.ends_with(".unlockSlow") ||
         top.starts_with("runtime.unlock") || top == "runtime._LostContendedRuntimeLock";
}

/// What was waited for, by the first function outside the runtime, or the runtime's own word.
std::string wait_of(const std::vector<std::string>& functions) {
  if (functions.empty()) return "unknown";
  const std::string& top = functions.front();
  if (top.starts_with("runtime.chanrecv")) return "chan receive";
  if (top.starts_with("runtime.chansend")) return "chan send";
  if (top == "runtime.selectgo" || top == "runtime.block") return "select";
  return top;
}

/// Waits that are not the program's: of the runtime for itself (a collection's start, its own
/// locks, which are in mutex profiles from go1.22 on), of package testing for a subtest or for its
/// CPU profile, and in that profile's writer.
bool is_not_the_programs(const std::vector<std::string>& functions) {
  constexpr std::string_view below[] = {"runtime.", "sync.", "runtime/pprof.",
                                        "testing/internal/testdeps."};
  if (functions.size() > 1 && functions[0].starts_with("runtime.chanrecv") &&
      functions[1].starts_with("runtime.") && !functions[1].starts_with("runtime.chanrecv"))
    return true;
  if (std::find(functions.begin(), functions.end(), "runtime/pprof.profileWriter") !=
      functions.end())
    return true;
  for (const std::string& function : functions)
    if (std::none_of(std::begin(below), std::end(below),
                     [&](std::string_view package) { return function.starts_with(package); }))
      return function.starts_with("testing.");
  return true;
}

/// "TestPut" of "example.com/app.TestPut.func1".
std::string test_of(const std::vector<std::string>& functions) {
  for (std::size_t i = 1; i < functions.size(); ++i) {
    if (functions[i] != "testing.tRunner") continue;
    std::string_view name = functions[i - 1];
    const auto slash = name.rfind('/');
    const auto dot = name.find('.', slash == std::string_view::npos ? 0 : slash);
    if (dot == std::string_view::npos || name.starts_with("testing.")) return {};
    name.remove_prefix(dot + 1);
    return std::string(name.substr(0, name.find('.')));
  }
  return {};
}

/// Sums by what is shown of a stack.
class Stacks {
 public:
  explicit Stacks(const Profile& profile) : profile_(profile) {}

  /// `functions` are those of `sample`.
  void add(std::string state, const Sample& sample, const std::vector<std::string>& functions,
           std::int64_t count, std::int64_t nanos) {
    HealthStack made;
    made.state = std::move(state);
    made.functions = telling(functions);
    made.test = test_of(functions);
    std::string key = made.state + '\n' + made.test;
    for (const std::string& function : made.functions) (key += '\n') += function;
    const auto [at, added] = index_.try_emplace(std::move(key), stacks_.size());
    if (added) {
      place(made, profile_, sample);
      stacks_.push_back(std::move(made));
    }
    HealthStack& stack = stacks_[at->second];
    stack.count = model::wrapping_add(stack.count, count);
    stack.nanos = model::wrapping_add(stack.nanos, nanos);
  }
  std::vector<HealthStack> take() {
    std::sort(stacks_.begin(), stacks_.end(), [](const HealthStack& a, const HealthStack& b) {
      if (a.nanos != b.nanos) return a.nanos > b.nanos;
      return a.count != b.count ? a.count > b.count : a.functions < b.functions;
    });
    return std::move(stacks_);
  }

 private:
  const Profile& profile_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<HealthStack> stacks_;
};

double per(std::int64_t value, std::int64_t count) {
  return count == 0 ? 0 : static_cast<double>(value) / static_cast<double>(count);
}

HealthReport judge_goroutines(const Profile& profile, double limit) {
  HealthReport report;
  report.limit = limit;
  Stacks stacks(profile);
  std::int64_t parked = 0;
  bool has_runtime = false;
  for (const Sample& sample : profile.samples) {
    const std::int64_t count = sample.values[0];
    const auto functions = functions_of(profile, sample);
    const std::string state = state_of(functions);
    report.count = model::wrapping_add(report.count, count);
    std::int64_t& of_state = report.by_state[state];
    of_state = model::wrapping_add(of_state, count);
    if (!is_parked(functions)) continue;
    has_runtime = true;
    parked = model::wrapping_add(parked, count);
    stacks.add(state, sample, functions, count, 0);
  }
  report.measured = per(parked, report.count) * 100;
  report.crossed = report.measured > limit;
  report.stacks = stacks.take();
  if (!has_runtime && report.count > 1)
    report.notes.add(Severity::warning, "no stack ends in runtime.gopark", {},
                     "was the profile taken as text (debug=1), which leaves those frames out?");
  return report;
}

HealthReport judge_waits(const Profile& profile, std::size_t counts, std::size_t delays,
                         const model::HealthLimits& limits) {
  HealthReport report;
  Stacks stacks(profile);
  std::int64_t nanos = 0, unlocking = 0, left_out = 0;
  const std::string& unit = profile.types[delays].unit;
  for (const Sample& sample : profile.samples) {
    const auto functions = functions_of(profile, sample);
    const std::int64_t count = sample.values[counts];
    if (is_not_the_programs(functions)) {
      left_out = model::wrapping_add(left_out, count);
      continue;
    }
    const std::int64_t delay =
        model::rounded_down(model::scale(sample.values[delays], unit, "nanoseconds").first);
    report.count = model::wrapping_add(report.count, count);
    nanos = model::wrapping_add(nanos, delay);
    if (unlocks(functions)) unlocking = model::wrapping_add(unlocking, count);
    const std::string wait = wait_of(functions);
    std::int64_t& of_state = report.by_state[wait];
    of_state = model::wrapping_add(of_state, count);
    stacks.add(wait, sample, functions, count, delay);
  }
  const bool locks = unlocking > report.count / 2;
  report.kind = locks ? HealthReport::Kind::locks : HealthReport::Kind::waits;
  const Nanos limit = locks ? limits.mean_hold : limits.mean_wait;
  report.limit = static_cast<double>(limit.value);
  report.measured = per(nanos, report.count);
  report.crossed = report.measured > report.limit;
  report.stacks = stacks.take();
  for (HealthStack& stack : report.stacks)
    stack.crosses = per(stack.nanos, stack.count) > report.limit;
  if (left_out > 0)
    report.notes.add(
        Severity::info,
        fmt::format("left out are {} waits of the runtime and package testing", left_out));
  if (locks)
    report.notes.add(Severity::info,
                     "a mutex profile has the time that others waited, at the place that unlocked");
  return report;
}

}  // namespace

bool counts_goroutines(const Profile& profile) {
  return profile.types.size() == 1 &&
         (profile.types[0].type == "goroutine" || profile.types[0].type == "goroutineleak");
}

std::string test_of(const Profile& profile, const Sample& sample) {
  return test_of(functions_of(profile, sample));
}

std::size_t label_tests(Profile& profile) {
  std::size_t labelled = 0;
  StringId key = 0;
  std::map<std::string, StringId> names;
  std::map<std::pair<std::uint32_t, StringId>, std::uint32_t> sets;
  for (Sample& sample : profile.samples) {
    const std::string test = test_of(profile, sample);
    if (test.empty()) continue;
    ++labelled;
    if (key == 0) key = profile.strings.add("test");
    StringId& name = names[test];
    if (name == 0) name = profile.strings.add(test);
    const auto next = static_cast<std::uint32_t>(profile.label_sets());
    const auto [at, added] = sets.try_emplace({sample.labels, name}, next);
    if (added) {
      const auto old = profile.labels_of(sample.labels);
      std::vector<model::ProfileLabel> labels(old.begin(), old.end());
      labels.push_back({key, name, 0, 0});
      profile.labels.insert(profile.labels.end(), labels.begin(), labels.end());
      profile.label_ends.push_back(profile.labels.size());
    }
    sample.labels = at->second;
  }
  return labelled;
}

std::string goroutine_state(const Profile& profile, const Sample& sample) {
  return state_of(functions_of(profile, sample));
}

Result<HealthReport> judge_health(const Profile& profile, const model::HealthLimits& limits) {
  if (counts_goroutines(profile)) return judge_goroutines(profile, limits.parked);
  const auto find = [&](std::string_view type) {
    std::size_t i = 0;
    while (i < profile.types.size() && profile.types[i].type != type) ++i;
    return i;
  };
  const std::size_t counts = find("contentions"), delays = find("delay");
  if (counts < profile.types.size() && delays < profile.types.size())
    return judge_waits(profile, counts, delays, limits);
  std::string known;
  for (const model::ValueType& type : profile.types)
    known += (known.empty() ? "" : ", ") + type.type;
  return fail(
      ErrorCode::unsupported,
      fmt::format("-health judges goroutine, block and mutex profiles; this one has {}", known));
}

model::ClusterReport cluster(const Profile& profile, model::ValueChoice choice,
                             const std::string& label) {
  model::ClusterReport report;
  report.label = label;
  report.type = profile.types[choice.index].type;
  report.unit = profile.types[choice.index].unit;
  std::vector<std::string> value_of;
  std::set<std::string> keys;
  for (std::uint32_t set = 0; set < profile.label_sets(); ++set) {
    std::string value;
    for (const model::ProfileLabel& one : profile.labels_of(set)) {
      keys.emplace(profile.text(one.key));
      if (profile.text(one.key) == label)
        value = one.text != 0 ? std::string(profile.text(one.text))
                              : model::scaled_label(one.number, profile.text(one.unit), "auto");
    }
    value_of.push_back(std::move(value));
  }
  report.known_labels.assign(keys.begin(), keys.end());
  const bool goroutines = counts_goroutines(profile);
  std::map<std::string, model::ClusterRow> rows;
  std::map<std::string, std::map<std::string, std::int64_t>> flat;
  for (const Sample& sample : profile.samples) {
    const std::string& value = value_of[sample.labels];
    const std::int64_t amount = model::mean_of(choice.of(sample), choice.divisor(sample));
    model::ClusterRow& row = rows[value];
    row.value = value;
    row.amount = model::wrapping_add(row.amount, amount);
    report.total = model::wrapping_add(report.total, amount);
    ++row.samples;
    const auto functions = functions_of(profile, sample);
    if (goroutines) {
      std::int64_t& of_state = row.by_state[state_of(functions)];
      of_state = model::wrapping_add(of_state, amount);
    }
    const auto shown = telling(functions);
    std::int64_t& sum = flat[value][shown.empty() ? "<unknown>" : shown.front()];
    sum = model::wrapping_add(sum, amount);
  }
  for (auto& [value, row] : rows) {
    row.top.assign(flat[value].begin(), flat[value].end());
    std::stable_sort(row.top.begin(), row.top.end(), [](const auto& a, const auto& b) {
      return model::magnitude(a.second) > model::magnitude(b.second);
    });
    if (row.top.size() > 3) row.top.resize(3);
    report.rows.push_back(std::move(row));
  }
  std::stable_sort(report.rows.begin(), report.rows.end(), [](const auto& a, const auto& b) {
    return model::magnitude(a.amount) > model::magnitude(b.amount);
  });
  return report;
}

}  // namespace weir::analysis
