#include "weir/run/session.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "weir/run/detour.h"
#include "weir/run/quiet.h"
#include "weir/run/stuck_watch.h"
#include "weir/target/process.h"
#include "weir/target/tracee.h"

namespace weir::run {

namespace {

using target::Tracee;
using target::TraceeEvent;
using Clock = Tracee::Clock;

/// What a breakpoint means.
enum class Point : std::uint8_t {
  runtime_main,  ///< the runtime is up, no init function has run
  main_main,
  main_return,  ///< behind the call of main.main
  exit,         ///< os.Exit
  test_start,   ///< testing.tRunner, testing.fRunner, testing.(*B).runN
  test_end,     ///< testing.(*T).report
  fatal,        ///< runtime.fatal
};

constexpr std::chrono::seconds tick_period{1};
/// How long a second goroutine that calls os.Exit is kept, while the first one is on its way out.
constexpr Nanos aside{3'600'000'000'000};
/// From SIGQUIT to SIGKILL for a stuck program that catches SIGQUIT.
constexpr std::chrono::seconds quit_grace{10};
constexpr std::uint64_t longest_name = 4096;

Nanos since(Clock::time_point start) {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count()};
}

class Session {
 public:
  explicit Session(const SessionOptions& options)
      : options_(options), stuck_watch_(options.stuck_after) {}

  Result<Outcome> run();

 private:
  Result<void> start();
  void watch_no_more(Error why);
  void on_exec(pid_t thread);
  Result<void> arm();
  Result<void> arm_tests();
  Result<void> remember_ancestors();
  Result<void> add_point(Point point, std::string_view function, bool needed);
  Result<void> on_point(Point point, pid_t thread, Address at);
  Result<void> on_runtime_main();
  Result<void> hide_ancestors_from_tracebacks();
  Result<void> on_main_main(pid_t thread);
  Result<void> on_test_start(pid_t thread);
  Result<void> on_test_end(pid_t thread);
  Result<void> on_fatal(pid_t thread);
  Result<void> on_end_of_program(ExitKind kind, pid_t thread);
  Result<void> on_return_from_detour(pid_t thread, bool& ours);
  Result<void> look_at_end(pid_t thread, Nanos slept);
  Result<void> send_away(pid_t thread, Nanos length);
  Result<void> let_end(pid_t thread);
  Result<model::Snapshot> look();
  void prove(pid_t ending);
  std::vector<ThreadState> thread_states(bool vectors);
  void on_tick();
  void end_stuck(model::Snapshot snapshot);
  void finish();

  Result<std::uint64_t> read_word(Address at);
  Result<std::string> read_string(Address data, std::uint64_t length);
  Result<Goid> read_current_goid(pid_t thread);
  std::set<Goid> existing();
  void count_goroutines(const std::string& test, bool at_start);

