#include "weir/ingest/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "weir/dump/count_text.h"
#include "weir/ingest/snapshot_builder.h"

namespace weir::ingest {

using model::Frame;
using model::Goroutine;
using model::SourceKind;
using model::Stack;
using model::Status;
using model::Tally;
using model::TallyEntry;

namespace {

constexpr std::int64_t nanos_per_minute = 60'000'000'000;

// --- a snapshot ---------------------------------------------------------------------------------

/// What makes two goroutines of one snapshot alike. Stacks that are equal are one value there.
using SnapshotKey = std::tuple<const Stack*, Status, std::string, std::string, std::int32_t, bool,
                               std::vector<std::pair<std::string, std::string>>>;

SnapshotKey key_of(const Goroutine& goroutine) {
  return {goroutine.stack.get(),  goroutine.status,
          goroutine.wait_reason,  goroutine.created.function,
          goroutine.created.line, goroutine.locked_to_thread,
          goroutine.labels};
}

/// The one thing that a goroutine waits on; 0 if it is not known or there are several. A select
/// counts with the channel of type `chan struct{}`, if it has one.
Address object_of(const Goroutine& goroutine) {
  if (!goroutine.blocked_on) return {};
  const model::Blocking& blocked = *goroutine.blocked_on;
  if (blocked.object) return blocked.object;
  if (blocked.cases.size() == 1) return blocked.cases.front().channel.address;
  Address stop;
  for (const model::ChannelCase& one : blocked.cases) {
    if (one.channel.element_type != "struct {}") continue;
    if (stop) return {};
    stop = one.channel.address;
  }
  return stop;
}

/// The objects of one entry's goroutines.
struct Objects {
  std::unordered_set<Address> known;
  bool all = true;

  void add(Address object) {
    if (object) known.insert(object);
    all = all && object;
  }
};

void count(TallyEntry& entry, Goroutine& goroutine) {
  ++entry.count;
  const auto waited = goroutine.waiting_at_least;
  if (!waited || (entry.longest_wait && *waited <= *entry.longest_wait)) return;
  entry.longest_wait = waited;
  entry.exemplar = std::move(goroutine);
}

// --- text ---------------------------------------------------------------------------------------

Status status_of(std::string_view state) {
  struct Word {
    std::string_view text;
    Status status;
  };
  static constexpr Word words[] = {
      {"idle", Status::idle},           {"runnable", Status::runnable},
      {"running", Status::running},     {"syscall", Status::syscall},
      {"copystack", Status::copystack}, {"preempted", Status::preempted},
      {"leaked", Status::leaked},       {"dead", Status::dead}};
  for (const Word& word : words)
    if (word.text == state) return word.status;
  return Status::waiting;
}

Frame to_frame(const dump::Frame& from) {
  Frame frame;
  // printFuncName, src/runtime/traceback.go
  frame.function = from.function == "panic" ? "runtime.gopanic" : std::string(from.function);
  frame.file = from.file;
  frame.line = from.line;
  frame.pc = from.pc;
  frame.offset = from.offset.value_or(0);
  frame.inlined = from.inlined;
  frame.args = from.args;
  return frame;
}

/// The outermost function: what the `go` statement called.
std::string start_function_of(const Stack& stack) {
  for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame)
    if (frame->function != "runtime.goexit") return frame->function;
  return {};
}

Goroutine to_goroutine(const dump::GoroutineText& text) {
  const dump::Stack stack = dump::parse_stack(text.stack);
  Goroutine goroutine;
  goroutine.id = text.header.id;
  goroutine.status = text.header.leaked ? Status::leaked : status_of(text.header.state);
  if (status_of(text.header.state) == Status::waiting && text.header.state != "waiting")
    goroutine.wait_reason = text.header.state;
  Stack frames;
  for (const dump::Frame& frame : stack.frames) frames.push_back(to_frame(frame));
  goroutine.stack = std::make_shared<const Stack>(std::move(frames));
  goroutine.stack_truncated = stack.elided.has_value() || text.cut;
  goroutine.created.function = stack.created.function;
  goroutine.created.file = stack.created.file;
  goroutine.created.line = stack.created.line;
  goroutine.created.offset = stack.created.offset.value_or(0);
  goroutine.created.by = stack.created.by;
  goroutine.labels = dump::parse_labels(text.header.labels);
  std::sort(goroutine.labels.begin(), goroutine.labels.end());
  goroutine.locked_to_thread = text.header.locked_to_thread;
  goroutine.synctest_bubble = text.header.bubble;
  goroutine.g = text.header.gp;
  // With GOTRACEBACK=system a text has the runtime's own goroutines too.
  if (!goroutine.stack_truncated)
    goroutine.system =
        is_system_goroutine(start_function_of(*goroutine.stack), goroutine.wait_reason);
  return goroutine;
}

// --- profiles -----------------------------------------------------------------------------------

bool counts_goroutines(std::string_view type) {
  return type == "goroutine" || type == "goroutines" || type == "goroutineleak";
}

Goroutine from_profile(Stack stack, std::vector<std::pair<std::string, std::string>> labels,
                       bool leaked) {
  Goroutine goroutine;
  goroutine.status = leaked ? Status::leaked : Status::unknown;
  goroutine.stack = std::make_shared<const Stack>(std::move(stack));
  goroutine.labels = std::move(labels);
  std::sort(goroutine.labels.begin(), goroutine.labels.end());
  return goroutine;
}

Stack stack_of(const pprof::Profile& profile, const pprof::SampleView& sample) {
  Stack stack;
  for (const std::uint32_t id : sample.locations) {
    const pprof::Location& location = profile.locations[id];
    const auto lines = profile.lines_of(location);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      Frame frame;
      frame.pc = Address{location.address};
      frame.inlined = i + 1 < lines.size();
      frame.line = static_cast<std::int32_t>(lines[i].line);
      if (lines[i].function != pprof::none) {
        const pprof::Function& function = profile.functions[lines[i].function];
        const auto name = function.system_name != 0 ? function.system_name : function.name;
        frame.function = profile.text(name);
        frame.file = profile.text(function.file);
      }
      stack.push_back(std::move(frame));
    }
    if (lines.empty()) {
      Frame frame;
      frame.pc = Address{location.address};
      frame.function = fmt::format("{:#x}", location.address);
      stack.push_back(std::move(frame));
    }
  }
  return stack;
}

