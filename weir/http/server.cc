#include "weir/http/server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include "weir/http/library.h"

namespace weir::http {
namespace {

constexpr unsigned most_connections = 16;  // scrapers are few
constexpr unsigned idle_seconds = 5;
constexpr int backlog = 16;

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

/// The functions of libmicrohttpd, once load_server() has succeeded.
struct ServerApi {
  decltype(&::MHD_start_daemon) start_daemon = nullptr;
  decltype(&::MHD_stop_daemon) stop_daemon = nullptr;
  decltype(&::MHD_create_response_from_buffer) create_response = nullptr;
  decltype(&::MHD_add_response_header) add_header = nullptr;
  decltype(&::MHD_queue_response) queue_response = nullptr;
  decltype(&::MHD_destroy_response) destroy_response = nullptr;
};
ServerApi api;

Result<void> find_all(void* library) {
  WEIR_TRY_VOID(find_function(library, "MHD_start_daemon", api.start_daemon));
  WEIR_TRY_VOID(find_function(library, "MHD_stop_daemon", api.stop_daemon));
  WEIR_TRY_VOID(find_function(library, "MHD_create_response_from_buffer", api.create_response));
  WEIR_TRY_VOID(find_function(library, "MHD_add_response_header", api.add_header));
  WEIR_TRY_VOID(find_function(library, "MHD_queue_response", api.queue_response));
  return find_function(library, "MHD_destroy_response", api.destroy_response);
}

Result<void> load_server() {
  static const Result<void> loaded = []() -> Result<void> {
    WEIR_TRY(void* const library, load_library("libmicrohttpd.so.12", "libmicrohttpd12"));
    return find_all(library);
  }();
  return loaded;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

/// A listening socket; `listen.port` becomes the one it has. Without SO_REUSEPORT, with which two
/// servers would share the port unnoticed. Errors: usage (no such host), io.
Result<int> open_socket(Listen& listen) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(listen.host.c_str(), std::to_string(listen.port).c_str(), &hints, &found);
      error != 0)
    return fail(ErrorCode::usage, fmt::format("{} is no address of this machine: {}", listen.host,
                                              gai_strerror(error)));
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (socket < 0 || setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(socket, found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket, backlog) != 0 ||
      getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    const int error = errno;
    if (socket >= 0) close(socket);
    return fail(ErrorCode::io,
                fmt::format("cannot listen on {}:{}: it is taken, not allowed, or "
                            "no address of this machine",
                            listen.host, listen.port),
                {}, error);
  }
  // The port is in the same place of both families' addresses.
  listen.port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
  return socket;
}

}  // namespace

struct PageServer::State {
  MHD_Daemon* daemon = nullptr;
  std::string path;
  std::function<Page()> page;
  std::string url;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (daemon != nullptr) api.stop_daemon(daemon);
  }

  MHD_Result answer(MHD_Connection* connection, std::string_view wanted, bool is_get) const {
    Page now{"text/plain; charset=utf-8", {}};
    unsigned status = MHD_HTTP_OK;
    if (wanted != path) {
      status = MHD_HTTP_NOT_FOUND;
    } else if (!is_get) {
      status = MHD_HTTP_METHOD_NOT_ALLOWED;
    } else {
      now = page();
    }
    MHD_Response* const response =
        api.create_response(now.body.size(), now.body.data(), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    api.add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, now.content_type.c_str());
    const MHD_Result queued = api.queue_response(connection, status, response);
    api.destroy_response(response);
    return queued;
  }
  /// A body, which no GET has, is not read: the connection ends.
  static MHD_Result on_request(void* state, MHD_Connection* connection, const char* path,
                               const char* method, const char*, const char*, std::size_t* body,
                               void**) {
    if (*body > 0) return MHD_NO;
    const std::string_view word = method;
    return static_cast<const State*>(state)->answer(connection, path,
                                                    word == "GET" || word == "HEAD");
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
  WEIR_TRY(Listen listen, parse_address(address));
  WEIR_TRY_VOID(load_server());
  auto state = std::make_unique<State>();
  state->path = path;
  state->page = std::move(page);
  WEIR_TRY(const int socket, open_socket(listen));
  state->daemon = api.start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, nullptr, nullptr,
                                   State::on_request, state.get(), MHD_OPTION_LISTEN_SOCKET, socket,
                                   MHD_OPTION_CONNECTION_LIMIT, most_connections,
                                   MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_END);
  if (state->daemon == nullptr) {
    close(socket);
    return fail(ErrorCode::io, "the server does not start");
  }
  const bool is_v6 = listen.host.find(':') != std::string::npos;
  state->url = fmt::format("http://{}{}{}:{}{}", is_v6 ? "[" : "", listen.host, is_v6 ? "]" : "",
                           listen.port, path);
  return PageServer(std::move(state));
}

}  // namespace weir::http
