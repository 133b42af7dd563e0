// weir watch: a series of looks at processes and servers.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "apps/weir/alarm_prover.h"
#include "apps/weir/commands.h"
#include "apps/weir/history_file.h"
#include "apps/weir/table_flags.h"
#include "apps/weir/watch_loop.h"
#include "apps/weir/watch_outputs.h"
#include "weir/report/settings.h"
#include "weir/report/watch_text.h"

namespace weir::app {
namespace {

using Setter = std::function<Result<void>(const std::string&)>;

struct WatchRequest {
  ingest::EvidenceOptions evidence;
  WatchPlan plan;
  std::string database;
  bool json = false;
  report::WatchTextOptions text;
  OutputOptions outputs;
  bool proof = false;
  ingest::ProofOptions proof_options;
};

Setter set_duration(Nanos& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, report::parse_duration(value));
    return {};
  };
}

std::vector<Flag> watch_flags(WatchRequest& request) {
  std::vector<Flag> flags{
      {"every", "time", "from look to look (5m)", set_duration(request.plan.every)},
      {"for", "time", "how long (30m); 0 until Ctrl-C", set_duration(request.plan.lasts)},
      {"db", "file", "where the series is kept (in the user's state directory)",
       set_text(request.database)},
      {"new", "", "begin a new series, though one could be resumed",
       set_switch(request.plan.fresh)},
      {"own", "path", "an import path of the program's own code; may be repeated",
       [&request](const std::string& value) -> Result<void> {
         request.plan.rules.own_packages.push_back(value);
         return {};
       }},
      {"top", "N", "groups named with every look (3)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(const int rows, parse_count(value));
         request.text.top = static_cast<std::size_t>(rows);
         return {};
       }},
      {"json", "", "print JSON lines", set_switch(request.json)},
      {"proof", "",
       "with an alarm, prove leaks: of a process in a copy of it, of a URL by its goroutineleak "
       "profile",
       set_switch(request.proof)},
      max_memory_flag(request.proof_options),
      {"webhook", "URL", "post every alarm there, as JSON", set_text(request.outputs.webhook)},
      {"metrics", "addr", "serve http://addr/metrics for Prometheus (\":9100\": loopback only)",
       set_text(request.outputs.metrics)},
      {"otlp", "URL", "send metrics and alarms to this OpenTelemetry collector",
       set_text(request.outputs.otlp)},
  };
  for (Flag& flag : evidence_flags(request.evidence)) flags.push_back(std::move(flag));
  return flags;
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir watch [flags] TARGET…\n\n"
      "Looks at the goroutines of running programs again and again, says what changed, and keeps\n"
      "what it saw. TARGET is a process id or a URL; host:port stands for\n"
      "http://host:port/debug/pprof/goroutine. A series that was interrupted goes on where it\n"
      "stood; a target that is away is noted, and looked for again. Rules (the section watch: of\n"
      ".weir.yaml) raise an alarm when something grows that should not, with the way to its\n"
      "probable cause; the exit code is then 1, or 2 if a target was never seen.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir watch 4711\n"
      "  weir watch -every 30s -for 1h localhost:6060 localhost:6061\n"
      "  weir watch -json -for 0 4711 >series.jsonl\n"
      "  weir watch -proof -for 0 4711\n"
      "  weir watch -for 0 -metrics :9100 -webhook https://chat.example/hook 4711\n",
      flags.help());
}

Result<void> check(const WatchRequest& request, const std::vector<std::string>& names) {
  if (names.empty()) return fail(ErrorCode::usage, "no target named");
  if (request.plan.every < Nanos{100'000'000})
    return fail(ErrorCode::usage, "-every is 100ms at least");
  return {};
}

