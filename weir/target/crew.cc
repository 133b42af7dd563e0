#include "weir/target/crew.h"

#include <sys/resource.h>

#include <atomic>
#include <thread>
#include <vector>

#include "weir/base/assert.h"

namespace weir::target {

// A thread that the scheduler wakes too late finds open_ false and sleeps on; the caller waits only
// for those that have entered. Both orders of (busy_++, open_ read) and (open_ = false, busy_ read)
// are sequentially consistent, so a thread never touches a task whose caller has returned.
struct Crew::State {
  explicit State(unsigned n) {
    for (unsigned i = 1; i < n; ++i)
      threads.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  ~State() {
    for (std::jthread& thread : threads) thread.request_stop();
    wake();
  }

  void wake() {
    round.fetch_add(1);
    round.notify_all();
  }

  void take_tasks() {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) (*task)(i);
  }

  void work(const std::stop_token& stop) {
    setpriority(PRIO_PROCESS, 0, -20);  // of this thread; refused without CAP_SYS_NICE, no harm
    std::uint32_t seen = 0;
    while (!stop.stop_requested()) {
      round.wait(seen);
      seen = round.load();
      busy.fetch_add(1);
      if (open.load()) take_tasks();
      busy.fetch_sub(1);
      busy.notify_one();
    }
  }

  std::atomic<std::uint32_t> round{0};
  std::atomic<bool> open{false};
  std::atomic<unsigned> busy{0};
  std::atomic<std::size_t> next{0};
  std::size_t count = 0;
  const std::function<void(std::size_t)>* task = nullptr;
  std::vector<std::jthread> threads;  // last: they use the rest until they are joined
};

Crew::Crew(unsigned n) {
  WEIR_ASSERT(n >= 1);
  state_ = std::make_unique<State>(n);
}
Crew::Crew(Crew&&) noexcept = default;
Crew& Crew::operator=(Crew&&) noexcept = default;
Crew::~Crew() = default;

unsigned Crew::size() const {
  return static_cast<unsigned>(state_->threads.size()) + 1;
}

void Crew::run(std::size_t count, const std::function<void(std::size_t)>& task) {
  State& state = *state_;
  state.count = count;
  state.task = &task;
  state.next.store(0);
  state.open.store(true);
  state.wake();
  state.take_tasks();
  state.open.store(false);
  for (unsigned busy = state.busy.load(); busy != 0; busy = state.busy.load())
    state.busy.wait(busy);
}

}  // namespace weir::target
