#pragma once
// EventBlocks: the events on their way from the reader of a format to whoever takes them.
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "weir/gotrace/event.h"

namespace weir::gotrace {

/// A writer puts events down in blocks, and the sink gets them in that order: each block when it is
/// full or, with `ahead`, on a thread of its own while the writer goes on with the next one. Either
/// way the sink sees the same, and is never called twice at once.
class EventBlocks {
 public:
  EventBlocks(EventSink& sink, bool ahead) : sink_(sink), ahead_(ahead) {}
  EventBlocks(const EventBlocks&) = delete;
  EventBlocks& operator=(const EventBlocks&) = delete;
  ~EventBlocks();

  /// The next event, with whatever its place held before.
  Event& add() {
    if (next_ == end_) turn();
    return *next_++;
  }
  /// Comes back when the sink has taken all there is. What the sink threw is thrown here.
  void flush();

 private:
  // Small enough for the first cache when one thread does both; large enough that two threads
  // seldom wait for each other, small enough for the second cache.
  static constexpr std::size_t small_block = 256;
  static constexpr std::size_t large_block = 4096;
  static constexpr std::size_t block_count = 8;

  struct Block {
    std::unique_ptr<Event[]> events;
    std::size_t used = 0;
  };

  void turn();
  void open_block();
  void hand_over(std::size_t used);
  void start();
  void take_blocks();

  EventSink& sink_;
  bool ahead_;
  Event* next_ = nullptr;
  Event* end_ = nullptr;
  std::vector<Block> blocks_;  // one, or a ring once the thread runs

  std::mutex mutex_;
  // Woken up only where much can be done: each wake-up may cost the other thread its CPU.
  std::condition_variable something_;   // there is a block to take
  std::condition_variable half_;        // half of the ring is free, or all of it
  std::size_t filled_ = 0, taken_ = 0;  // blocks so far
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace weir::gotrace
