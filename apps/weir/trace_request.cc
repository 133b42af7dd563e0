#include "apps/weir/trace_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "apps/weir/trace_rules.h"
#include "weir/report/settings.h"

namespace weir::app {
namespace {

void add_words(std::string& to, const std::string& words) {
  if (!to.empty()) to += ", ";
  to += words;
}

Result<void> set_by(analysis::TraceQuery& query, const std::string& value) {
  using model::TraceBy;
  for (const TraceBy by : {TraceBy::stack, TraceBy::func, TraceBy::creator, TraceBy::start,
                           TraceBy::task, TraceBy::region, TraceBy::proc, TraceBy::goroutine}) {
    if (value != to_string(by)) continue;
    query.by = by;
    return {};
  }
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of stack, func, creator, start, task, region, proc and "
                          "goroutine",
                          value));
}

Result<void> set_window(TraceRequest& request, const std::string& value) {
  const auto comma = value.find(',');
  if (comma == std::string::npos)
    return fail(ErrorCode::usage, fmt::format("\"{}\" is not FROM,TO, as in 1s,1.5s", value));
  const std::string from = value.substr(0, comma), to = value.substr(comma + 1);
  if (!from.empty()) {
    WEIR_TRY(request.query.from, report::parse_duration(from));
  }
  if (!to.empty()) {
    WEIR_TRY(request.query.to, report::parse_duration(to));
  }
  if (request.query.from && request.query.to && *request.query.to < *request.query.from)
    return fail(ErrorCode::usage, fmt::format("\"{}\" ends before it begins", value));
  add_words(request.filter, fmt::format("waits that end from {} to {}", from.empty() ? "0" : from,
                                        to.empty() ? "the end" : to));
  return {};
}

constexpr std::size_t most_goroutines = 64;

Result<void> set_goroutines(TraceRequest& request, const std::string& value) {
  auto& all = request.query.goroutines;
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    std::uint64_t number = 0;
    const char* last = value.data() + end;
    const auto [stop, error] = std::from_chars(value.data() + at, last, number);
    if (error != std::errc{} || stop != last || number == 0)
      return fail(ErrorCode::usage,
                  fmt::format("\"{}\" is no list of goroutines, as in 7 or 7,18", value));
    if (std::ranges::find(all, number) == all.end()) all.push_back(number);
    at = end + 1;
  }
  if (all.size() > most_goroutines)
    return fail(ErrorCode::usage,
                fmt::format("at most {} goroutines can be chosen", most_goroutines));
  add_words(request.filter,
            fmt::format("goroutine{} {}", all.size() == 1 ? "" : "s", fmt::join(all, ", ")));
  return {};
}

std::vector<Flag> query_flags(TraceRequest& request) {
  return {
      {"by", "what", "stack (default), func, creator, start, task, region, proc, goroutine",
       [&](const std::string& value) { return set_by(request.query, value); }},
      {"focus", "RE", "only waits with a matching function or file on the stack",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.query.focus, Pattern::compile(value));
         add_words(request.filter, fmt::format("stacks that match {}", value));
         return {};
       }},
      {"min", "time", "only waits at least so long",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.query.min, report::parse_duration(value));
         add_words(request.filter, fmt::format("waits of at least {}", value));
         return {};
       }},
      {"window", "from,to", "only waits that end within, counted from the trace's beginning",
       [&](const std::string& value) { return set_window(request, value); }},
      {"goroutine", "N[,M…]", "only these goroutines",
       [&](const std::string& value) { return set_goroutines(request, value); }},
  };
}

Result<void> set_profile(TraceRequest& request, const std::string& value) {
  using model::TraceProfile;
  constexpr std::pair<const char*, TraceProfile> known[] = {{"sched", TraceProfile::sched},
                                                            {"sync", TraceProfile::sync},
                                                            {"net", TraceProfile::net},
                                                            {"syscall", TraceProfile::syscall}};
  for (const auto& [name, profile] : known)
    if (value == name) {
      request.profile = profile;
      return {};
    }
  return fail(ErrorCode::usage,
              fmt::format("\"{}\" is none of sched, sync, net and syscall", value));
}

