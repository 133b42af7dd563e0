// A server that says anything: the client's redirects, limits and messages, on answers that are
// the input, and its own handling of URLs. HTTP itself is parsed by libcurl.
//
// The input is the answers, one a connection, between lines of "=====". The first byte chooses
// between GET and POST. Answers may name this server as $ORIGIN.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "weir/ingest/evidence.h"

namespace {

constexpr std::uint64_t size_limit = 4096;
constexpr std::size_t most_requests = 6;  // the first and five redirects

/// Answers the n-th connection with the n-th answer, whatever it is asked.
class Server {
 public:
  Server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, any, size) != 0 || listen(socket_, 16) != 0 ||
        getsockname(socket_, any, &size) != 0)
      std::abort();
    origin_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    std::thread([this] { serve(); }).detach();
  }
  const std::string& origin() const { return origin_; }
  void begin(std::vector<std::string> answers) {
    const std::scoped_lock lock(mutex_);
    answers_ = std::move(answers);
    requests_ = 0;
  }
  std::size_t requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  std::string next() {
    const std::scoped_lock lock(mutex_);
    const std::size_t n = requests_++;
    return n < answers_.size() ? answers_[n] : std::string();
  }
  [[noreturn]] void serve() {
    while (true) {
      const int client = accept(socket_, nullptr, nullptr);
      if (client < 0) std::abort();
      std::string request(4096, '\0');
      static_cast<void>(recv(client, request.data(), request.size(), 0));
      const std::string answer = next();
      static_cast<void>(send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
      shutdown(client, SHUT_WR);
      // Until the client is done, or what was sent might be lost with the connection.
      while (recv(client, request.data(), request.size(), 0) > 0) {
      }
      close(client);
    }
  }

  int socket_;
  std::string origin_;
  std::mutex mutex_;
  std::vector<std::string> answers_;
  std::size_t requests_ = 0;
};

std::vector<std::string> split(std::string_view text, const std::string& origin) {
  constexpr std::string_view border = "=====\n", name = "$ORIGIN";
  std::vector<std::string> parts;
  while (true) {
    std::string part(text.substr(0, text.find(border)));
    text.remove_prefix(std::min(text.size(), part.size() + border.size()));
    for (auto at = part.find(name); at != std::string::npos; at = part.find(name, at + 1))
      part.replace(at, name.size(), origin);
    parts.push_back(std::move(part));
    if (text.empty()) return parts;
  }
}

void check(bool right) {
  if (!right) std::abort();
}

/// The words of a command line that name a source.
void check_words(std::string_view text) {
  using namespace weir;
  const std::string shown = ingest::without_credentials(text);
  check(shown.size() <= text.size());
  check(ingest::without_credentials(shown).find("://") == shown.find("://"));
  check(http::percent_decoded(text).size() <= text.size());
  const std::string url = ingest::profile_url(text);
  check(url.size() >= text.size() && url.find("://") != std::string::npos);
  static_cast<void>(ingest::looks_like_url(text));
  static_cast<void>(http::check_url(url));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server& server = *new Server;
  if (size == 0) return 0;
  const bool posts = data[0] == 'P';
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_words(text.substr(0, 200));
  server.begin(split(text, server.origin()));
  weir::http::HttpOptions options;
  options.timeout = weir::Nanos{2'000'000'000};
  options.size_limit = size_limit;
  options.basic_auth = "user:secret";  // and ~/.netrc is not read
  const std::string url = server.origin() + "/debug/pprof/goroutine";
  if (posts) {
    const auto answer = weir::http::post(url, options, {"Content-Type: application/json"}, "{}");
    check(!answer || answer->body.size() <= (64u << 10));
    check(server.requests() <= 1);
    return 0;
  }
  std::uint64_t taken = 0;
  weir::ingest::Intake intake;
  const auto got = weir::http::fetch(url, options, [&](std::string_view piece) {
    taken += piece.size();
    return intake.feed(piece);
  });
  check(taken <= size_limit);
  check(server.requests() <= most_requests);
  if (!got)
    check(to_string(got.error()).find("secret") == std::string::npos ||
          text.find("secret") != std::string_view::npos);
  if (got) static_cast<void>(intake.finish());
  return 0;
}
