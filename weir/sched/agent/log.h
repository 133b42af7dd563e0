#pragma once
// What the agent notes beside the points: LogHead and what follows it (memory.h).
#include "weir/sched/agent/select.h"

namespace weir::sched::agent {
namespace {

/// Adds an entry to the log (LogHead).
void write_log(U32 flags, const U64* values, U32 count) {
  Shared& s = shared();
  constexpr U64 head_words = sizeof(LogHead) / word;
  if (s.most_log_words - s.log_words < head_words + count) {
    s.log_full = true;
    return;
  }
  const U64 to = config().shared + s.log_at + s.log_words * word;
  at<LogHead>(to) = {count, flags, s.points};
  for (U32 i = 0; i < count; ++i) at<U64>(to + (head_words + i) * word) = values[i];
  s.log_words += head_words + count;
}

/// Somebody has to be picked from those that were just listed.
void log_moment(bool asked) {
  Shared& s = shared();
  write_log((asked ? log_asked : 0) | (s.hidden ? log_hidden : 0), state().goids,
            state().enabled_count);
  s.hidden = false;
}

/// On which channels a select waits; of one that is too large nothing.
void log_cases(const Frame& frame) {
  U64 channels[most_cases];
  const U64 count = frame.rdi + frame.rsi;
  if (count > most_cases) {
    shared().hidden = true;
    return;
  }
  for (U32 i = 0; i < count; ++i) channels[i] = at<U64>(frame.rax + i * case_size);
  write_log(log_select, channels, static_cast<U32>(count));
}

}  // namespace
}  // namespace weir::sched::agent
