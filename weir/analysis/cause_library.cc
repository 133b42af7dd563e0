// Causes that show in well-known code of the standard library.
#include <fmt/format.h>

#include <algorithm>

#include "weir/analysis/cause_rules.h"
#include "weir/analysis/fingerprint.h"

namespace weir::analysis {

using model::Cause;
using model::Certainty;
using model::Goroutine;
using model::WaitKind;

namespace {

using Found = std::optional<Cause>;

constexpr std::string_view http_read_loop = "net/http.(*persistConn).readLoop";
constexpr std::string_view http_write_loop = "net/http.(*persistConn).writeLoop";

bool has(const Goroutine& goroutine, std::string_view function) {
  return goroutine.stack &&
         std::any_of(goroutine.stack->begin(), goroutine.stack->end(),
                     [&](const model::Frame& frame) { return frame.function == function; });
}

/// A connection's read loop waits in a select while the caller still has the response's body, and
/// in IO wait while the connection is idle.
bool some_body_is_open(const CauseCase& one) {
  const auto& all = one.finder.snapshot().goroutines;
  return std::any_of(all.begin(), all.end(), [](const Goroutine& goroutine) {
    return has(goroutine, http_read_loop) && wait_kind(goroutine) == WaitKind::select;
  });
}

Found proved_by_go(const CauseCase& one) {
  if (one.goroutine.status != model::Status::leaked) return {};
  return one.cause(Certainty::proved,
                   "Go's own garbage collector found that nothing alive can wake it.",
                   "Close the channel, or give it another way to end, before the last reference "
                   "to what it waits on is gone.");
}

Found http_body(const CauseCase& one) {
  const bool reads = one.has_frame(http_read_loop);
  if (!reads && !one.has_frame(http_write_loop)) return {};
  if (reads ? one.kind != WaitKind::select : !some_body_is_open(one)) return {};
  Cause cause = one.cause(
      reads ? Certainty::likely : Certainty::possible,
      reads ? "An HTTP response body was not closed: the client's connection waits for it."
            : "An HTTP client's connection is kept; a response body of this program is not closed.",
      "Read the body to its end and call resp.Body.Close() on every path.");
  cause.evidence.push_back(reads ? "the connection's read loop waits for the body to be read"
                                 : "a connection's read loop waits for a body to be read");
  cause.weakened_by = "the request may still be under way";
  return cause;
}

Found http_idle(const CauseCase& one) {
  const bool http1 = one.has_frame(http_read_loop) || one.has_frame(http_write_loop);
  const bool http2 = one.has_frame_from("net/http.(*http2clientConnReadLoop)") ||
                     one.has_frame_from("golang.org/x/net/http2.(*clientConnReadLoop)") ||
                     one.has_frame_from("net/http/internal/http2.(*clientConnReadLoop)");
  if (!http1 && !http2) return {};
  return one.cause(Certainty::likely,
                   "An HTTP client keeps an idle connection open for the next request.",
                   "Call CloseIdleConnections() on the client or its transport at the end, or "
                   "close the server first.");
}

Found accepting(const CauseCase& one) {
  if (one.kind != WaitKind::io) return {};
  static constexpr std::string_view accepts[] = {
      "net.(*TCPListener).Accept", "net.(*UnixListener).Accept", "net.(*TCPListener).AcceptTCP",
      "net.(*UnixListener).AcceptUnix"};
  const bool fits = std::any_of(std::begin(accepts), std::end(accepts),
                                [&](std::string_view f) { return one.has_frame(f); });
  if (!fits) return {};
  return one.cause(Certainty::likely, "A server still accepts connections: its listener is open.",
                   "Close the listener or the server (srv.Close(), srv.Shutdown(ctx)) and wait "
                   "until Serve has returned.");
}

Found serving(const CauseCase& one) {
  if (!one.has_frame("net/http.(*conn).serve") || one.kind != WaitKind::io) return {};
  return one.cause(Certainty::likely,
                   "An HTTP server keeps a client's connection, waiting for its next request.",
                   "Close the server, or the client's idle connections.");
}

Found sql(const CauseCase& one) {
  if (!one.has_frame_from("database/sql.(*DB).connection")) return {};
  return one.cause(Certainty::likely, "A sql.DB was opened and not closed.",
                   "Call db.Close() when it is no longer needed.");
}

Found context_child(const CauseCase& one) {
  if (!one.has_frame_from("context.(*cancelCtx).propagateCancel")) return {};
  return one.cause(Certainty::likely,
                   "A derived context was not cancelled: this goroutine passes the parent's "
                   "cancellation on.",
                   "Call the cancel function that context.With… returned, usually by defer.");
}

Found exec(const CauseCase& one) {
  if (!one.goroutine.created.function.starts_with("os/exec.(*Cmd)")) return {};
  return one.cause(Certainty::likely,
                   "A command was started and not waited for, or its output is held open.",
                   "Call cmd.Wait(); if a grandchild keeps the pipe, set cmd.WaitDelay.");
}

Found signal_channel(const CauseCase& one) {
  const auto* found = one.find_case(
      [](const model::ChannelCase& c) { return c.channel.element_type == "os.Signal"; });
  if (found == nullptr) return {};
  Cause cause = one.cause(Certainty::likely, "It waits for a signal to the process.",
                          "Stop it at the end: signal.Stop(c) does not close c, so give the "
                          "goroutine a second channel to end by.");
  cause.weakened_by = "a signal may still come";
  return cause;
}

constexpr CauseRule rules[] = {
    {"proved-by-go", proved_by_go},           {"http-body-not-closed", http_body},
    {"http-idle-connection", http_idle},      {"server-accepting", accepting},
    {"server-connection", serving},           {"sql-db-not-closed", sql},
    {"context-not-cancelled", context_child}, {"command-not-waited", exec},
    {"signal-wait", signal_channel},
};

}  // namespace

std::span<const CauseRule> library_rules() {
  return rules;
}

}  // namespace weir::analysis
