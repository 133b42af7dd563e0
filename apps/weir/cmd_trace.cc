// weir trace: where goroutines lose time, from an execution trace.
#include <fmt/format.h>

#include <filesystem>

#include "apps/weir/commands.h"
#include "apps/weir/flags.h"
#include "apps/weir/terminal.h"
#include "apps/weir/trace_outputs.h"
#include "apps/weir/trace_request.h"

namespace weir::app {
namespace {

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir trace [flags] SOURCE\n\n"
      "Reads an execution trace of Go 1.11 to 1.27 and says where goroutines wait: for a CPU\n"
      "(scheduling), and for channels, locks, the network, system calls; how often, how long, at\n"
      "which stack, and who ended it.\n\n"
      "SOURCE is a file, as runtime/trace, `go test -trace` and flight recorders write it, \"-\"\n"
      "for standard input, or a URL. host:port stands for\n"
      "http://host:port/debug/pprof/trace?seconds=5.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir trace trace.out\n"
      "  weir trace -by func -min 1ms trace.out\n"
      "  weir trace -window 1s,1.5s -focus 'app/pool' trace.out\n"
      "  weir trace localhost:6060\n"
      "  weir trace -fail 'scheduling.over(10us)>1%' -fail 'chan send.p99>5ms' trace.out\n"
      "  weir trace -heat scheduling trace.out\n"
      "  weir trace -html trace.html -goroutine 18,21 trace.out\n"
      "  weir trace -pprof sync trace.out >sync.pb.gz && go tool pprof -top sync.pb.gz\n\n"
      "exit codes: 0 printed, 1 a -fail rule holds, 2 wrong usage or weir's own failure\n",
      flags.help());
}

void complete(TraceRequest& request) {
  request.text.colour = stdout_has_colour();
  std::error_code ignored;
  request.text.root = std::filesystem::current_path(ignored).string();
}

}  // namespace

int run_trace(const std::vector<std::string>& args) {
  TraceRequest request;
  const FlagSet flags(trace_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  const auto rest = flags.parse(args);
  if (!rest) return complain_usage(rest.error(), "trace");
  if (rest->size() != 1)
    return complain_usage(
        Error{ErrorCode::usage, "one trace is needed; flags come first", {}, 0, {}}, "trace");
  if (const auto fits = check_trace_request(request); !fits)
    return complain_usage(fits.error(), "trace");
  complete(request);
  return write_trace(rest->front(), request);
}

}  // namespace weir::app
