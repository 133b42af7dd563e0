#include "weir/model/top.h"

namespace weir::model {

std::string_view to_string(TopBy by) {
  switch (by) {
    case TopBy::fingerprint:
      return "fingerprint";
    case TopBy::state:
      return "state";
    case TopBy::function:
      return "func";
    case TopBy::created:
      return "created";
    case TopBy::package:
      return "package";
    case TopBy::stack:
      return "stack";
    case TopBy::label:
      return "label";
  }
  return "fingerprint";
}

std::string_view to_string(Movement movement) {
  switch (movement) {
    case Movement::is_new:
      return "new";
    case Movement::grown:
      return "grown";
    case Movement::shrunk:
      return "shrunk";
    case Movement::gone:
      return "gone";
    case Movement::same:
      return "same";
  }
  return "same";
}

}  // namespace weir::model
