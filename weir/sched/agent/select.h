#pragma once
// Which ready case selectgo takes: src/runtime/select.go and rand.go, go1.19–1.27.
#include "weir/sched/agent/state.h"

namespace weir::sched::agent {
namespace {

constexpr U32 most_cases = 64;
constexpr U64 case_size = 2 * word;  // scase: {channel, element}

struct Cases {
  U32 count = 0;  ///< with a channel
  U32 ready_count = 0;
  U8 index[most_cases];     ///< in the select's array
  bool ready[most_cases];   ///< by position in `index`
  U8 ready_at[most_cases];  ///< positions of the ready ones
};

bool is_ready(U64 channel, bool send) {
  const Offsets& o = config().offsets;
  if (at<U32>(channel + o.chan_closed) != 0) return true;
  const U64 held = at<U64>(channel + o.chan_qcount);
  if (!send) return held != 0 || at<U64>(channel + o.chan_sendq) != 0;
  return held < at<U64>(channel + o.chan_dataqsiz) || at<U64>(channel + o.chan_recvq) != 0;
}

/// m.fastrand (to go1.21), m.cheaprand: wyrand of 64 or (go1.27) 32 bits, src/runtime/rand.go.
U32 next_random(U64& seed) {
  if (config().offsets.m_random_width == 4) {
    const U32 low = static_cast<U32>(seed) + 0x53c5ca59;
    seed = low;
    const U64 product = U64{low} * (low ^ 0x74743c1b);
    return static_cast<U32>(product >> 32) ^ static_cast<U32>(product);
  }
  seed += 0xa0761d6478bd642f;
  const auto product = static_cast<unsigned __int128>(seed) * (seed ^ 0xe7037ed1a0b428db);
  return static_cast<U32>(static_cast<U64>(product >> 64) ^ static_cast<U64>(product));
}

/// The ready case that selectgo looks at first if it begins with this random state: it shuffles the
/// cases that have a channel (pollorder, src/runtime/select.go).
U32 first_ready(const Cases& cases, U64 seed) {
  U8 order[most_cases];
  for (U32 i = 0; i < cases.count; ++i) {
    const U32 j = static_cast<U32>(U64{next_random(seed)} * (i + 1) >> 32);
    order[i] = order[j];
    order[j] = static_cast<U8>(i);
  }
  for (U32 i = 0; i < cases.count; ++i)
    if (cases.ready[order[i]]) return order[i];
  return 0;
}

void write_random(U64 m, U64 seed) {
  const Offsets& o = config().offsets;
  if (o.m_random_width == 4)
    at<U32>(m + o.m_random) = static_cast<U32>(seed);
  else
    at<U64>(m + o.m_random) = seed;
}

}  // namespace
}  // namespace weir::sched::agent