Result<void> set_events(TraceRequest& request, const std::string& value) {
  using Events = TraceRequest::Events;
  constexpr std::pair<const char*, Events> known[] = {
      {"wire", Events::wire}, {"parsed", Events::parsed}, {"bytes", Events::bytes}};
  for (const auto& [name, events] : known)
    if (value == name) {
      request.events = events;
      return {};
    }
  return fail(ErrorCode::usage, fmt::format("\"{}\" is none of wire, parsed and bytes", value));
}

}  // namespace

std::vector<Flag> trace_flags(TraceRequest& request) {
  std::vector<Flag> flags = query_flags(request);
  const std::vector<Flag> output{
      {"top", "N", "print the N worst places of each kind (3); 0 prints all",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(const int rows, parse_count(value));
         request.text.top = static_cast<std::size_t>(rows);
         return {};
       }},
      {"json", "", "print JSON, with all places", set_switch(request.json)},
      {"pprof", "kind", "write a profile as go tool trace does: sched, sync, net or syscall",
       [&](const std::string& value) { return set_profile(request, value); }},
      {"fail", "rule", "exit 1 if it holds, as \"scheduling.p99>1ms\"; may be repeated",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(auto rule, parse_trace_rule(value));
         request.rules.push_back(std::move(rule));
         return {};
       }},
      {"heat", "kind", "draw the waits of one kind over time (scheduling, chan send …)",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.heat, parse_trace_kind(value));
         request.heat_name = value;
         return {};
       }},
      {"html", "file", "write a page: waits, and the goroutines that waited longest, over time",
       set_text(request.html)},
      {"svg", "file", "with -heat: write the drawing as an SVG image", set_text(request.svg)},
      {"intervals", "form", "print every interval as a line: csv or json",
       [&](const std::string& value) -> Result<void> {
         if (value != "csv" && value != "json")
           return fail(ErrorCode::usage, fmt::format("\"{}\" is neither csv nor json", value));
         request.lines =
             value == "csv" ? report::TraceLines::Form::csv : report::TraceLines::Form::json;
         request.reading.running = true;
         return {};
       }},
      {"d", "form",
       "print every event: wire or, in order, parsed; or what the bytes are for: bytes",
       [&](const std::string& value) { return set_events(request, value); }},
      {"perfetto", "file", "write a file for ui.perfetto.dev: a track for every P and goroutine",
       [&](const std::string& value) -> Result<void> {
         request.perfetto = value;
         request.reading.running = true;
         return {};
       }},
      {"timeout", "time", "a URL: give up after so long (2m)",
       [&](const std::string& value) -> Result<void> {
         WEIR_TRY(request.reading.http.timeout, report::parse_duration(value));
         return {};
       }},
      {"auth", "user:pass", "a URL: basic authentication",
       set_text(request.reading.http.basic_auth)},
      {"bearer", "token", "a URL: an Authorization header",
       set_text(request.reading.http.bearer_token)},
      {"insecure", "", "a URL: take any TLS certificate",
       set_switch(request.reading.http.insecure)},
  };
  flags.insert(flags.end(), output.begin(), output.end());
  return flags;
}

Result<void> check_trace_request(const TraceRequest& request) {
  const auto wrong = [](std::string text) { return fail(ErrorCode::usage, std::move(text)); };
  std::vector<const char*> forms;
  if (request.json) forms.push_back("-json");
  if (request.profile) forms.push_back("-pprof");
  if (request.lines) forms.push_back("-intervals");
  if (request.events != TraceRequest::Events::none) forms.push_back("-d");
  if (!request.perfetto.empty()) forms.push_back("-perfetto");
  if (!request.html.empty())
    forms.push_back("-html");  // -heat says what it begins with
  else if (request.heat)
    forms.push_back("-heat");
  if (forms.size() > 1)
    return wrong(fmt::format("{} and {} cannot be written at once", forms[0], forms[1]));
  if (!request.svg.empty() && (!request.heat || !request.html.empty()))
    return wrong("-svg is of no use without -heat");
  const bool is_report = forms.empty() || request.json;
  if (!request.rules.empty() && !is_report)
    return wrong(fmt::format("-fail is of no use with {}", forms[0]));
  if (request.events != TraceRequest::Events::none && !request.query.takes_all())
    return wrong(
        "-d is about the whole trace: -focus, -min, -window and -goroutine do not hold for it");
  return {};
}

}  // namespace weir::app
