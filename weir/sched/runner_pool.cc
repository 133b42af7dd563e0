#include "weir/sched/runner_pool.h"

#include <algorithm>

namespace weir::sched {

RunnerPool::~RunnerPool() {
  clear();
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void RunnerPool::widen(unsigned wanted) {
  while (runners() < wanted) threads_.emplace_back([this] { work(); });
}

void RunnerPool::ask(Chooser chooser) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(chooser)});
  }
  changed_.notify_all();
}

// Elements of a deque stay where they are while others come and go at its ends.
RunnerPool::Job* RunnerPool::first_to_begin() {
  const auto job = std::find_if(jobs_.begin(), jobs_.end(), [](const Job& j) { return !j.begun; });
  if (job == jobs_.end()) return nullptr;
  job->begun = true;
  return &*job;
}

Result<RunRecord> RunnerPool::next() {
  std::unique_lock lock(mutex_);
  while (!jobs_.front().result) {
    Job* const job = first_to_begin();
    if (job == nullptr) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    auto result = own_.run(job->chooser);
    lock.lock();
    job->result = std::move(result);
  }
  auto result = std::move(*jobs_.front().result);
  jobs_.pop_front();
  return result;
}

// Forgets what nobody has begun, and waits for what runs.
void RunnerPool::clear() {
  std::unique_lock lock(mutex_);
  while (!jobs_.empty()) {
    if (jobs_.back().begun && !jobs_.back().result)
      changed_.wait(lock);
    else
      jobs_.pop_back();
  }
}

void RunnerPool::work() {
  Watchdog watchdog;
  TestRunner runner(binary_, options_, watchdog);
  std::unique_lock lock(mutex_);
  while (!over_) {
    Job* const job = first_to_begin();
    if (job == nullptr) {
      changed_.wait(lock);
      continue;
    }
    lock.unlock();
    auto result = runner.run(job->chooser);
    lock.lock();
    job->result = std::move(result);
    changed_.notify_all();
  }
}

}  // namespace weir::sched
