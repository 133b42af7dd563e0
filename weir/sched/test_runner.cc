#include "weir/sched/test_runner.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "weir/sched/goroutine_state.h"
#include "weir/sched/moments.h"
#include "weir/sched/order_hash.h"

namespace weir::sched {
namespace {

user_regs_struct to_registers(const agent::Frame& f) {
  user_regs_struct r{};
  r.r8 = f.r8, r.r9 = f.r9, r.r10 = f.r10, r.r11 = f.r11;
  r.r12 = f.r12, r.r13 = f.r13, r.r14 = f.r14, r.r15 = f.r15;
  r.rdi = f.rdi, r.rsi = f.rsi, r.rbp = f.rbp, r.rbx = f.rbx;
  r.rdx = f.rdx, r.rax = f.rax, r.rcx = f.rcx, r.rsp = f.rsp;
  r.rip = f.rip, r.eflags = f.flags;
  r.orig_rax = ~0ULL;
  return r;
}

void mix(Hash& hash, const RunEvent& event) {
  hash.mix(event.goroutine.value);
  hash.mix(event.hook == nullptr ? 0 : event.hook->at.value);
  hash.mix(static_cast<std::uint64_t>(event.kind));
  hash.mix(event.object);
  hash.mix(event.alternatives);
  hash.mix(event.choice);
  hash.mix(event.runs.value);
}

constexpr const char* race_report = "WARNING: DATA RACE";

std::string text_of_end(int status) {
  return WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status))
                             : fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

// A process that was let go cannot be used again.
Result<void> TestRunner::start() {
  if (start_ && (beginning_ == Beginning::fresh || !start_->may_fork())) start_.reset();
  if (!start_) {
    WEIR_TRY(start_, TestStart::reach(binary_, options_, watchdog_));
  }
  return {};
}

void TestRunner::ask_for(const Chooser& chooser) {
  agent::Shared& shared = start_->memory().shared();
  const auto room = start_->memory().choices();
  const std::size_t count = std::min(chooser.choices.size(), room.size());
  std::copy_n(chooser.choices.begin(), count, room.begin());
  shared.request = {chooser.strategy,
                    chooser.depth,
                    chooser.seed,
                    chooser.length,
                    static_cast<std::uint32_t>(count),
                    look(),
                    0,
                    0};
  shared.points = shared.stands = 0;
  shared.log_words = 0;
  shared.log_full = shared.hidden = false;
  shared.end = agent::End::none;
  shared.refused = shared.clamped = 0;
  shared.observations = 0;
  shared.message_length = 0;
  start_->output().clear();
  unread_.clear();
}

/// At which ends the process is to stop, still whole.
agent::Look TestRunner::look() const {
  if (options_.at_end) return agent::Look::finding;
  return copies() && !start_->has_learned() ? agent::Look::passed : agent::Look::left;
}

bool TestRunner::copies() const {
  return beginning_ == Beginning::copy && start_->may_fork();
}

Result<RunRecord> TestRunner::run(const Chooser& chooser) {
  WEIR_TRY_VOID(start());
  RunRecord record;
  if (const auto& failure = start_->failure()) {
    record.ending = Ending::not_started;
    record.message = *failure;
    record.output = start_->output().read();
    return record;
  }
  ask_for(chooser);
  const std::uint64_t reached = start_->memory().shared().reached;
  WEIR_TRY(const pid_t pid, copies() ? start_->fork() : start_->release());
  watchdog_.watch(pid, start_->memory().shared().reached);
  const auto status = attend(pid, record);
  const auto stalled = watchdog_.stop();
  if (copies()) {
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  if (!status) return fail(status.error());
  if (stalled) {
    record.ending = Ending::stalled;
    record.message = *stalled;
  } else if (start_->memory().shared().end == agent::End::none) {
    judge_death(*status, record);
  }
  record.asked = start_->memory().shared().reached - reached;
  collect(record);
  return record;
}

/// Waits for the end of the process, which is left to be collected. What it ended with.
Result<int> TestRunner::attend(pid_t pid, RunRecord& record) {
  while (true) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) != 0) {
      if (errno == EINTR) continue;
      return fail(ErrorCode::gone, "the process cannot be waited for", {}, errno);
    }
    if (info.si_code == CLD_EXITED) break;
    if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) {
      judge(record);
      return info.si_status;
    }
    int status = 0;
    while (waitpid(pid, &status, WUNTRACED | WNOHANG | __WALL) < 0 && errno == EINTR) {
    }
    if (start_->memory().shared().end != agent::End::none) WEIR_TRY_VOID(on_stop(pid, record));
    kill(pid, start_->memory().shared().end == agent::End::settled ? SIGKILL : SIGCONT);
  }
  judge(record);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | __WALL);
  return W_EXITCODE(info.si_status, 0);
}

