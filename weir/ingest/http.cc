#include "weir/ingest/http.h"

#include <algorithm>

namespace weir::ingest {
namespace {

constexpr std::string_view goroutine_path = "/debug/pprof/goroutine";

}  // namespace

bool looks_like_url(std::string_view word) {
  if (word.find("://") != std::string_view::npos) return true;
  const auto colon = word.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == word.size()) return false;
  const std::string_view port = word.substr(colon + 1);
  return port.size() <= 5 && word.find('/') == std::string_view::npos &&
         std::all_of(port.begin(), port.end(), [](char c) { return '0' <= c && c <= '9'; });
}

std::string profile_url(std::string_view word) {
  std::string url(word);
  if (word.find("://") == std::string_view::npos) {
    url = word.starts_with(':') ? "http://localhost" : "http://";
    url += word;
  }
  const auto path = url.find('/', url.find("://") + 3);
  if (path == std::string::npos) return url.append(goroutine_path);
  if (path + 1 == url.size()) return url.append(goroutine_path.substr(1));
  if (url.ends_with("/debug/pprof/")) return url.append("goroutine");
  if (url.ends_with("/debug/pprof")) return url.append("/goroutine");
  return url;
}

}  // namespace weir::ingest
