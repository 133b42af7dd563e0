#include "weir/analysis/attribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "weir/model/goname.h"

namespace weir::analysis {

using model::Goroutine;
using model::Snapshot;

namespace {

constexpr Goid main_goroutine{1};
constexpr std::size_t max_chain = 100'000;

/// testing's isTest: the prefix, and then no lower-case letter.
bool is_test_name(std::string_view name) {
  for (const std::string_view prefix : {"Test", "Fuzz", "Benchmark", "Example"}) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view rest = name.substr(prefix.size());
    // A letter outside ASCII may be lower case; a name like "Testé" is too rare to know Unicode
    // for.
    return rest.empty() || !(rest[0] >= 'a' && rest[0] <= 'z');
  }
  return false;
}

std::string test_in_file(const std::string& function, const std::string& file) {
  if (!file.empty() && file != "?" && !file.ends_with("_test.go")) return {};
  return test_function(function);
}

/// The nearest test function among the frames of g's ancestors at their `go` statements.
std::string test_in_ancestors(const Goroutine& goroutine) {
  for (const model::Ancestor& ancestor : goroutine.ancestors) {
    for (const model::Frame& frame : ancestor.stack) {
      std::string test = test_in_file(frame.function, frame.file);
      if (!test.empty()) return test;
    }
  }
  return {};
}

class Walker {
 public:
  Walker(const Snapshot& snapshot, const TestFacts& facts) : facts_(facts) {
    for (const Goroutine& goroutine : snapshot.goroutines) by_id_.emplace(goroutine.id, &goroutine);
  }

  Owner owner(const Goroutine& goroutine) const {
    if (!facts_.has_tests) return {"", "not a test program"};
    Owner owner = walk(goroutine);
    if (!owner.test.empty()) return owner;
    std::string named = test_in_file(goroutine.created.function, goroutine.created.file);
    if (named.empty()) named = test_in_ancestors(goroutine);
    if (!named.empty()) return {std::move(named), ""};
    return owner;
  }

 private:
  const TestFacts& facts_;
  std::unordered_map<Goid, const Goroutine*> by_id_;

  /// The creator of `child`; 0 if nobody knows. `ancestors` is the list of the goroutine nearest
  /// below `child` that has one.
  Goid parent(Goid child, const std::vector<model::Ancestor>*& ancestors) const {
    const auto live = by_id_.find(child);
    if (live != by_id_.end()) {
      if (!live->second->ancestors.empty()) ancestors = &live->second->ancestors;
      if (live->second->created.by.value != 0) return live->second->created.by;
    }
    const auto seen = facts_.parent_of.find(child);
    if (seen != facts_.parent_of.end()) return seen->second;
    if (ancestors == nullptr) return {};
    if (live != by_id_.end() && ancestors == &live->second->ancestors) return ancestors->front().id;
    const auto here = std::find_if(ancestors->begin(), ancestors->end(),
                                   [&](const model::Ancestor& a) { return a.id == child; });
    if (here == ancestors->end() || here + 1 == ancestors->end()) return {};
    return (here + 1)->id;
  }

  Owner walk(const Goroutine& goroutine) const {
    const std::vector<model::Ancestor>* ancestors = nullptr;
    Goid at = goroutine.id;
    for (std::size_t step = 0; step < max_chain; ++step) {
      const auto test = facts_.test_of.find(at);
      if (test != facts_.test_of.end()) return {test->second, ""};
      // Goroutine 1 existed before the first test too, but what it starts later is no init's.
      if (at == main_goroutine) return {"", "started by goroutine 1 outside every test"};
      if (facts_.before_first_test.contains(at)) return {"package init", ""};
      const Goid next = parent(at, ancestors);
      if (next.value == 0) return {"", broken_at(at, goroutine.id)};
      at = next;
    }
    return {"", "its creators form a circle, which cannot be"};
  }

  std::string broken_at(Goid at, Goid start) const {
    if (at == start) return "Go did not record who started it (it does from 1.21 on)";
    if (by_id_.contains(at))
      return fmt::format("Go did not record who started goroutine {}, its ancestor", at.value);
    return fmt::format("goroutine {}, its ancestor, ended before weir saw who started it",
                       at.value);
  }
};

}  // namespace

Attribution attribute(const Snapshot& snapshot, const TestFacts& facts) {
  const Walker walker(snapshot, facts);
  Attribution owners;
  owners.reserve(snapshot.goroutines.size());
  for (const Goroutine& goroutine : snapshot.goroutines) owners.push_back(walker.owner(goroutine));
  return owners;
}

std::string test_function(std::string_view function) {
  const std::string whole = model::without_closures(function);
  const std::string package = model::package_of(function);
  if (package.empty() || package == "testing") return {};
  // A method is no test: the symbol must be the name alone.
  const std::size_t slash = whole.rfind('/');
  const std::size_t dot = whole.find('.', slash == std::string::npos ? 0 : slash);
  const std::string name = whole.substr(dot + 1);
  return is_test_name(name) && name.find('.') == std::string::npos ? name : std::string();
}

}  // namespace weir::analysis
