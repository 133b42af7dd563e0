#pragma once
// Which file the history of `weir watch` is in.
#include <string>

#include "weir/base/error.h"
#include "weir/report/watch_settings.h"

namespace weir::app {

/// The section `watch:` of the .weir.yaml that rules here, the defaults without one; a path of `db`
/// is relative to that file's folder there, and not any more here. Errors: usage, io, denied.
Result<report::WatchSettings> read_watch_settings();

/// `named`, else the one in the user's state directory. Errors: usage: HOME is not set.
Result<std::string> history_path(const std::string& named);

}  // namespace weir::app
