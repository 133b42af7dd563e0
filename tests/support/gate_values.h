#pragma once
// A gate report with a bit of everything, for the tests of its outputs.
#include "weir/model/gate.h"

namespace weir::test {

inline model::Finding leak() {
  model::Finding made;
  made.fingerprint = {"94c55b8c83b23e0e", "chan receive: app.work; created by app.start"};
  made.count = 3;
  made.tests = {{"TestA/sub", "", 2}, {"", "goroutine 15, its ancestor, ended before", 1}};
  made.exemplar = Goid{21};
  made.state = "chan receive";
  made.oldest = Nanos{90'000'000'000};
  made.blocked_on = "receive on chan int 0xc000012340 (unbuffered)";
  made.stack = {{"bufio.(*Reader).Read", "/go/src/bufio/bufio.go", 10},
                {"example.com/app.work", "/src/app/wo rk.go", 12},
                {"example.com/app.run", "/src/app/run.go", 20}};
  made.others = {{1, {{"example.com/app.work.func1", "/src/app/work.go", 33}}}};
  made.created = {"example.com/app.start", "/src/app/app.go", 42};
  made.cause = {"range-never-closed",
                "It receives (range or `v, ok :=`) from a channel that nobody closes.",
                model::Certainty::likely,
                {"blocked on: receive on chan int 0xc000012340 (unbuffered)",
                 "no other goroutine of the program runs, sleeps or waits for IO"},
                "",
                "Close the channel where the last value is sent."};
  return made;
}

inline model::Finding known_select() {
  model::Finding made;
  made.fingerprint = {"00000000000000aa", "select (no cases): app.block"};
  made.verdict = model::Verdict::leaked;
  made.count = 1;
  made.tests = {{"package init", "", 1}};
  made.exemplar = Goid{5};
  made.state = "select (no cases)";
  made.stack = {{"example.com/app.block", "/elsewhere/block.go", 0}};
  made.cause = {"select-empty",
                "It waits in `select {}`, which blocks for ever.",
                model::Certainty::proved,
                {},
                "",
                ""};
  made.known = true;
  return made;
}

inline model::Finding guess() {
  model::Finding made;
  made.fingerprint = {"00000000000000bb", "sleep: time.Sleep < app.poll"};
  made.count = 12;
  made.exemplar = Goid{30};
  made.state = "sleep";
  made.cause = {"sleep-loop",
                "It sleeps, <&\"> probably.\nTwo lines, 100%.",
                model::Certainty::possible,
                {"state: sleep"},
                "somebody stops it",
                "Stop it."};
  return made;
}

inline model::ExecResult program_with_everything() {
  model::ExecResult made;
  made.package = "example.com/app";
  made.executable = "/tmp/app.test";
  made.build_id = "abc";
  made.go_version = "go1.27.4";
  made.arguments = {"-test.v", "-test.run=X"};
  made.child_code = 0;
  made.goroutines_at_end = 20;
  made.ignored = 4;
  made.settled = Nanos{250'000'000};
  made.stopped = Nanos{1'230'000};
  made.findings = {leak(), known_select(), guess()};
  made.stuck.emplace();
  made.stuck->stuck = true;
  made.stuck->certainty = model::Certainty::likely;
  made.stuck->headline = "Nothing in the process can make progress: all 2 goroutines wait.";
  made.stuck->lines = {{{Goid{7}, Goid{8}},
                        "waits: sync.Mutex 0x10",
                        {"example.com/app.lock", "/src/app/lock.go", 9},
                        "only goroutine 9, which itself waits"}};
  made.stuck->cycles = {"goroutine 7 waits: sync.Mutex 0x10; goroutine 9 waits: sync.Mutex 0x20"};
  made.stuck->weakened_by = "the snapshot is partial";
  made.counts = {{"TestA", 2, 5, 9}};
  made.profiles = {{"block", "/src/weir-profiles/example.com_app/block.pb.gz"}};
  model::SchedReport& scheduler = made.scheduler.emplace();
  scheduler.count = 12;
  scheduler.span = Nanos{1'100'000'000};
  scheduler.gomaxprocs = 2;
  scheduler.run_queue.most = 30;
  scheduler.local_queues.most = 4;
  scheduler.threads.most = 21;
  scheduler.verdicts = {
      {model::SchedVerdictKind::threads, true, "Threads grew from 5 to 21.",
       "Look for C calls & system calls that do not return.", Nanos{0}, Nanos{1'100'000'000}, 12},
      {model::SchedVerdictKind::starved, false, "30 goroutines queued.", "", Nanos{100'000'000},
       Nanos{400'000'000}, 4}};
  made.pointer_fault = {"checkptr: converted pointer straddles multiple allocations",
                        {{"example.com/app.widen", "/src/app/wide.go", 14}}};
  made.notes.add(Severity::warning, "a stack was cut", "goroutine 9", "raise the limit");
  made.notes.add(Severity::warning, "a stack was cut");
  return made;
}

inline model::GateReport report_with_everything() {
  model::GateReport made;
  model::ExecResult blind;
  blind.package = "example.com/blind";
  blind.not_checked = "no permission to read the process: ptrace_scope is 3";
  model::ExecResult clean;
  clean.package = "example.com/clean";
  made.programs = {program_with_everything(), blind, clean};
  made.has_baseline = true;
  made.not_seen = {{{"00000000000000cc", "IO wait: app.gone"}, {"example.com/app"}, 1, ""}};
  model::HealthReport& health = made.health.emplace_back();
  health.kind = model::HealthReport::Kind::waits;
  health.source = "example.com/app: block.pb.gz";
  health.package = "example.com/app";
  health.measured = 3e7;
  health.limit = 1e7;
  health.crossed = true;
  health.count = 2;
  health.by_state = {{"chan receive", 2}};
  health.stacks = {{"chan receive",
                    {"example.com/app.wait"},
                    2,
                    60'000'000,
                    true,
                    "TestA",
                    "/src/app/wait.go",
                    7}};
  return made;
}

}  // namespace weir::test