// What the agent did to get there is undone: the thread stands where the program would be without
// weir, with the program's registers.
Result<Standing> TestRunner::run_to(const Chooser& chooser, std::uint32_t point) {
  WEIR_TRY_VOID(start());
  if (const auto& failure = start_->failure())
    return fail(ErrorCode::gone, "the test did not begin: " + *failure);
  ask_for(chooser);
  agent::Shared& shared = start_->memory().shared();
  shared.request.stop_at = point;
  WEIR_TRY(const pid_t pid, start_->release());
  watchdog_.watch(pid, shared.reached);
  const bool stands = wait_for_stand(pid);
  const auto stalled = watchdog_.stop();
  if (stalled) return fail(ErrorCode::gone, "the process did not come so far: " + *stalled);
  if (!stands) return fail(ErrorCode::gone, "the process ended before that point");
  Standing standing{pid, static_cast<pid_t>(shared.thread), {}};
  collect(standing.record);
  const std::optional<std::uint64_t> blocked =
      shared.in_signal ? std::optional(shared.blocked) : std::nullopt;
  WEIR_TRY_VOID(start_->leave(standing.thread, to_registers(shared.registers), blocked));
  start_.reset();
  return standing;
}

/// False if it ended instead.
bool TestRunner::wait_for_stand(pid_t pid) {
  while (true) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT | __WALL) != 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (info.si_code != CLD_STOPPED) return false;
    if (start_->memory().shared().stands != 0) return true;
    int status = 0;
    waitpid(pid, &status, WUNTRACED | WNOHANG | __WALL);
    kill(pid, SIGCONT);
  }
}

/// The agent has stopped the process at its end, still whole.
Result<void> TestRunner::on_stop(pid_t pid, RunRecord& record) {
  const agent::Shared& shared = start_->memory().shared();
  const AgentPlan& plan = binary_.agent();
  const EndState end{pid,
                     static_cast<int>(shared.thread),
                     to_registers(shared.registers),
                     {{plan.clock, plan.shared + start_->memory().size()}}};
  if (shared.end == agent::End::settled) {
    if (copies() && !start_->has_learned()) start_->learn_from(pid);
    WEIR_TRY_VOID(find_left_over(end, record));
  }
  judge(record);
  if (options_.at_end && is_finding(record.ending)) options_.at_end(end);
  return {};
}

// Who waits for a file descriptor is left out: a minute of virtual time is no time for the kernel.
Result<void> TestRunner::find_left_over(const EndState& end, RunRecord& record) {
  const Goid exiting{start_->memory().shared().exiting};
  WEIR_TRY(const auto all, start_->list_goroutines(end.pid));
  const auto& reasons = binary_.program().wait_reasons();
  record.left.clear();
  for (const TestStart::Listed& one : all) {
    const std::string_view state = state_word(one.status);
    if (one.system || state.empty() || start_->is_older(one.id) || one.id == exiting) continue;
    std::string reason{state};
    if (one.status == status_waiting && one.reason < reasons.size()) reason = reasons[one.reason];
    if (reason != "IO wait") record.left.push_back({one.id, std::move(reason)});
  }
  std::sort(record.left.begin(), record.left.end());
  if (!options_.leaks || record.left.empty()) return {};
  const auto leaks = options_.leaks(end, record.left);
  if (!leaks) {
    unread_ = to_string(leaks.error());
    return {};
  }
  std::erase_if(record.left, [&](const LeftOver& one) {
    return std::find(leaks->begin(), leaks->end(), one.id) == leaks->end();
  });
  return {};
}

void TestRunner::judge(RunRecord& record) const {
  const agent::Shared& shared = start_->memory().shared();
  switch (shared.end) {
    case agent::End::none:
      break;
    case agent::End::message:
      judge_message(record);
      break;
    case agent::End::exit:
      record.ending = shared.code == 0 ? Ending::passed : Ending::failed;
      record.message = shared.code == 0 ? "" : fmt::format("exit code {}", shared.code);
      break;
    case agent::End::settled:
      record.ending = record.left.empty() ? Ending::passed : Ending::leak;
      record.message.clear();
      for (const LeftOver& one : record.left)
        record.message += fmt::format("{}goroutine {} [{}]", record.message.empty() ? "" : ", ",
                                      one.id.value, one.wait_reason);
      if (unread_.empty()) break;
      record.ending = Ending::died;
      record.message = "what it left behind could not be read: " + unread_;
      break;
    case agent::End::endless:
      record.ending = Ending::endless;
      record.message = fmt::format("it did not end within {} points", options_.event_limit);
      break;
    case agent::End::crowded:
      record.ending = Ending::endless;
      record.message = "more goroutines can run than weir can choose from (4096)";
      break;
  }
}

