#pragma once
// Goroutines grouped and ranked.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/pattern.h"
#include "weir/model/top.h"

namespace weir::analysis {

/// Which goroutines count; all conditions must hold.
struct TopFilter {
  std::optional<Pattern> state;   ///< matches Go's words for what it waits for
  std::optional<Pattern> focus;   ///< matches a function or file of its stack or creation
  std::optional<Pattern> ignore;  ///< matches none of these
  std::vector<std::pair<std::string, std::string>> labels;  ///< it has these
  std::optional<Nanos> min_wait;  ///< it is known to have waited this long
};

struct TopQuery {
  model::TopBy by = model::TopBy::fingerprint;
  std::string label;  ///< the key, with TopBy::label
  TopFilter filter;
};

/// `tally` is what the report's rows are made of; equal input gives equal output.
model::TopReport top(const model::Tally& tally, const TopQuery& query);

/// What a goroutine does, in the words that `top` groups states by: the wait, else the status.
std::string state_word(const model::Goroutine& goroutine, const model::TallyKnows& knows = {});

}  // namespace weir::analysis