std::vector<std::pair<std::string, std::string>> labels_of(const pprof::Profile& profile,
                                                           const pprof::SampleView& sample) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const pprof::Label& label : sample.labels) {
    const std::string value =
        label.text != 0 ? std::string(profile.text(label.text)) : fmt::format("{}", label.number);
    labels.emplace_back(profile.text(label.key), value);
  }
  return labels;
}

Tally profile_tally() {
  Tally tally;
  tally.source.kind = SourceKind::profile;
  tally.source.arch.clear();
  tally.knows = {.state = false, .wait = true, .creator = false};
  return tally;
}

}  // namespace

Tally tally_snapshot(model::Snapshot snapshot) {
  Tally tally;
  tally.source = std::move(snapshot.source);
  tally.partial = snapshot.partial;
  tally.notes = std::move(snapshot.notes);
  std::map<SnapshotKey, std::size_t> places;
  std::vector<Objects> objects;
  for (Goroutine& goroutine : snapshot.goroutines) {
    if (goroutine.system || goroutine.status == Status::dead) continue;
    const auto [place, is_new] = places.try_emplace(key_of(goroutine), tally.entries.size());
    if (is_new) objects.emplace_back();
    objects[place->second].add(object_of(goroutine));
    if (is_new) {
      tally.entries.push_back({goroutine, 1, goroutine.waiting_at_least});
    } else {
      count(tally.entries[place->second], goroutine);
    }
  }
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (objects[i].all) tally.entries[i].objects = objects[i].known.size();
  return tally;
}

Result<Tally> tally_profile(const pprof::Profile& profile) {
  if (profile.sample_types.size() != 1 ||
      !counts_goroutines(profile.text(profile.sample_types[0].type))) {
    std::string what;
    for (const pprof::ValueType& type : profile.sample_types)
      what += fmt::format("{}{}/{}", what.empty() ? "" : ", ", profile.text(type.type),
                          profile.text(type.unit));
    return fail(ErrorCode::unsupported,
                fmt::format("this profile counts {}, not goroutines", what));
  }
  Tally tally = profile_tally();
  if (profile.time_nanos != 0) tally.source.taken_at = Nanos{profile.time_nanos};
  if (!profile.mappings.empty()) {
    tally.source.executable = profile.text(profile.mappings[0].file);
    tally.source.build_id = profile.text(profile.mappings[0].build_id);
  }
  const bool leaked = profile.text(profile.sample_types[0].type) == "goroutineleak";
  for (std::size_t i = 0; i < profile.samples.size(); ++i) {
    const pprof::SampleView sample = profile.sample(i);
    if (sample.values[0] <= 0) {
      if (sample.values[0] < 0)
        tally.notes.add(Severity::warning, "a sample counts less than nothing; left out");
      continue;
    }
    tally.entries.push_back(
        {from_profile(stack_of(profile, sample), labels_of(profile, sample), leaked),
         static_cast<std::uint64_t>(sample.values[0]),
         {}});
  }
  return tally;
}

