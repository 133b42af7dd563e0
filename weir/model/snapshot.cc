#include "weir/model/snapshot.h"

#include <string_view>

namespace weir::model {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::idle:
      return "idle";
    case Status::runnable:
      return "runnable";
    case Status::running:
      return "running";
    case Status::syscall:
      return "syscall";
    case Status::waiting:
      return "waiting";
    case Status::dead:
      return "dead";
    case Status::copystack:
      return "copystack";
    case Status::preempted:
      return "preempted";
    case Status::leaked:
      return "leaked";
    case Status::unknown:
      break;
  }
  return "???";
}

std::string_view to_string(WaitKind kind) {
  switch (kind) {
    case WaitKind::channel_send:
      return "channel_send";
    case WaitKind::channel_receive:
      return "channel_receive";
    case WaitKind::select:
      return "select";
    case WaitKind::nil_channel_send:
      return "nil_channel_send";
    case WaitKind::nil_channel_receive:
      return "nil_channel_receive";
    case WaitKind::select_no_cases:
      return "select_no_cases";
    case WaitKind::mutex:
      return "mutex";
    case WaitKind::rwmutex_lock:
      return "rwmutex_lock";
    case WaitKind::rwmutex_rlock:
      return "rwmutex_rlock";
    case WaitKind::wait_group:
      return "wait_group";
    case WaitKind::cond:
      return "cond";
    case WaitKind::semaphore:
      return "semaphore";
    case WaitKind::io:
      return "io";
    case WaitKind::sleep:
      return "sleep";
    case WaitKind::other:
      break;
  }
  return "other";
}

std::string_view to_string(SourceKind kind) {
  switch (kind) {
    case SourceKind::process:
      return "process";
    case SourceKind::core:
      return "core";
    case SourceKind::recording:
      return "recording";
    case SourceKind::dump_text:
      return "dump_text";
    case SourceKind::profile:
      return "profile";
  }
  return "unknown";
}

}  // namespace weir::model
