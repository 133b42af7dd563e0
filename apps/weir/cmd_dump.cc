// weir dump: prints every goroutine of a Go program.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "apps/weir/commands.h"
#include "apps/weir/dump_source.h"
#include "apps/weir/flags.h"
#include "apps/weir/table_flags.h"
#include "apps/weir/terminal.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/profile.h"
#include "weir/pprof/write.h"
#include "weir/report/gate_text.h"
#include "weir/report/settings.h"
#include "weir/report/snapshot_json.h"
#include "weir/report/stop_text.h"
#include "weir/report/traceback.h"

namespace weir::app {
namespace {

struct DumpRequest {
  DumpOptions options;
  bool json = false;
  bool plain = false;
  bool system = false;
  std::string pprof;
};

std::vector<Flag> dump_flags(DumpRequest& request) {
  const auto set_bound = [&request](const std::string& value) -> Result<void> {
    WEIR_TRY(request.options.live.max_stop, report::parse_duration(value));
    request.options.proof.max_stop = request.options.live.max_stop;
    return {};
  };
  return {
      {"json", "", "print JSON instead of text", set_switch(request.json)},
      {"pprof", "file", "write a goroutine profile for go tool pprof, with labels",
       set_text(request.pprof)},
      {"o", "file", "write a recording, which weir dump reads later, anywhere",
       set_text(request.options.recording)},
      {"proof", "", "with -o: also what weir why -proof needs, the heap's objects with pointers",
       set_switch(request.options.for_proof)},
      max_memory_flag(request.options.proof),
      exe_flag(request.options.core),
      {"light", "", "stop only what runs: goroutines are not all of one instant",
       set_switch(request.options.live.light)},
      {"max-stop", "time", "let the process go after so long (100ms); the dump is then partial",
       set_bound},
      {"system", "", "the runtime's own goroutines and frames too", set_switch(request.system)},
      {"plain", "", "Go's text exactly, without what goroutines are blocked on",
       set_switch(request.plain)},
      {"after", "time", "with -- PROGRAM: when to look (1s)",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.options.after, report::parse_duration(value));
         return {};
       }},
  };
}

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir dump [flags] PID\n"
      "       weir dump [flags] -- PROGRAM [arguments]\n"
      "       weir dump [flags] CORE | RECORDING\n\n"
      "Prints every goroutine in Go's own traceback format, and what each is blocked on. The\n"
      "process is stopped for as long as copying takes; how long that was is printed on standard\n"
      "error. Times are lower bounds, since Go notes a wait at a garbage collection only.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir dump 4711\n"
      "  weir dump -o stuck.weir 4711 && weir dump -json stuck.weir\n"
      "  weir dump -proof -o stuck.weir 4711 && weir why -proof stuck.weir\n"
      "  weir dump -exe build/server core.4711\n"
      "  weir dump -pprof goroutines.pb.gz 4711 && go tool pprof -top goroutines.pb.gz\n",
      flags.help());
}

void print_stop(const model::Snapshot& snapshot) {
  if (const std::string text = report::stop_text(snapshot); !text.empty())
    fmt::print(stderr, "weir: {}\n", text);
  for (const Note& note : snapshot.notes.all())
    fmt::print(stderr, "weir: {}: {}{}{}\n", to_string(note.severity), note.text,
               note.place.empty() ? "" : " (" + note.place + ")",
               note.advice.empty() ? "" : "; " + note.advice);
}

Result<void> print_snapshot(const model::Snapshot& snapshot, const DumpRequest& request) {
  if (!request.pprof.empty()) {
    const std::string profile = pprof::render_profile(ingest::goroutine_profile(snapshot));
    WEIR_TRY_VOID(bytes::write_file(request.pprof, profile));
  }
  if (request.json) {
    fmt::print("{}", report::render_snapshot_json(snapshot));
    return {};
  }
  const bool quiet = !request.pprof.empty() || !request.options.recording.empty();
  if (quiet) return {};  // the user wanted a file
  report::TracebackOptions options;
  options.system = request.system;
  options.colour = stdout_has_colour();
  // For eyes beside the goroutine; for other programs where every reader of Go's format takes it.
  const auto extras =
      isatty(STDOUT_FILENO) != 0 ? report::Extras::in_place : report::Extras::at_end;
  options.extras = request.plain ? report::Extras::labels_only : extras;
  fmt::print("{}", report::render_traceback(snapshot, options));
  return {};
}

}  // namespace

int run_dump(const std::vector<std::string>& args) {
  DumpRequest request;
  const FlagSet flags(dump_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "dump");
  if (request.options.for_proof && request.options.recording.empty())
    return complain_usage(Error{ErrorCode::usage,
                                "-proof is for a recording (-o FILE); weir why -proof makes the "
                                "proof",
                                {},
                                0,
                                {}},
                          "dump");
  if (request.options.for_proof && request.options.live.light)
    return complain_usage(Error{ErrorCode::usage,
                                "-proof needs all goroutines of one instant, and -light does not "
                                "have them",
                                {},
                                0,
                                {}},
                          "dump");
  const bool is_program =
      args.size() > rest->size() && args[args.size() - rest->size() - 1] == "--";
  if (rest->empty())
    return complain_usage(
        Error{ErrorCode::usage, "no process, program, core or recording named", {}, 0, {}}, "dump");
  if (!is_program && rest->size() > 1)
    return complain_usage(Error{ErrorCode::usage,
                                "one process, core or recording at a time; flags come first",
                                {},
                                0,
                                {}},
                          "dump");
  const auto snapshot = is_program ? dump_program(*rest, request.options)
                                   : dump_source(rest->front(), request.options);
  if (!snapshot) return complain(snapshot.error());
  auto printed = print_snapshot(*snapshot, request);
  std::fflush(stdout);
  print_stop(*snapshot);
  return printed ? code_clean : complain(printed.error());
}

}  // namespace weir::app
