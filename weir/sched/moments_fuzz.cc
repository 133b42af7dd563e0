// The log of a run: any words, beside any events.
#include <algorithm>
#include <cstring>

#include "weir/sched/order_hash.h"
#include "weir/sched/steps.h"

using namespace weir;
using namespace weir::sched;

namespace {

/// One event for each byte: its goroutine, who goes on, and what kind it is.
RunEvent event_of(std::uint8_t byte) {
  RunEvent event;
  event.goroutine = Goid{byte & 3U};
  event.runs = Goid{byte >> 2U & 3U};
  event.kind = static_cast<agent::PointKind>((byte >> 4U & 3U) % 3);
  event.alternatives = 1 + (byte >> 6U & 1U);
  event.choice = event.goroutine == event.runs ? 0 : 1;
  event.timer = (byte >> 7U) != 0;
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  RunRecord record;
  const std::size_t events = std::min<std::size_t>(data[0] % 32, size - 1);
  for (std::size_t i = 0; i < events; ++i) record.events.push_back(event_of(data[1 + i]));
  const std::size_t rest = size - 1 - events;
  std::vector<std::uint64_t> words(rest / sizeof(std::uint64_t));
  if (!words.empty())
    std::memcpy(words.data(), data + 1 + events, words.size() * sizeof(std::uint64_t));
  read_log(words, record);
  order_hash(record);
  if (const auto steps = Steps::of(record))
    for (const Race& race : steps->races()) steps->reversals(race);
  return 0;
}
