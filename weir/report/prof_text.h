#pragma once
// `weir prof` as text: what go tool pprof prints for the same profile, and then what that does not
// say (internal/report/report.go of github.com/google/pprof, as vendored by go1.26).
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/pattern.h"
#include "weir/model/call_graph.h"
#include "weir/model/profile.h"

namespace weir::report {

struct ProfOptions {
  std::string unit = "minimum";      ///< of the output; "minimum": what fits the values
  double ratio = 1;                  ///< values are multiplied by it
  std::vector<std::string> filters;  ///< "focus=main": told in the heading
};

/// Values of one kind in the words of one unit.
class ValueWords {
 public:
  ValueWords(std::string from, const ProfOptions& options)
      : from_(std::move(from)), to_(options.unit), ratio_(options.ratio) {}
  /// The same unit for all values of the graph, chosen as pprof does, if none was asked for.
  void fit(const model::CallGraph& graph, bool whole = false);

  std::string operator()(std::int64_t value) const;
  /// In the output's unit.
  double number(std::int64_t value) const;
  const std::string& unit() const { return to_; }

 private:
  std::int64_t scaled(std::int64_t value) const;
  std::string from_, to_;
  double ratio_ = 1;
};

/// What the profile is of: binary, type, time, duration.
struct ProfHeading {
  std::string type;  ///< of the values
  std::string unit;
  std::int64_t total = 0;
};
std::vector<std::string> heading_lines(const model::Profile& profile, const ProfHeading& heading,
                                       const ValueWords& words);

/// Takes a piece of output.
using Print = std::function<void(std::string_view)>;

std::string render_prof_top(const model::Profile& profile, const model::CallGraph& graph,
                            const ProfOptions& options);
/// With a pattern only the nodes that match it. Errors: not_found when none does.
Result<std::string> render_prof_tree(const model::Profile& profile, const model::CallGraph& graph,
                                     const ProfOptions& options, const Pattern* only);
void print_prof_traces(const model::Profile& profile, model::ValueChoice choice, std::int64_t total,
                       const ProfOptions& options, const Print& print);
std::string render_prof_tags(const model::Profile& profile, model::ValueChoice choice,
                             std::int64_t total, const ProfOptions& options);
void print_prof_raw(const model::Profile& profile, const Print& print);

/// The lines of a source file, without line ends; an error says why it cannot be read.
using ReadSource = std::function<Result<std::vector<std::string>>(const std::string& path)>;
/// The source of functions that match, with values; `graph` is by line. Errors: not_found.
Result<std::string> render_prof_list(const model::CallGraph& graph, const ProfOptions& options,
                                     const Pattern& functions, const ReadSource& read);

/// What is not shown: of the graph, and the profile's notes. Empty if there is nothing to say.
std::string render_prof_hidden(const model::Profile& profile, const model::CallGraph& graph,
                               const ProfOptions& options);

/// "1.5s" as Go's time.Duration prints it.
std::string go_duration(std::int64_t nanos);

}  // namespace weir::report
