#include "weir/gotrace/format.h"

#include <fmt/format.h>

#include <charconv>

namespace weir::gotrace {
namespace {

// clang-format off
constexpr EventSpec specs[] = {
    {},
    {"EventBatch", {"gen", "m", "time", "size"}, 4, false, -1},
    {"Stacks", {}, 0, false, -1},
    {"Stack", {"id", "nframes"}, 2, false, -1},
    {"Strings", {}, 0, false, -1},
    {"String", {"id"}, 1, false, -1},
    {"CPUSamples", {}, 0, false, -1},
    {"CPUSample", {"time", "m", "p", "g", "stack"}, 5, false, -1},
    {"Frequency", {"freq"}, 1, false, -1},
    {"ProcsChange", {"dt", "procs_value", "stack"}, 3, true, 1},
    {"ProcStart", {"dt", "p", "p_seq"}, 3, true, -1},
    {"ProcStop", {"dt"}, 1, true, -1},
    {"ProcSteal", {"dt", "p", "p_seq", "m"}, 4, true, -1},
    {"ProcStatus", {"dt", "p", "pstatus"}, 3, true, -1},
    {"GoCreate", {"dt", "new_g", "new_stack", "stack"}, 4, true, 2},
    {"GoCreateSyscall", {"dt", "new_g"}, 2, true, -1},
    {"GoStart", {"dt", "g", "g_seq"}, 3, true, -1},
    {"GoDestroy", {"dt"}, 1, true, -1},
    {"GoDestroySyscall", {"dt"}, 1, true, -1},
    {"GoStop", {"dt", "reason_string", "stack"}, 3, true, 1},
    {"GoBlock", {"dt", "reason_string", "stack"}, 3, true, 1},
    {"GoUnblock", {"dt", "g", "g_seq", "stack"}, 4, true, 2},
    {"GoSyscallBegin", {"dt", "p_seq", "stack"}, 3, true, 1},
    {"GoSyscallEnd", {"dt"}, 1, true, -1},
    {"GoSyscallEndBlocked", {"dt"}, 1, true, -1},
    {"GoStatus", {"dt", "g", "m", "gstatus"}, 4, true, -1},
    {"STWBegin", {"dt", "kind_string", "stack"}, 3, true, 1},
    {"STWEnd", {"dt"}, 1, true, -1},
    {"GCActive", {"dt", "gc_seq"}, 2, true, -1},
    {"GCBegin", {"dt", "gc_seq", "stack"}, 3, true, 1},
    {"GCEnd", {"dt", "gc_seq"}, 2, true, -1},
    {"GCSweepActive", {"dt", "p"}, 2, true, -1},
    {"GCSweepBegin", {"dt", "stack"}, 2, true, 0},
    {"GCSweepEnd", {"dt", "swept_value", "reclaimed_value"}, 3, true, -1},
    {"GCMarkAssistActive", {"dt", "g"}, 2, true, -1},
    {"GCMarkAssistBegin", {"dt", "stack"}, 2, true, 0},
    {"GCMarkAssistEnd", {"dt"}, 1, true, -1},
    {"HeapAlloc", {"dt", "heapalloc_value"}, 2, true, -1},
    {"HeapGoal", {"dt", "heapgoal_value"}, 2, true, -1},
    {"GoLabel", {"dt", "label_string"}, 2, true, -1},
    {"UserTaskBegin", {"dt", "task", "parent_task", "name_string", "stack"}, 5, true, 3},
    {"UserTaskEnd", {"dt", "task", "stack"}, 3, true, 1},
    {"UserRegionBegin", {"dt", "task", "name_string", "stack"}, 4, true, 2},
    {"UserRegionEnd", {"dt", "task", "name_string", "stack"}, 4, true, 2},
    {"UserLog", {"dt", "task", "key_string", "value_string", "stack"}, 5, true, 3},
    {"GoSwitch", {"dt", "g", "g_seq"}, 3, true, -1},
    {"GoSwitchDestroy", {"dt", "g", "g_seq"}, 3, true, -1},
    {"GoCreateBlocked", {"dt", "new_g", "new_stack", "stack"}, 4, true, 2},
    {"GoStatusStack", {"dt", "g", "m", "gstatus", "stack"}, 5, true, 3},
    {"ExperimentalBatch", {"exp", "gen", "m", "time"}, 4, false, -1},
    {"Sync", {}, 0, false, -1},
    {"ClockSnapshot", {"dt", "mono", "sec", "nsec"}, 4, true, -1},
    {"EndOfGeneration", {}, 0, false, -1},
};
constexpr EventSpec experimental_specs[] = {
    {"Span", {"dt", "id", "npages_value", "kindclass"}, 4, true, -1},
    {"SpanAlloc", {"dt", "id", "npages_value", "kindclass"}, 4, true, -1},
    {"SpanFree", {"dt", "id"}, 2, true, -1},
    {"HeapObject", {"dt", "id", "type"}, 3, true, -1},
    {"HeapObjectAlloc", {"dt", "id", "type"}, 3, true, -1},
    {"HeapObjectFree", {"dt", "id"}, 2, true, -1},
    {"GoroutineStack", {"dt", "id", "order"}, 3, true, -1},
    {"GoroutineStackAlloc", {"dt", "id", "order"}, 3, true, -1},
    {"GoroutineStackFree", {"dt", "id"}, 2, true, -1},
};
// clang-format on

constexpr std::string_view header_start = "go 1.";
constexpr std::string_view header_end = " trace";

}  // namespace

const EventSpec* find_spec(std::uint8_t type) {
  if (type >= 1 && type < std::size(specs)) return &specs[type];
  if (type >= first_experimental_event && type <= last_experimental_event)
    return &experimental_specs[type - first_experimental_event];
  return nullptr;
}

bool looks_like_trace(bytes::Bytes bytes) {
  if (bytes.size() < Header::size) return false;
  const std::string_view text = bytes::as_text(bytes.first(Header::size));
  return text.starts_with(header_start) && text.find(header_end) != std::string_view::npos;
}

Result<Header> parse_header(bytes::Bytes bytes) {
  if (!looks_like_trace(bytes))
    return fail(ErrorCode::invalid,
                fmt::format("this is {}no execution trace of Go: it does not begin with \"go 1.NN "
                            "trace\"",
                            bytes.empty()                            ? "empty, and "
                            : bytes::as_text(bytes).starts_with('<') ? "a web page, and "
                                                                     : ""),
                FileOffset{0});
  const std::string_view text = bytes::as_text(bytes.first(Header::size));
  Header header;
  const char* const from = text.data() + header_start.size();
  const auto [end, error] = std::from_chars(from, text.data() + text.size(), header.minor);
  if (error != std::errc{} ||
      !text.substr(static_cast<std::size_t>(end - text.data())).starts_with(header_end))
    return fail(ErrorCode::invalid, "the trace's header has no version", FileOffset{0});
  switch (header.minor) {
    case 22:
    case 23:
    case 25:
    case 26:
      header.second = true;
      return header;
    case 11:
    case 19:
    case 21:
      return header;
    default:
      return fail(ErrorCode::unsupported,
                  fmt::format("a trace with header \"go 1.{}\"; weir reads 1.11, 1.19, 1.21, 1.22, "
                              "1.23, 1.25 and 1.26, which Go 1.11 to 1.27 write",
                              header.minor),
                  FileOffset{0});
  }
}

}  // namespace weir::gotrace
