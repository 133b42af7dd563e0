#pragma once
// Literal Snapshots for tests of analysis and report: one goroutine in one line.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/model/snapshot.h"

namespace weir::test {

/// Builds one goroutine: `Go(7).waits("chan receive").at({"runtime.gopark", "main.f"})`.
class Go {
 public:
  explicit Go(std::uint64_t id) {
    made_.id = Goid{id};
    made_.g = Address{0xc000000000 + id * 0x200};
    made_.status = model::Status::running;
    made_.stack = std::make_shared<model::Stack>();
  }

  Go& waits(std::string reason) {
    made_.status = model::Status::waiting;
    made_.wait_reason = std::move(reason);
    return *this;
  }
  Go& status(model::Status status) {
    made_.status = status;
    return *this;
  }
  /// Functions, innermost first; files and lines are made up from them.
  Go& at(const std::vector<std::string>& functions) {
    auto stack = std::make_shared<model::Stack>();
    for (const std::string& function : functions) {
      model::Frame frame;
      frame.function = function;
      const bool runtime = function.starts_with("runtime.");
      frame.file = runtime ? "/go/src/runtime/proc.go" : "/src/app/app.go";
      frame.line = static_cast<std::int32_t>(10 + stack->size());
      frame.offset = 0x10 + stack->size();
      stack->push_back(std::move(frame));
    }
    made_.stack = std::move(stack);
    return *this;
  }
  Go& made_by(std::string function, std::uint64_t creator = 1,
              std::string file = "/src/app/app.go") {
    made_.created.function = std::move(function);
    made_.created.file = std::move(file);
    made_.created.line = 42;
    made_.created.offset = 0x2a;
    made_.created.by = Goid{creator};
    return *this;
  }
  Go& on(model::WaitKind kind, std::vector<model::ChannelCase> cases = {}) {
    made_.blocked_on.emplace();
    made_.blocked_on->kind = kind;
    made_.blocked_on->cases = std::move(cases);
    return *this;
  }
  Go& on_object(model::WaitKind kind, std::uint64_t object) {
    made_.blocked_on.emplace();
    made_.blocked_on->kind = kind;
    made_.blocked_on->object = Address{object};
    return *this;
  }
  Go& for_at_least(std::int64_t seconds) {
    made_.waiting_at_least = Nanos{seconds * 1'000'000'000};
    return *this;
  }
  Go& system() {
    made_.system = true;
    return *this;
  }
  model::Goroutine& raw() { return made_; }
  operator model::Goroutine() const { return made_; }

 private:
  model::Goroutine made_;
};

inline model::ChannelCase channel_case(model::Direction direction, std::uint64_t address,
                                       std::string type = "int", std::uint64_t length = 0,
                                       std::uint64_t capacity = 0) {
  model::ChannelCase made;
  made.direction = direction;
  made.channel.address = Address{address};
  made.channel.element_type = std::move(type);
  made.channel.length = length;
  made.channel.capacity = capacity;
  return made;
}
inline model::ChannelCase sends(std::uint64_t address, std::string type = "int") {
  return channel_case(model::Direction::send, address, std::move(type));
}
inline model::ChannelCase receives(std::uint64_t address, std::string type = "int") {
  return channel_case(model::Direction::receive, address, std::move(type));
}

inline model::Snapshot snapshot(std::vector<model::Goroutine> goroutines) {
  model::Snapshot made;
  made.consistent = true;
  made.source.kind = model::SourceKind::process;
  made.source.name = "pid 123";
  made.source.pid = 123;
  made.source.go_version = "go1.27.4";
  made.goroutines = std::move(goroutines);
  return made;
}

}  // namespace weir::test
