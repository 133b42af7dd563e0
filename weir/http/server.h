#pragma once
// A small HTTP server of pages that change.
#include <functional>
#include <memory>
#include <string>

#include "weir/base/error.h"

namespace weir::http {

/// A page as it is now.
struct Page {
  std::string content_type;
  std::string body;
};

/// Serves one page at one path, to GET and HEAD, in threads of its own, until it is destroyed. The
/// threads inherit the caller's signal mask.
class PageServer {
 public:
  /// `address` is "host:port", ":port" or "port"; without a host it is 127.0.0.1, and port 0 is one
  /// that is free. `page` is called from the threads, and must neither throw nor take long. Errors:
  /// usage (not an address); io, denied: the port cannot be had.
  static Result<PageServer> start(const std::string& address, const std::string& path,
                                  std::function<Page()> page);
  PageServer(PageServer&&) noexcept;
  PageServer& operator=(PageServer&&) noexcept;
  ~PageServer();

  /// "http://127.0.0.1:9100/metrics".
  const std::string& url() const;

 private:
  struct State;
  explicit PageServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::http
