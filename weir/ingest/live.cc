#include "weir/ingest/live.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "weir/bytes/mapped_file.h"
#include "weir/gortime/gather.h"
#include "weir/gortime/program.h"
#include "weir/ingest/holders.h"
#include "weir/ingest/live_state.h"
#include "weir/ingest/recorded.h"
#include "weir/ingest/snapshot_builder.h"
#include "weir/target/crew.h"
#include "weir/target/live_memory.h"
#include "weir/target/process.h"
#include "weir/target/sparse_memory.h"
#include "weir/target/stop.h"

namespace weir::ingest {
namespace {

using gortime::GoroutineState;
using gortime::GStatus;

constexpr int draft_rounds = 4;          // at most so many looks before the stop
constexpr std::size_t few_changed = 64;  // a draft with no more changes than this is good enough

/// Whether a goroutine's own memory tells little because it runs right now.
bool runs(const GoroutineState& state) {
  return state.status == GStatus::running || state.status == GStatus::copystack;
}

/// The stopped program's CPUs are free for as long as it stands; more than a few only wait for
/// memory.
unsigned copy_threads() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

Nanos clock_now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return Nanos{now.tv_sec * 1'000'000'000 + now.tv_nsec};
}

LiveReader::LiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LiveReader::LiveReader(LiveReader&&) noexcept = default;
LiveReader& LiveReader::operator=(LiveReader&&) noexcept = default;
LiveReader::~LiveReader() = default;

Result<LiveReader> LiveReader::open(int pid) {
  auto state = std::make_unique<State>();
  state->pid = pid;
  WEIR_TRY(state->facts, target::read_process(pid));
  WEIR_TRY(auto memory, target::LiveMemory::open(pid));
  state->memory.emplace(std::move(memory));
  WEIR_TRY(const std::string path, target::find_executable(pid));
  WEIR_TRY(auto executable, bytes::MappedFile::open(path));
  state->executable.emplace(std::move(executable));
  const bytes::Bytes content = state->executable->bytes();
  state->touched.emplace(content.size());
  WEIR_TRY(state->auxv, target::read_auxv(pid));
  WEIR_TRY(
      const LoadBias bias,
      target::load_bias(state->auxv, content.first(std::min<std::size_t>(64, content.size()))));
  auto program = gortime::Program::open(content, *state->memory, bias, {}, &*state->touched, path);
  if (!program)
    return fail(
        std::move(program).error().with(fmt::format("pid {} ({})", pid, state->facts.exe_path)));
  state->program.emplace(std::move(*program));
  return LiveReader(std::move(state));
}

const std::string& LiveReader::go_version() const {
  return state_->program->go_version();
}
const gortime::Program& LiveReader::program() const {
  return *state_->program;
}

std::string LiveReader::function_at(Address pc) const {
  const auto& program = *state_->program;
  const auto function = program.table().find_function(program.bias().to_link(pc));
  return function ? gosym::name_for_print(function->name, program.go_minor()) : std::string();
}

model::Source LiveReader::State::source() const {
  model::Source source;
  source.kind = model::SourceKind::process;
  source.name = fmt::format("pid {}", pid);
  source.pid = pid;
  source.executable = facts.exe_path;
  source.build_id = program->file().gnu_build_id();
  if (source.build_id.empty()) source.build_id = program->file().go_build_id();
  source.go_version = program->go_version();
  source.arch = elf::to_string(program->file().machine());
  source.command_line = join(facts.command_line);
  source.taken_at = clock_now(CLOCK_REALTIME);
  return source;
}

/// The numbers Go has for its threads are those of its own pid namespace.
void LiveReader::State::read_thread_ids(Moment& moment) const {
  auto threads = target::read_threads(pid);
  if (!threads) return;
  for (const target::ThreadFacts& thread : *threads)
    moment.thread_ids[thread.inner_tid] = thread.tid;
}

/// Everything, read while the program runs, until little is left to do in the stop.
Result<void> LiveReader::State::draft(gortime::Gatherer& gatherer) const {
  WEIR_TRY_VOID(gatherer.gather());
  std::size_t before = gatherer.goroutines().size();
  for (int round = 0; round < draft_rounds && before > few_changed; ++round) {
    WEIR_TRY(const auto refreshed, gatherer.refresh());
    if (refreshed.changed >= before) break;  // as many run as we can follow
    before = refreshed.changed;
  }
  return {};
}

model::Snapshot LiveReader::State::build(gortime::Gatherer& gatherer, Moment& moment,
                                         target::Memory& from) {
  gatherer.finish();
  model::Snapshot snapshot;
  snapshot.source = source();
  const bool any_io =
      std::any_of(gatherer.goroutines().begin(), gatherer.goroutines().end(),
                  [](const GoroutineState& state) { return state.poll.has_value(); });
  if (any_io) {
    if (auto fds = target::read_fds(pid)) {
      for (const target::FdFacts& fd : *fds) moment.fds[fd.fd] = fd.target;
    } else {
      snapshot.notes.add(Severity::info, "what the file descriptors are for is not known: " +
                                             to_string(fds.error()));
    }
  }
  SnapshotBuilder builder(*program, from, moment);
  snapshot.goroutines = builder.build(gatherer.goroutines());
  snapshot.notes.merge(program->notes());
  snapshot.notes.merge(gatherer.notes());
  snapshot.notes.merge(builder.notes());
  return snapshot;
}

void take_registers(std::span<const target::StoppedThread> threads, Moment& moment) {
  std::map<int, int> inner;
  for (const auto& [go_id, tid] : moment.thread_ids) inner[tid] = go_id;
  for (const target::StoppedThread& thread : threads) {
    const auto known = inner.find(thread.tid);
    const int go_id = known == inner.end() ? thread.tid : known->second;
    moment.thread_ids[go_id] = thread.tid;
    if (thread.has_registers) moment.registers[go_id] = thread.registers;
  }
}

namespace {

/// What the stop left out.
void note_stop(model::Snapshot& snapshot, const LiveOptions& options,
               const std::vector<int>& unstopped, int tries) {
  if (tries > 1) {
    snapshot.notes.add(
        Severity::info,
        fmt::format("the process did not stand still within {} at once; it was let go, and tried "
                    "again: {} tries",
                    to_text(options.max_stop), tries));
  }
  if (snapshot.partial) {
    snapshot.notes.add(
        Severity::loss,
        fmt::format(
            "the stop reached its bound of {}: what ran since the draft may be missing or older",
            to_text(options.max_stop)),
        {}, "allow more with -max-stop, or use -light");
  }
  if (!unstopped.empty()) {
    snapshot.notes.add(Severity::warning,
                       "a thread sat in an uninterruptible system call and was not stopped",
                       fmt::format("thread {}", unstopped[0]));
  }
}

/// A process is tried so often when it does not stand still in time: a busy machine may give its
/// threads no CPU to stop on.
constexpr int max_tries = 4;

/// Stops the process for `look`, each time after a new draft; how often goes to `tries`.
Result<target::StopReport> stop_after_draft(
    int pid, const target::StopOptions& options, const std::function<Result<void>()>& draft,
    const std::function<void(target::StoppedProcess&)>& look, int& tries) {
  for (tries = 1;; ++tries) {
    WEIR_TRY_VOID(draft());
    auto report = target::while_stopped(pid, options, look);
    if (report || report.error().code != ErrorCode::limit) return report;
    if (tries < max_tries) continue;
    report.error().what += fmt::format(" in any of {} tries; allow more with -max-stop", tries);
    return report;
  }
}

}  // namespace

Result<model::Snapshot> LiveReader::read_snapshot(const LiveOptions& options,
                                                  target::Recording* record) {
  State& state = *state_;
  std::optional<target::RecordingMemory> recorder;
  if (record != nullptr) recorder.emplace(*state.memory, target::Packing::none);
  target::Memory& memory = recorder ? static_cast<target::Memory&>(*recorder) : *state.memory;
  WEIR_TRY_VOID(state.program->prepare(memory));
  Moment moment;
  state.read_thread_ids(moment);
  target::Crew crew(options.copy_threads > 0 ? options.copy_threads : copy_threads());
  gortime::Gatherer gatherer(state.context(), memory);
  gatherer.use_crew(crew);

  Result<void> inside;
  bool complete = true;
  target::StopOptions stop_options;
  stop_options.max_stop = options.max_stop;
  std::vector<std::size_t> to_stop_for;
  const auto look = [&](target::StoppedProcess& stop) {
    moment.monotonic_now = clock_now(CLOCK_MONOTONIC);
    take_registers(stop.threads(), moment);
    gatherer.use_threads(stack_pointers_of(moment));
    auto frozen = stop.freeze(memory);
    gatherer.use(frozen);
    if (options.light) {
      inside = gatherer.regather(to_stop_for);
    } else {
      auto refreshed = gatherer.refresh([&] {
        return !stop.holds() ||
               std::chrono::steady_clock::now() > stop.deadline() - std::chrono::milliseconds(1);
      });
      if (!refreshed)
        inside = fail(std::move(refreshed).error());
      else
        complete = refreshed->complete;
    }
    gatherer.use(memory);
  };
  const auto draft = [&]() -> Result<void> {
    WEIR_TRY_VOID(state.draft(gatherer));
    if (options.light)
      to_stop_for =
          gatherer.choose([](const GoroutineState& s) { return s.torn || !s.verified || runs(s); });
    return {};
  };
  int tries = 0;
  auto stopped = stop_after_draft(state.pid, stop_options, draft, look, tries);
  if (!stopped) return fail(std::move(stopped).error());
  const bool out_of_time = !inside && inside.error().code == ErrorCode::limit && stopped->forced;
  if (!inside && !out_of_time) return fail(std::move(inside).error());

  model::Snapshot snapshot = state.build(gatherer, moment, memory);
  if (options.holders || record != nullptr)
    find_holders(gatherer.goroutines(), *state.program, memory, moment, snapshot);
  snapshot.stopped = stopped->held;
  snapshot.partial = out_of_time || !complete;
  snapshot.consistent = !options.light && !snapshot.partial && stopped->unstopped.empty();
  note_stop(snapshot, options, stopped->unstopped, tries);
  if (record != nullptr) {
    keep_moment(*record, *state.program, moment, snapshot, state.facts, *state.touched);
    record->memory = recorder->take_latest();
    record->auxv = state.auxv;
  }
  return snapshot;
}

Result<model::Snapshot> LiveReader::read_stopped(std::span<const StoppedRegisters> threads) {
  State& state = *state_;
  WEIR_TRY_VOID(state.need_preparation());
  Moment moment;
  state.read_thread_ids(moment);
  moment.monotonic_now = clock_now(CLOCK_MONOTONIC);
  std::vector<target::StoppedThread> stopped;
  for (const StoppedRegisters& thread : threads) {
    target::StoppedThread one;
    one.tid = thread.tid;
    one.has_registers = true;
    one.registers = thread.registers;
    stopped.push_back(one);
  }
  take_registers(stopped, moment);
  target::FrozenMemory frozen(*state.memory, [] { return true; });
  gortime::Gatherer gatherer(state.context(), frozen);
  gatherer.use_threads(stack_pointers_of(moment));
  WEIR_TRY_VOID(gatherer.gather());
  model::Snapshot snapshot = state.build(gatherer, moment, frozen);
  snapshot.consistent = true;
  return snapshot;
}

Result<std::vector<CensusEntry>> LiveReader::read_census() {
  State& state = *state_;
  WEIR_TRY_VOID(state.need_preparation());
  gortime::Gatherer gatherer(state.context(), *state.memory);
  WEIR_TRY_VOID(gatherer.read_headers());
  Moment moment;
  SnapshotBuilder builder(*state.program, *state.memory, moment);
  std::vector<CensusEntry> entries;
  for (const GoroutineState& g : gatherer.goroutines()) {
    if (!g.torn && g.alive()) entries.push_back(builder.census_entry(g));
  }
  return entries;
}

Result<std::vector<gortime::TimerState>> LiveReader::read_timers() {
  return gortime::read_timers(state_->program->layout(), state_->program->globals(),
                              *state_->memory);
}

}  // namespace weir::ingest
