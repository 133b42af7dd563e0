#pragma once
// A series: looks at one target over time, as `weir watch` takes them and the history keeps them.
#include <cstdint>
#include <optional>
#include <string>

#include "weir/base/address.h"

namespace weir::model {

/// What was asked for. Times are wall clock, ns since 1970.
struct Series {
  std::int64_t id = 0;
  std::string target;  ///< as the user named it, without credentials
  Nanos started;
  Nanos every;                 ///< from look to look
  std::optional<Nanos> until;  ///< when it is over; empty: until somebody ends it
  bool over = false;           ///< it has come to its end; else it can be resumed
  std::uint64_t looks = 0;     ///< taken so far, the missed ones included
};

/// One look of a series.
struct Look {
  std::int64_t id = 0;
  std::int64_t series = 0;
  Nanos at;
  std::string missed;      ///< not empty: nothing was seen, and this is why
  bool restarted = false;  ///< the target is another process than at the look before
  std::uint64_t total = 0;
};

/// An alarm as it was raised.
struct RaisedAlarm {
  std::int64_t series = 0;
  std::int64_t look = 0;
  Nanos at;
  std::string rule;
  std::string subject;  ///< what it is about: a fingerprint's id, or the rule's own word
  std::string text;     ///< as it was printed
};

}  // namespace weir::model