Result<Tally> tally_counts(std::string_view text) {
  Tally tally = profile_tally();
  std::vector<TallyEntry>& entries = tally.entries;
  WEIR_TRY(
      auto summary, dump::parse_counts(text, [&](const dump::CountRecord& record) {
        Stack stack;
        for (const dump::CountFrame& from : record.frames) {
          Frame frame;
          frame.function = from.function.empty() ? fmt::format("{:#x}", from.pc.value)
                                                 : std::string(from.function);
          frame.file = from.file;
          frame.line = from.line;
          frame.pc = from.pc;
          frame.offset = from.offset;
          stack.push_back(std::move(frame));
        }
        entries.push_back({from_profile(std::move(stack), record.labels, false), record.count, {}});
      }));
  if (!counts_goroutines(summary.name))
    return fail(ErrorCode::unsupported,
                fmt::format("this profile counts {}, not goroutines", summary.name));
  if (summary.name == "goroutineleak")
    for (TallyEntry& entry : entries) entry.exemplar.status = Status::leaked;
  tally.knows.wait = false;  // the runtime's frames on top, which tell, are not printed
  tally.notes = std::move(summary.notes);
  tally.partial = summary.counted != summary.total;
  return tally;
}

/// Goroutines with equal stack keys and header words are alike; a stack is taken apart once.
struct TextTally::State {
  struct Key {
    std::uint64_t stack;
    std::string words;  ///< state, flags and labels
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& what) const {
      return what.stack ^ std::hash<std::string>()(what.words);
    }
  };

  std::vector<Tally> tallies;
  std::unordered_map<Key, std::size_t, Hash> places;  // of the last tally
  std::unique_ptr<dump::Scanner> scanner;
  Key key;

  void begin() {
    tallies.emplace_back();
    tallies.back().source.kind = SourceKind::dump_text;
    tallies.back().source.arch.clear();
    places.clear();
  }

  void add(const dump::GoroutineText& text) {
    if (text.header.id.value == 0) return;  // a thread's scheduler
    if (tallies.empty()) begin();
    key.stack = text.stack_key;
    key.words.assign(text.header.state_text);
    key.words += text.header.locked_to_thread ? '\1' : '\2';
    key.words += text.header.labels;
    Tally& tally = tallies.back();
    const auto [place, is_new] = places.try_emplace(key, tally.entries.size());
    if (is_new) tally.entries.push_back({to_goroutine(text), 0, {}});
    TallyEntry& entry = tally.entries[place->second];
    ++entry.count;
    if (!text.header.minutes) return;
    const auto limit = static_cast<std::uint64_t>(INT64_MAX / nanos_per_minute);
    const Nanos waited{static_cast<std::int64_t>(std::min(*text.header.minutes, limit)) *
                       nanos_per_minute};
    if (entry.longest_wait && waited <= *entry.longest_wait) return;
    entry.longest_wait = waited;
    entry.exemplar.waiting_at_least = waited;
    entry.exemplar.id = text.header.id;
  }
};

TextTally::TextTally() : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.scanner = std::make_unique<dump::Scanner>(
      [&state](const dump::GoroutineText& text) { state.add(text); },
      [&state](const dump::DumpStart&) { state.begin(); });
}

TextTally::~TextTally() = default;

void TextTally::feed(std::string_view piece) {
  state_->scanner->feed(piece);
}

std::vector<Tally> TextTally::finish() {
  const dump::Summary summary = state_->scanner->finish();
  if (!state_->tallies.empty()) {
    state_->tallies.back().notes = summary.notes;
    state_->tallies.back().partial = summary.cut;
  }
  for (Tally& tally : state_->tallies)
    std::erase_if(tally.entries, [](const TallyEntry& entry) { return entry.exemplar.system; });
  return std::move(state_->tallies);
}

}  // namespace weir::ingest
