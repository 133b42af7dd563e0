#include "weir/gotrace/event_blocks.h"

namespace weir::gotrace {

EventBlocks::~EventBlocks() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  something_.notify_one();
  thread_.join();
}

/// The thread begins with the second block: most traces of tests are smaller than that.
void EventBlocks::start() {
  blocks_.resize(block_count);
  for (Block& block : blocks_)
    if (!block.events) block.events = std::make_unique_for_overwrite<Event[]>(large_block);
  thread_ = std::thread([this] { take_blocks(); });
}

void EventBlocks::open_block() {
  const std::size_t size = ahead_ ? large_block : small_block;
  if (blocks_.empty()) {
    blocks_.resize(1);
    blocks_[0].events = std::make_unique<Event[]>(size);
  }
  next_ = blocks_[filled_ % blocks_.size()].events.get();
  end_ = next_ + size;
}

void EventBlocks::hand_over(std::size_t used) {
  if (!thread_.joinable()) {
    sink_.take({blocks_[0].events.get(), used});
    return;
  }
  std::unique_lock lock(mutex_);
  blocks_[filled_ % blocks_.size()].used = used;
  ++filled_;
  if (filled_ - taken_ == 1) something_.notify_one();
  if (filled_ - taken_ == blocks_.size())
    half_.wait(lock, [this] { return filled_ - taken_ <= blocks_.size() / 2; });
}

void EventBlocks::turn() {
  if (next_ != nullptr) {
    if (ahead_ && !thread_.joinable()) start();
    hand_over(static_cast<std::size_t>(end_ - blocks_[filled_ % blocks_.size()].events.get()));
  }
  open_block();
}

void EventBlocks::flush() {
  if (next_ == nullptr) return;
  const auto used =
      static_cast<std::size_t>(next_ - blocks_[filled_ % blocks_.size()].events.get());
  if (used != 0) hand_over(used);
  open_block();
  if (thread_.joinable()) {
    std::unique_lock lock(mutex_);
    half_.wait(lock, [this] { return filled_ == taken_; });
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void EventBlocks::take_blocks() {
  std::unique_lock lock(mutex_);
  for (;;) {
    something_.wait(lock, [this] { return stopping_ || filled_ != taken_; });
    if (filled_ == taken_) return;
    const Block& block = blocks_[taken_ % blocks_.size()];
    const bool failed = failure_ != nullptr;
    lock.unlock();
    std::exception_ptr failure;
    if (!failed) {
      try {
        sink_.take({block.events.get(), block.used});
      } catch (...) {
        failure = std::current_exception();
      }
    }
    lock.lock();
    if (failure) failure_ = failure;
    ++taken_;
    if (filled_ == taken_ || filled_ - taken_ == blocks_.size() / 2) half_.notify_one();
  }
}

}  // namespace weir::gotrace