void say(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void say_start(const WatchRequest& request, const std::vector<WatchedTarget>& targets,
               const std::string& database) {
  if (request.json) return;
  const auto resumed = std::count_if(targets.begin(), targets.end(),
                                     [](const WatchedTarget& target) { return target.resumed(); });
  say(fmt::format("a look every {}{}, kept in {}{}\n", to_text(request.plan.every),
                  request.plan.lasts.value > 0 ? " for " + to_text(request.plan.lasts) : "",
                  database,
                  resumed > 0 ? fmt::format("; {} resumed (-new begins anew)", resumed) : ""));
}

/// Prints an alarm, sends it and keeps it.
Result<void> tell(const model::WatchAlarm& alarm, const WatchRequest& request, std::int64_t series,
                  std::int64_t look, store::History& history, WatchOutputs& outputs) {
  const std::string text = report::render_alarm(alarm, {false, request.text.root, 0});
  if (request.json) {
    say(report::render_alarm_json(alarm));
  } else {
    say(request.text.colour ? report::render_alarm(alarm, request.text) : text);
  }
  outputs.alarm(alarm, text);
  for (const model::RuleHit& hit : alarm.hits)
    WEIR_TRY_VOID(history.add({series, look, alarm.at, hit.rule, hit.subject, text}));
  return {};
}

/// What .weir.yaml says of watching, as the defaults of `request`.
Result<void> apply_settings(WatchRequest& request) {
  WEIR_TRY(const auto settings, read_watch_settings());
  request.plan.rules = settings.rules;
  if (settings.every) request.plan.every = *settings.every;
  if (settings.lasts) request.plan.lasts = *settings.lasts;
  if (settings.database) request.database = *settings.database;
  request.outputs = {settings.webhook, settings.otlp, settings.metrics};
  return {};
}

/// Prints what became of every target. A target that was never seen is no clean one.
Result<bool> conclude(const WatchRequest& request, const std::vector<WatchedTarget>& targets) {
  bool alarmed = false;
  std::string unseen;
  for (const WatchedTarget& target : targets) {
    const model::WatchSummary summary = target.summary();
    say(request.json ? report::render_summary_json(summary)
                     : report::render_summary(summary, request.text));
    alarmed = alarmed || summary.alarms > 0;
    if (summary.looks == 0 && summary.missed > 0)
      unseen += (unseen.empty() ? "" : ", ") + summary.target;
  }
  if (!alarmed && !unseen.empty())
    return fail(ErrorCode::not_found, fmt::format("never seen: {}", unseen));
  return alarmed;
}

Result<bool> watch(const WatchRequest& request, const std::vector<std::string>& names) {
  WEIR_TRY(const std::string database, history_path(request.database));
  WEIR_TRY(store::History history, store::History::open(database));
  StopSignals signals;  // before any thread is there
  WEIR_TRY(WatchOutputs outputs, WatchOutputs::start(request.outputs));
  std::vector<WatchedTarget> targets;
  for (const std::string& name : names) {
    WEIR_TRY(WatchedTarget target, WatchedTarget::open(name, request.plan, history, now()));
    targets.push_back(std::move(target));
  }
  say_start(request, targets, database);
  if (const std::string url = outputs.metrics_url(); !url.empty())
    fmt::print(stderr, "weir: metrics at {}\n", url);
  const auto on_look = [&](WatchedTarget& target, const WatchOutcome& outcome) -> Result<void> {
    say(request.json ? report::render_look_json(outcome.look)
                     : report::render_look(outcome.look, request.text));
    outputs.look(targets, target);
    std::vector<model::WatchAlarm> alarms = outcome.alarms;
    if (request.proof)
      prove_alarms(target.current(), request.evidence, request.proof_options, alarms);
    for (const model::WatchAlarm& alarm : alarms)
      WEIR_TRY_VOID(tell(alarm, request, target.series(), outcome.look_id, history, outputs));
    return {};
  };
  WEIR_TRY_VOID(watch_all(targets, request.evidence, history, signals, on_look));
  outputs.close();
  return conclude(request, targets);
}

}  // namespace

int run_watch(const std::vector<std::string>& args) {
  WatchRequest request;
  const FlagSet flags(watch_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  if (const auto applied = apply_settings(request); !applied) return complain(applied.error());
  const auto names = flags.parse(args);
  if (!names) return complain_usage(names.error(), "watch");
  if (const auto good = check(request, *names); !good) return complain_usage(good.error(), "watch");
  TableRequest environment;
  complete(environment);
  request.text.colour = environment.text.colour;
  request.text.root = environment.text.root;
  request.proof_options.max_stop = request.evidence.live.max_stop;
  const auto alarmed = watch(request, *names);
  if (!alarmed)
    return alarmed.error().code == ErrorCode::usage ? complain_usage(alarmed.error(), "watch")
                                                    : complain(alarmed.error());
  return *alarmed ? code_findings : code_clean;
}

}  // namespace weir::app