void TestRunner::judge_message(RunRecord& record) const {
  const agent::Shared& shared = start_->memory().shared();
  const auto& hooks = binary_.agent().hooks;
  const HookKind kind =
      shared.end_site < hooks.size() ? hooks[shared.end_site]->kind : HookKind::crash;
  const std::string text(shared.message, std::min(shared.message_length, agent::message_size));
  const bool of_program =
      kind == HookKind::fatal || text.starts_with("sync: ") || text.starts_with("concurrent map");
  record.message = text;
  if (kind == HookKind::panic) {
    record.ending = Ending::panic;
    record.message = "panic";
  } else if (text.ends_with("deadlock!")) {
    record.ending = Ending::deadlock;
  } else {
    record.ending = of_program ? Ending::fatal : Ending::crashed;
  }
}

/// It ended where the agent does not look.
void TestRunner::judge_death(int status, RunRecord& record) const {
  const bool race = WIFEXITED(status) && WEXITSTATUS(status) == race_exit_code &&
                    start_->output().read().find(race_report) != std::string::npos;
  record.ending = race ? Ending::race : Ending::died;
  record.message = race ? race_report : text_of_end(status);
}

/// From what the agent has noted.
void TestRunner::collect(RunRecord& record) const {
  const agent::Shared& shared = start_->memory().shared();
  const AgentPlan& plan = binary_.agent();
  std::unordered_map<std::uint64_t, std::uint32_t> numbers;
  Hash hash;
  const auto points = start_->memory().points();
  record.events.reserve(points.size());
  for (const agent::Point& point : points) {
    RunEvent event;
    event.kind = point.kind;
    event.goroutine = Goid{point.goroutine};
    if (point.kind != agent::PointKind::resume && point.site < plan.hooks.size())
      event.hook = plan.hooks[point.site];
    event.pc = Address{point.pc};
    if (point.object != 0) {
      const auto next = static_cast<std::uint32_t>(record.objects.size() + 1);
      const auto [entry, fresh] = numbers.emplace(point.object, next);
      if (fresh) record.objects.push_back(Address{point.object});
      event.object = entry->second;
    }
    event.alternatives = point.alternatives;
    event.choice = point.choice;
    event.runs = Goid{point.runs};
    event.timer = point.timer != 0 && point.choice + 1 == point.alternatives;
    mix(hash, event);
    record.events.push_back(event);
    if (!options_.check || record.ending == Ending::diverged) continue;
    if (auto wrong = options_.check(record.events.size() - 1, event)) {
      record.ending = Ending::diverged;
      record.message = std::move(*wrong);
    }
  }
  collect_observations(record);
  read_log(start_->memory().log(), record);
  record.log_whole = record.log_whole && !shared.log_full;
  record.hidden_at_end = shared.hidden;
  record.clamped = shared.clamped;
  record.refused = shared.refused;
  record.output = start_->output().read();
  if (record.ending == Ending::panic) {
    const auto at = record.output.find("panic: ");
    if (at != std::string::npos)
      record.message = record.output.substr(at, record.output.find('\n', at) - at);
  }
  hash.mix(static_cast<std::uint64_t>(record.ending));
  record.hash = hash.value();
  record.order_hash = order_hash(record);
}

void TestRunner::collect_observations(RunRecord& record) const {
  const std::uint64_t seen = start_->memory().shared().observations;
  const auto& all = binary_.agent().observations;
  record.unordered = binary_.hooks().tries_locks;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((seen >> i & 1) == 0) continue;
    if (all[i] == observation_unordered)
      record.unordered = true;
    else
      record.observations.push_back(all[i]);
  }
}

Result<RunRecord> run_schedule(const TestBinary& binary, const RunOptions& options,
                               const Chooser& chooser, Watchdog& watchdog) {
  TestRunner runner(binary, options, watchdog, Beginning::fresh);
  return runner.run(chooser);
}

}  // namespace weir::sched
