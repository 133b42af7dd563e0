#include "weir/analysis/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/model/goname.h"

namespace weir::analysis {

using model::Frame;
using model::Goroutine;
using model::Stack;
using model::Status;
using model::WaitKind;

namespace {

constexpr std::size_t max_functions = 16;

bool is_runtime(const Frame& frame) {
  return frame.function.starts_with("runtime.") || frame.function.starts_with("internal/runtime/");
}

/// The sync package's own frames and what they are called on, read from the user's side: an RWMutex
/// locks an inner Mutex, a Once too, and Go ≤ 1.21 says "semacquire" for all of them.
std::optional<WaitKind> kind_from_sync(const Stack& stack) {
  std::optional<WaitKind> kind;
  for (const Frame& frame : stack) {
    if (is_runtime(frame)) continue;
    const std::string& f = frame.function;
    if (!f.starts_with("sync.") && !f.starts_with("internal/sync.")) break;
    if (f == "sync.(*RWMutex).Lock") return WaitKind::rwmutex_lock;
    if (f == "sync.(*RWMutex).RLock") return WaitKind::rwmutex_rlock;
    if (kind) break;  // a Mutex locked by something else of sync: Cond.Wait, Once.Do, Map, Pool
    if (f == "sync.(*Mutex).Lock") kind = WaitKind::mutex;
    if (f == "sync.(*WaitGroup).Wait") kind = WaitKind::wait_group;
    if (f == "sync.(*Cond).Wait") kind = WaitKind::cond;
  }
  return kind;
}

std::optional<WaitKind> kind_from_reason(std::string_view reason) {
  for (const std::string_view suffix : {" (durable)", " (synctest)"}) {
    if (reason.ends_with(suffix)) reason.remove_suffix(suffix.size());
  }
  struct Row {
    std::string_view words;
    WaitKind kind;
  };
  static constexpr Row rows[] = {
      {"chan receive", WaitKind::channel_receive},
      {"chan send", WaitKind::channel_send},
      {"select", WaitKind::select},
      {"chan receive (nil chan)", WaitKind::nil_channel_receive},
      {"chan send (nil chan)", WaitKind::nil_channel_send},
      {"select (no cases)", WaitKind::select_no_cases},
      {"sync.Mutex.Lock", WaitKind::mutex},
      {"sync.RWMutex.Lock", WaitKind::rwmutex_lock},
      {"sync.RWMutex.RLock", WaitKind::rwmutex_rlock},
      {"sync.WaitGroup.Wait", WaitKind::wait_group},
      {"sync.Cond.Wait", WaitKind::cond},
      {"semacquire", WaitKind::semaphore},
      {"IO wait", WaitKind::io},
      {"sleep", WaitKind::sleep},
  };
  for (const Row& row : rows) {
    if (row.words == reason) return row.kind;
  }
  return std::nullopt;
}

/// For evidence without states (profiles): what the innermost frames say.
std::optional<WaitKind> kind_from_frames(const Stack& stack) {
  std::optional<WaitKind> kind;
  for (const Frame& frame : stack) {
    const std::string& f = frame.function;
    if (f == "time.Sleep") return WaitKind::sleep;
    if (f == "internal/poll.runtime_pollWait") return WaitKind::io;
    if (f == "sync.runtime_notifyListWait") return WaitKind::cond;
    if (!is_runtime(frame)) return kind;
    if (f.starts_with("runtime.chanrecv")) return WaitKind::channel_receive;
    if (f.starts_with("runtime.chansend")) return WaitKind::channel_send;
    if (f == "runtime.selectgo") return WaitKind::select;
    if (f == "runtime.block") return WaitKind::select_no_cases;
    if (f.starts_with("runtime.semacquire")) kind = WaitKind::semaphore;
    if (f == "runtime.gopark" && !kind) kind = WaitKind::other;
  }
  return kind;
}

void add_folded(std::vector<std::string>& names, std::string name) {
  if (names.empty() || names.back() != name) names.push_back(std::move(name));
}

/// The outermost function outside the runtime: where a goroutine without user code began.
std::string outermost(const Stack& stack, bool user_only) {
  for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
    if (is_runtime(*frame) || model::package_of(frame->function).empty()) continue;
    if (!user_only || is_user_frame(*frame)) return model::without_closures(frame->function);
  }
  return stack.empty() || user_only ? std::string() : stack.back().function;
}

std::string creator_word(const Goroutine& goroutine) {
  if (goroutine.created.function.empty()) return {};
  const std::string package = model::package_of(goroutine.created.function);
  // Which internal function of net/http starts a goroutine changes with Go versions.
  if (model::is_standard_package(package)) return package;
  return model::without_closures(goroutine.created.function);
}

}  // namespace

