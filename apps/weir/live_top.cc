#include "apps/weir/live_top.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>

#include "apps/weir/terminal.h"
#include "apps/weir/watch_loop.h"
#include "weir/report/top_screen.h"

namespace weir::app {
namespace {

constexpr int poll_ms = 50;  // while a look is under way
constexpr Nanos fastest{250'000'000};
constexpr Nanos slowest{600'000'000'000};
constexpr std::size_t page = 10;

using Tallies = Result<std::vector<model::Tally>>;

class LivePage {
 public:
  LivePage(LiveTop request, model::Tally first) : request_(std::move(request)) {
    view_.every = request_.every;
    view_.patterns = request_.patterns;
    options_.http = request_.table.evidence.http;
    options_.live = request_.table.evidence.live;
    options_.http.cancelled = &cancelled_;
    take(std::move(first));
    view_.base = report::counts_by_key(report_);
  }
  LivePage(const LivePage&) = delete;
  LivePage& operator=(const LivePage&) = delete;
  ~LivePage() {
    cancelled_ = true;
    if (look_.valid()) look_.wait();  // it lets the target go
  }

  /// Draws, waits for a key, looks when it is time; false when the user quits.
  bool step(Terminal& terminal) {
    view_.columns = terminal.columns();
    view_.rows = terminal.rows();
    terminal.draw(report::render_top_screen(report_, view_, request_.table.text));
    const Key key = terminal.wait(nap());
    if (key == Key::quit) return false;
    press(key);
    look();
    return true;
  }

 private:
  LiveTop request_;
  ingest::EvidenceOptions options_;
  report::TopView view_;
  model::Tally tally_;
  model::TopReport report_;
  Nanos due_;
  std::atomic<bool> cancelled_ = false;
  std::future<Tallies> look_;

  void take(model::Tally tally) {
    tally_ = std::move(tally);
    view_.at = now();
    view_.missed.clear();
    group();
  }
  void group() {
    report_ = analysis::top(tally_, request_.query);
    const std::size_t rows = report_.rows.size();
    view_.selected = rows == 0 ? 0 : std::min(view_.selected, rows - 1);
  }

  int nap() const {
    if (look_.valid()) return poll_ms;
    const std::int64_t left = (due_.value - now().value) / 1'000'000 + 1;
    return view_.paused ? 1000 : static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000));
  }

  void look() {
    if (look_.valid()) {
      if (look_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
      Tallies tallies = look_.get();
      due_ = Nanos{now().value + view_.every.value};
      if (tallies) {
        take(std::move(tallies->back()));
      } else {
        view_.missed = to_string(tallies.error());
      }
    } else if (!view_.paused && now() >= due_) {
      look_ = std::async(std::launch::async, [name = request_.name, options = options_] {
        return ingest::read_evidence(name, options);
      });
    }
  }

  void select(std::size_t to) {
    view_.selected = std::min(to, report_.rows.empty() ? 0 : report_.rows.size() - 1);
  }
  void speed(std::int64_t every) {
    view_.every = Nanos{std::clamp(every, fastest.value, slowest.value)};
    due_ = Nanos{std::min(due_.value, now().value + view_.every.value)};
  }
  void group_by_next() {
    using model::TopBy;
    constexpr TopBy all[] = {TopBy::fingerprint, TopBy::state,   TopBy::function,
                             TopBy::created,     TopBy::package, TopBy::stack};
    const auto* at = std::find(std::begin(all), std::end(all), request_.query.by);
    const bool last = at == std::end(all) || at + 1 == std::end(all);
    request_.query.by = last ? all[0] : *(at + 1);
    view_.selected = 0;
    group();
    view_.base = report::counts_by_key(report_);
  }

  void press(Key key) {
    switch (key) {
      case Key::up:
        return select(view_.selected - std::min<std::size_t>(view_.selected, 1));
      case Key::down:
        return select(view_.selected + 1);
      case Key::page_up:
        return select(view_.selected - std::min(view_.selected, page));
      case Key::page_down:
        return select(view_.selected + page);
      case Key::first:
        return select(0);
      case Key::group:
        return group_by_next();
      case Key::faster:
        return speed(view_.every.value / 2);
      case Key::slower:
        return speed(view_.every.value * 2);
      case Key::enter:
        view_.open = !view_.open;
        return;
      case Key::pause:
        view_.paused = !view_.paused;
        return;
      case Key::now:
        due_ = {};
        return;
      case Key::reset:
        view_.base = report::counts_by_key(report_);
        return;
      case Key::help:
        view_.help = !view_.help;
        return;
      case Key::none:
      case Key::quit:
        return;
    }
  }
};

}  // namespace

Result<void> run_live_top(LiveTop request) {
  if (request.name == "-")
    return fail(ErrorCode::usage, "-f looks again and again, and standard input comes only once");
  WEIR_TRY(auto first, ingest::read_evidence(request.name, request.table.evidence));
  WEIR_TRY(Terminal terminal, Terminal::open());
  LivePage live(std::move(request), std::move(first.back()));
  while (live.step(terminal)) {
  }
  return {};
}

}  // namespace weir::app
