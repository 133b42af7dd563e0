#include "weir/http/server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <atomic>
#include <charconv>
#include <thread>

namespace weir::http {
namespace {

constexpr std::size_t threads = 2;       // scrapers are few
constexpr std::size_t most_body = 4096;  // of a request; a GET has none
constexpr int idle_seconds = 5;

struct Listen {
  std::string host = "127.0.0.1";
  int port = 0;
};

Result<Listen> parse_address(const std::string& text) {
  Listen listen;
  const auto colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  if (colon != std::string::npos && colon > 0) listen.host = text.substr(0, colon);
  if (listen.host.starts_with('[') && listen.host.ends_with(']'))
    listen.host = listen.host.substr(1, listen.host.size() - 2);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (error != std::errc{} || end != port.data() + port.size() || listen.port < 0 ||
      listen.port > 65535)
    return fail(ErrorCode::usage, fmt::format("\"{}\" is no address; host:port is one", text));
  return listen;
}

}  // namespace

struct PageServer::State {
  httplib::Server server;
  std::thread listener;
  std::atomic<bool> ended = false;
  std::string url;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    server.stop();
    if (listener.joinable()) listener.join();
  }
};

PageServer::PageServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
PageServer::PageServer(PageServer&&) noexcept = default;
PageServer& PageServer::operator=(PageServer&&) noexcept = default;
PageServer::~PageServer() = default;

const std::string& PageServer::url() const {
  return state_->url;
}

Result<PageServer> PageServer::start(const std::string& address, const std::string& path,
                                     std::function<Page()> page) {
  WEIR_TRY(const Listen listen, parse_address(address));
  auto state = std::make_unique<State>();
  httplib::Server& server = state->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
  server.set_payload_max_length(most_body);
  server.set_read_timeout(idle_seconds);
  server.set_write_timeout(idle_seconds);
  server.Get(path, [page = std::move(page)](const httplib::Request&, httplib::Response& answer) {
    const Page now = page();
    answer.set_content(now.body, now.content_type.c_str());
  });
  // Without the library's SO_REUSEPORT, with which two servers would share the port unnoticed.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  int port = listen.port;
  const bool bound = port == 0 ? (port = server.bind_to_any_port(listen.host.c_str())) > 0
                               : server.bind_to_port(listen.host.c_str(), port);
  if (!bound)
    return fail(ErrorCode::io, fmt::format("cannot listen on {}:{}: it is taken, not allowed, or "
                                           "no address of this machine",
                                           listen.host, listen.port));
  const bool is_v6 = listen.host.find(':') != std::string::npos;
  state->url = fmt::format("http://{}{}{}:{}{}", is_v6 ? "[" : "", listen.host, is_v6 ? "]" : "",
                           port, path);
  state->listener = std::thread([&server, &ended = state->ended] {
    server.listen_after_bind();
    ended = true;
  });
  // stop() before the listener runs would be lost.
  while (!server.is_running() && !state->ended) std::this_thread::yield();
  return PageServer(std::move(state));
}

}  // namespace weir::http