bool is_user_frame(const Frame& frame) {
  return !frame.wrapper && model::is_user_function(frame.function);
}

std::optional<WaitKind> wait_kind(const Goroutine& goroutine) {
  static const Stack no_stack;
  const Stack& stack = goroutine.stack ? *goroutine.stack : no_stack;
  switch (goroutine.status) {
    case Status::waiting:
    case Status::leaked:
      break;
    case Status::unknown:
      if (!goroutine.wait_reason.empty()) break;
      if (const auto kind = kind_from_frames(stack)) {
        if (*kind != WaitKind::semaphore) return kind;
        return kind_from_sync(stack).value_or(WaitKind::semaphore);
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
  if (const auto kind = kind_from_sync(stack)) return kind;
  if (goroutine.blocked_on && goroutine.blocked_on->kind != WaitKind::other)
    return goroutine.blocked_on->kind;
  if (const auto kind = kind_from_reason(goroutine.wait_reason)) return kind;
  if (goroutine.wait_reason.empty()) return kind_from_frames(stack).value_or(WaitKind::other);
  return WaitKind::other;
}

std::string_view wait_word(std::optional<WaitKind> kind) {
  if (!kind) return "running";
  switch (*kind) {
    case WaitKind::channel_send:
    case WaitKind::nil_channel_send:
      return "chan send";
    case WaitKind::channel_receive:
    case WaitKind::nil_channel_receive:
      return "chan receive";
    case WaitKind::select:
      return "select";
    case WaitKind::select_no_cases:
      return "select (no cases)";
    case WaitKind::mutex:
      return "sync.Mutex.Lock";
    case WaitKind::rwmutex_lock:
      return "sync.RWMutex.Lock";
    case WaitKind::rwmutex_rlock:
      return "sync.RWMutex.RLock";
    case WaitKind::wait_group:
      return "sync.WaitGroup.Wait";
    case WaitKind::cond:
      return "sync.Cond.Wait";
    case WaitKind::semaphore:
      return "semacquire";
    case WaitKind::io:
      return "IO wait";
    case WaitKind::sleep:
      return "sleep";
    case WaitKind::other:
      break;
  }
  return "waiting";
}

std::vector<std::string> user_functions(const Stack& stack, bool waits) {
  if (!waits) {
    // What a running goroutine does changes from moment to moment; where it began does not.
    std::string began = outermost(stack, true);
    if (began.empty()) began = outermost(stack, false);
    return {std::move(began)};
  }
  std::vector<std::string> names;
  const Frame* inner = nullptr;
  for (const Frame& frame : stack) {
    if (is_user_frame(frame)) {
      if (names.empty() && inner != nullptr && !is_runtime(*inner))
        names.push_back(model::without_closures(inner->function));
      add_folded(names, model::without_closures(frame.function));
      if (names.size() == max_functions) break;
    }
    inner = &frame;
  }
  if (names.empty()) names.push_back(outermost(stack, false));
  return names;
}

model::Fingerprint fingerprint(const Goroutine& goroutine, FingerprintParts parts) {
  static const Stack no_stack;
  const Stack& stack = goroutine.stack ? *goroutine.stack : no_stack;
  const std::optional<WaitKind> kind = wait_kind(goroutine);
  const bool waits = kind.has_value() || !parts.wait;
  std::string key = fmt::format("{}: {}", parts.wait ? wait_word(kind) : "any state",
                                fmt::join(user_functions(stack, waits), " < "));
  const std::string creator = creator_word(goroutine);
  if (parts.creator && !creator.empty()) key += "; created by " + creator;
  std::string id = fingerprint_id(key);
  return {std::move(id), std::move(key)};
}

std::string fingerprint_id(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  hash ^= hash >> 32;  // FNV's high bits know little of a key's last letters
  hash *= 0xd6e8feb86659fd93;
  hash ^= hash >> 32;
  return fmt::format("{:016x}", hash);
}

}  // namespace weir::analysis