  const SessionOptions& options_;
  Outcome outcome_;
  std::unique_ptr<Tracee> tracee_;
  std::unique_ptr<Program> program_;
  std::map<Address, Point> points_;
  DetourFunctions functions_;
  std::optional<Detour> detour_;  ///< of the goroutine that ends the program
  std::optional<Address> away_;   ///< it sleeps, and comes back here
  Clock::time_point left_at_;
  std::optional<Patience> patience_;
  std::vector<Goid> still_lingering_;  ///< of the look before, if nothing could stir then
  bool ending_ = false;                ///< detour_ has been let go
  StuckWatch stuck_watch_;
  std::optional<Clock::time_point> quit_at_;
};

Result<Outcome> Session::run() {
  WEIR_TRY_VOID(start());
  while (true) {
    const bool ticking = program_ != nullptr || quit_at_;
    const TraceeEvent event =
        tracee_->next(ticking ? std::optional(Clock::now() + tick_period) : std::nullopt);
    switch (event.kind) {
      case TraceeEvent::Kind::ended:
        finish();
        return std::move(outcome_);
      case TraceeEvent::Kind::timeout:
        on_tick();
        break;
      case TraceeEvent::Kind::exec:
        on_exec(event.thread);
        break;
      case TraceeEvent::Kind::breakpoint: {
        const auto point = points_.find(event.at);
        Result<void> done;
        bool ours = false;
        if (away_ == event.at) done = on_return_from_detour(event.thread, ours);
        if (done && !ours && point != points_.end()) {
          const Point what = point->second;
          done = on_point(what, event.thread, event.at);
        }
        if (!done && done.error().code != ErrorCode::gone)
          outcome_.notes.add(Severity::warning, to_string(done.error()), to_hex(event.at));
        break;
      }
    }
    if (event.thread != 0 && !tracee_->ended()) (void)tracee_->resume(event.thread).has_value();
  }
}

Result<void> Session::start() {
  target::Launch launch{options_.argv, options_.environment, true};
  auto tracee = Tracee::launch(launch);
  if (!tracee && tracee.error().code == ErrorCode::unsupported) {
    Error why = std::move(tracee).error();
    why.context.push_back(
        "weir must be allowed to trace the program it starts: in a container, allow the ptrace "
        "system call (--cap-add=SYS_PTRACE, or a seccomp profile that permits it)");
    outcome_.unwatched = std::move(why);
    launch.traced = false;
    tracee = Tracee::launch(launch);
  }
  if (!tracee) return fail(std::move(tracee).error());
  tracee_ = std::move(*tracee);
  return {};
}

// From here on the program runs without breakpoints; only its end, and another exec, are waited
// for.
void Session::watch_no_more(Error why) {
  outcome_.unwatched = std::move(why);
  outcome_.end = End::unwatched;
  program_.reset();
  for (const auto& [at, point] : points_) (void)tracee_->remove_breakpoint(at).has_value();
  points_.clear();
}

void Session::on_exec(pid_t) {
  const bool again = program_ != nullptr;
  program_.reset();
  points_.clear();
  detour_.reset();
  away_.reset();
  outcome_.facts = {};
  if (again)
    outcome_.notes.add(Severity::info, "the program replaced itself by another one (exec)");
  auto opened = open_program(tracee_->pid());
  if (!opened) {
    watch_no_more(std::move(opened).error());
    return;
  }
  program_ = std::move(*opened);
  outcome_.end = End::died;
  outcome_.go_version = program_->go_version();
  outcome_.build_id = program_->build_id();
  outcome_.package = program_->package();
  if (auto armed = arm(); !armed) watch_no_more(std::move(armed).error());
}

Result<void> Session::add_point(Point point, std::string_view function, bool needed) {
  const std::optional<Address> entry = program_->find_function(function);
  if (!entry && needed)
    return fail(ErrorCode::unsupported, fmt::format("the program has no function {}", function));
  if (!entry) return {};
  WEIR_TRY_VOID(tracee_->set_breakpoint(*entry));
  points_[*entry] = point;
  return {};
}

Result<void> Session::arm() {
  WEIR_TRY_VOID(add_point(Point::runtime_main, "runtime.main", true));
  WEIR_TRY_VOID(add_point(Point::main_main, "main.main", true));
  WEIR_TRY_VOID(add_point(Point::exit, "os.Exit", false));
  WEIR_TRY_VOID(add_point(Point::fatal, "runtime.fatal", false));
  functions_.exit = program_->find_function("os.Exit").value_or(Address{});
  functions_.sleep = program_->find_function("time.Sleep");
  functions_.yield = program_->find_function("runtime.Gosched").value_or(Address{});
  outcome_.facts.has_tests = program_->find_function("testing.tRunner").has_value();
  return {};
}

Result<void> Session::arm_tests() {
  if (!outcome_.facts.has_tests) return {};
  if (!program_->fields().has_test_name) {
    outcome_.notes.add(Severity::warning, "leaks are not told apart by test", {},
                       "this Go version's package testing is not known to weir");
    return {};
  }
  for (const char* runner : {"testing.tRunner", "testing.fRunner", "testing.(*B).runN"})
    WEIR_TRY_VOID(add_point(Point::test_start, runner, false));
  if (options_.count) WEIR_TRY_VOID(add_point(Point::test_end, "testing.(*T).report", false));
  return {};
}

Result<void> Session::on_point(Point point, pid_t thread, Address at) {
  const auto once = [&] {
    points_.erase(at);
    return tracee_->remove_breakpoint(at);
  };
  switch (point) {
    case Point::runtime_main:
      WEIR_TRY_VOID(once());
      return on_runtime_main();
    case Point::main_main:
      WEIR_TRY_VOID(once());
      return on_main_main(thread);
    case Point::main_return:
      return on_end_of_program(ExitKind::main_returned, thread);
    case Point::exit:
      return on_end_of_program(ExitKind::exit_called, thread);
    case Point::test_start:
      return on_test_start(thread);
    case Point::test_end:
      return on_test_end(thread);
    case Point::fatal:
      WEIR_TRY_VOID(once());
      return on_fatal(thread);
  }
  return {};
}

// The runtime is up, GODEBUG has been read, and no `go` statement of the program's own has run.
Result<void> Session::on_runtime_main() {
  WEIR_TRY_VOID(arm_tests());
  return remember_ancestors();
}

Result<void> Session::remember_ancestors() {
  if (options_.ancestors <= 0) return {};
  const std::optional<Address> at = program_->find_traceback_ancestors();
  if (!at) {
    outcome_.notes.add(Severity::info, "creators that have ended cannot be told",
                       "runtime.debug.tracebackancestors was not found");
    return {};
  }
  std::int32_t depth = 0;
  WEIR_TRY_VOID(tracee_->read(*at, std::as_writable_bytes(std::span(&depth, 1))));
  if (depth != 0) return {};  // the user's own GODEBUG
  WEIR_TRY_VOID(hide_ancestors_from_tracebacks());
  depth = options_.ancestors;
  return tracee_->write(*at, std::as_bytes(std::span(&depth, 1)));
}

// A crash must look as it does without weir. The function has no result, so it may return at once.
// Its only caller is traceback code (traceback.go, go1.19–1.27).
Result<void> Session::hide_ancestors_from_tracebacks() {
  const auto printer = program_->find_function("runtime.printAncestorTraceback");
  if (!printer)
    return fail(ErrorCode::unsupported, "the program has no runtime.printAncestorTraceback");
  constexpr std::byte return_instruction{0xc3};
  return tracee_->write(*printer, std::span(&return_instruction, 1));
}

Result<void> Session::on_main_main(pid_t thread) {
  if (!outcome_.facts.has_tests) outcome_.facts.before_first_test = existing();
  WEIR_TRY(const user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY(const std::uint64_t return_to, read_word(Address{registers.rsp}));
  WEIR_TRY_VOID(tracee_->set_breakpoint(Address{return_to}));
  points_[Address{return_to}] = Point::main_return;
  return {};
}

// testing.common is the first field of T, B and F, whose pointer is the first argument.
Result<void> Session::on_test_start(pid_t thread) {
  WEIR_TRY(const user_regs_struct registers, tracee_->read_registers(thread));
  const Address name = Address{registers.rax} + program_->fields().test_name;
  WEIR_TRY(const std::uint64_t data, read_word(name));
  WEIR_TRY(const std::uint64_t length, read_word(name + 8));
  WEIR_TRY(std::string test, read_string(Address{data}, length));
  WEIR_TRY(const Goid goroutine, read_current_goid(thread));
  Facts& facts = outcome_.facts;
  // The root, which has no name, runs all tests on the goroutine that called M.Run.
  if (facts.before_first_test.empty() && facts.tests.empty()) facts.before_first_test = existing();
  if (test.empty() || facts.tests[goroutine] == test) return {};
  if (options_.count) count_goroutines(test, true);
  facts.tests[goroutine] = std::move(test);
  return {};
}

Result<void> Session::on_test_end(pid_t thread) {
  WEIR_TRY(const Goid goroutine, read_current_goid(thread));
  const auto test = outcome_.facts.tests.find(goroutine);
  if (test != outcome_.facts.tests.end()) count_goroutines(test->second, false);
  return {};
}

Result<void> Session::on_fatal(pid_t thread) {
  WEIR_TRY(const user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY(const std::string text, read_string(Address{registers.rax}, registers.rbx));
  if (text.find("deadlock!") == std::string::npos) return {};
  WEIR_TRY(outcome_.snapshot, look());
  outcome_.end = End::deadlock;
  return {};
}

// os.Exit was called or main.main has returned, on any goroutine.
Result<void> Session::on_end_of_program(ExitKind kind, pid_t thread) {
  if (ending_ && detour_) {
    WEIR_TRY(const bool same, detour_->is_same_exit(thread));
    if (same) return {};
  }
  WEIR_TRY(Detour detour, Detour::begin(*tracee_, program_->fields(), functions_, kind, thread));
  // Somebody else is ending the program already: the first one's code counts.
  if (away_) return detour.leave(thread, aside);
  detour_ = std::move(detour);
  ending_ = false;
  patience_.emplace(options_.settle);
  outcome_.asked_code = detour_->code();
  outcome_.facts.ending = detour_->goroutine();
  outcome_.settled = {};
  still_lingering_.clear();
  return look_at_end(thread, {0});
}

Result<void> Session::on_return_from_detour(pid_t thread, bool& ours) {
  WEIR_TRY(ours, detour_->is_back(thread));
  if (!ours) return {};
  away_.reset();
  const Nanos slept = since(left_at_);
  outcome_.settled.value += slept.value;
  return look_at_end(thread, slept);
}

// Looks at what is left and decides: wait on, or let the program end.
Result<void> Session::look_at_end(pid_t thread, Nanos slept) {
  const auto start = Clock::now();
  auto snapshot = look();
  if (!snapshot) {
    outcome_.notes.add(Severity::loss, "no look at the end of the program",
                       to_string(snapshot.error()));
    return let_end(thread);
  }
  const std::vector<std::size_t> left = options_.lingering(*snapshot, outcome_.facts);
  auto timers = program_->read_timers();
  const std::optional<Nanos> wait = patience_->next_wait(slept, since(start));
  const auto known = timers ? std::optional(*timers) : std::nullopt;
  const bool quiet =
      find_stir(*snapshot, detour_->goroutine(), known, patience_->left()) == Stir::nothing;
  std::vector<Goid> ids;
  for (const std::size_t index : left) ids.push_back(snapshot->goroutines[index].id);
  const bool settled = quiet && ids == still_lingering_;
  still_lingering_ = quiet ? ids : std::vector<Goid>{};
  outcome_.snapshot = std::move(*snapshot);
  outcome_.timers = known.value_or(std::vector<Timer>{});
  const bool last = left.empty() || settled || !wait || functions_.yield.value == 0;
  if (last && !left.empty()) prove(thread);
  if (last) return let_end(thread);
  return send_away(thread, *wait);
}

Result<void> Session::send_away(pid_t thread, Nanos length) {
  WEIR_TRY_VOID(tracee_->set_breakpoint(detour_->comes_back_to()));
  WEIR_TRY_VOID(detour_->leave(thread, length));
  away_ = detour_->comes_back_to();
  left_at_ = Clock::now();
  return {};
}

Result<void> Session::let_end(pid_t thread) {
  outcome_.end = detour_->kind() == ExitKind::exit_called ? End::exit_called : End::main_returned;
  ending_ = true;
  const Address place = detour_->comes_back_to();
  points_.erase(place);
  WEIR_TRY_VOID(tracee_->remove_breakpoint(place));
  return detour_->finish(thread);
}

/// Of all threads; they must be stopped.
std::vector<ThreadState> Session::thread_states(bool vectors) {
  std::vector<ThreadState> threads;
  for (const pid_t tid : tracee_->threads()) {
    const auto registers = tracee_->read_registers(tid);
    if (!registers) continue;
    threads.push_back({tid, target::to_registers(*registers), {}});
    if (vectors) threads.back().vectors = tracee_->read_vector_registers(tid);
  }
  return threads;
}

// One instant of all goroutines.
Result<model::Snapshot> Session::look() {
  const auto start = Clock::now();
  WEIR_TRY_VOID(tracee_->stop_all());
  auto snapshot = program_->read_stopped(thread_states(false));
  tracee_->resume_all();
  const Nanos stopped = since(start);
  outcome_.stopped.value += stopped.value;
  if (snapshot) snapshot->stopped = stopped;
  return snapshot;
}

// Of what is left over: which of it will never run again. A leak stays one, so that it does not
// matter that this is a moment after the look. The thread that ends the program stands before the
// first instruction of os.Exit, or behind a call without results: by Go's calling convention
// (cmd/compile/abi-internal.md) its registers have nothing of the program's but the exit code. What
// a copy of memory left in them would hold whatever was copied.
void Session::prove(pid_t ending) {
  const auto start = Clock::now();
  if (!tracee_->stop_all()) return;
  std::vector<ThreadState> threads = thread_states(true);
  for (ThreadState& thread : threads) {
    if (thread.tid != ending) continue;
    thread.registers.general = {};
    thread.vectors = {0};
  }
  outcome_.snapshot->proof = program_->prove_stopped(threads);
  tracee_->resume_all();
  outcome_.stopped.value += since(start).value;
}

void Session::on_tick() {
  if (quit_at_ && Clock::now() >= *quit_at_ + quit_grace) tracee_->send(SIGKILL);
  if (quit_at_ || away_ || program_ == nullptr) return;
  const auto facts = target::read_process(tracee_->pid());
  if (!facts) return;
  const Nanos now = since(Clock::time_point{});
  const bool still = stuck_watch_.tick(now, facts->cpu_time, [&] {
    auto all = program_->glance();
    return all ? std::optional(std::move(*all)) : std::nullopt;
  });
  if (!still) return;
  auto snapshot = look();
  if (!snapshot) return;
  auto timers = program_->read_timers();
  outcome_.timers = timers ? std::move(*timers) : std::vector<Timer>{};
  if (timers && options_.is_stuck(*snapshot, outcome_.timers)) end_stuck(std::move(*snapshot));
}

// As go test's own alarm would, but sooner: Go prints all goroutines and exits with code 2.
void Session::end_stuck(model::Snapshot snapshot) {
  outcome_.end = End::stuck;
  outcome_.snapshot = std::move(snapshot);
  if (options_.on_stuck) options_.on_stuck(*outcome_.snapshot, outcome_.timers);
  quit_at_ = Clock::now();
  tracee_->send(SIGQUIT);
}

void Session::finish() {
  outcome_.wait_status = tracee_->wait_status();
  outcome_.settling = away_.has_value();
}

Result<std::uint64_t> Session::read_word(Address at) {
  std::uint64_t value = 0;
  WEIR_TRY_VOID(tracee_->read(at, std::as_writable_bytes(std::span(&value, 1))));
  return value;
}

Result<std::string> Session::read_string(Address data, std::uint64_t length) {
  if (length > longest_name)
    return fail(ErrorCode::limit, fmt::format("a text of {} bytes", length), data);
  std::string text(length, '\0');
  WEIR_TRY_VOID(tracee_->read(data, std::as_writable_bytes(std::span(text))));
  return text;
}

Result<Goid> Session::read_current_goid(pid_t thread) {
  WEIR_TRY(const user_regs_struct registers, tracee_->read_registers(thread));
  WEIR_TRY(const std::uint64_t id, read_word(Address{registers.r14} + program_->fields().g_id));
  return Goid{id};
}

std::set<Goid> Session::existing() {
  std::set<Goid> ids;
  auto all = program_->glance();
  if (!all) {
    outcome_.notes.add(Severity::warning, "not known which goroutines existed before the tests",
                       to_string(all.error()));
    return ids;
  }
  for (const Glance& glance : *all) ids.insert(glance.id);
  return ids;
}

void Session::count_goroutines(const std::string& test, bool at_start) {
  const auto all = program_->glance();
  if (!all) return;
  const std::uint64_t now = all->size();
  auto& counts = outcome_.facts.counts;
  if (at_start) counts.push_back({test, now, 0, now});
  for (TestCounts& one : counts) {
    if (one.after == 0) one.peak = std::max(one.peak, now);
    if (!at_start && one.test == test && one.after == 0) one.after = now;
  }
}

}  // namespace

int Outcome::code() const {
  if (WIFSIGNALED(wait_status)) return 128 + WTERMSIG(wait_status);
  return WEXITSTATUS(wait_status);
}

Result<Outcome> run_session(const SessionOptions& options) {
  Session session(options);
  return session.run();
}

}  // namespace weir::run
