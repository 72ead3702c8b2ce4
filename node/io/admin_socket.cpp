#include "node/io/admin_socket.h"

#include <map>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "node/io/log.h"

namespace kms::node::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using local = asio::local::stream_protocol;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kDeadline{10};
constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;

using Stream = beast::basic_stream<local>;
using Parser = http::request_parser<http::string_body>;

void fail_with(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

bool is_operator(local::socket& socket) {
  ucred caller{};
  socklen_t size = sizeof caller;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &caller, &size) != 0) return false;
  return caller.uid == ::geteuid() || caller.uid == 0;
}

}  // namespace

struct AdminSocket::Impl : std::enable_shared_from_this<AdminSocket::Impl> {
  Impl(asio::io_context& context_in, std::string path_in, OnRequest on_request_in)
      : context(context_in), acceptor(context_in), path(std::move(path_in)), on_request(std::move(on_request_in)) {}

  asio::io_context& context;
  local::acceptor acceptor;
  std::string path;
  OnRequest on_request;
  bool stopped = false;
  std::map<Stream*, std::shared_ptr<Stream>> open;

  void listen();
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(std::shared_ptr<Stream> stream);
  asio::awaitable<bool> serve_one(std::shared_ptr<Stream> stream, beast::flat_buffer& buffer);
  http::response<http::string_body> answered(Parser& parser);
};

void AdminSocket::Impl::listen() {
  const auto fail = [&](const std::string& why) {
    throw std::runtime_error("admin: cannot listen on " + path + ": " + why + "; choose another admin.socket");
  };
  boost::system::error_code failure;
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) fail("there is a file of that name that is no socket");
    local::socket probe(context);
    probe.connect(local::endpoint(path), failure);
    if (!failure) fail("another process listens there");
    ::unlink(path.c_str());
  }
  acceptor.open(local(), failure);
  // Nobody else may connect, not even between bind and chmod.
  const mode_t before = ::umask(0177);
  if (!failure) acceptor.bind(local::endpoint(path), failure);
  ::umask(before);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) fail(failure.message());
}

asio::awaitable<void> AdminSocket::Impl::accept_loop() {
  auto self = shared_from_this();
  while (!stopped) {
    auto [failure, socket] = co_await acceptor.async_accept(kAsTuple);
    if (stopped) co_return;
    if (failure) {
      asio::steady_timer pause(context, std::chrono::milliseconds(50));
      auto [ignored] = co_await pause.async_wait(kAsTuple);
      static_cast<void>(ignored);
      continue;
    }
    if (!is_operator(socket)) {
      log(LogLevel::warn, "admin: refused a caller of another user");
      continue;
    }
    if (open.size() >= kConnectionsMax) continue;
    auto stream = std::make_shared<Stream>(std::move(socket));
    open.emplace(stream.get(), stream);
    auto finished = [self, stream](std::exception_ptr fault) {
      self->open.erase(stream.get());
      fail_with(fault);
    };
    asio::co_spawn(context, serve(stream), std::move(finished));
  }
}

asio::awaitable<void> AdminSocket::Impl::serve(std::shared_ptr<Stream> stream) {
  auto self = shared_from_this();
  beast::flat_buffer buffer(kHeaderBytesMax + 64 * 1024);
  bool go_on = true;
  while (go_on && !stopped) {
    go_on = co_await serve_one(stream, buffer);
  }
}

// Gives whether the connection may serve another request.
asio::awaitable<bool> AdminSocket::Impl::serve_one(std::shared_ptr<Stream> stream, beast::flat_buffer& buffer) {
  Parser parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(kBodyBytesMax);
  stream->expires_after(kDeadline);
  auto [unread, size] = co_await http::async_read(*stream, buffer, parser, kAsTuple);
  static_cast<void>(size);
  if (unread || stopped) co_return false;
  bool keep_alive = parser.get().keep_alive();
  auto answer = answered(parser);
  stream->expires_after(kDeadline);
  auto [unsent, sent] = co_await http::async_write(*stream, answer, kAsTuple);
  static_cast<void>(sent);
  co_return keep_alive && !unsent;
}

http::response<http::string_body> AdminSocket::Impl::answered(Parser& parser) {
  http::request<http::string_body> message = parser.release();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  request.body = std::move(message.body());
  HttpResponse response = on_request(std::move(request));
  http::response<http::string_body> out(static_cast<http::status>(response.status), message.version());
  if (!response.content_type.empty()) out.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) out.set(name, value);
  out.keep_alive(message.keep_alive());
  out.body() = std::move(response.body);
  out.prepare_payload();
  return out;
}

AdminSocket::AdminSocket(asio::io_context& context, std::string path, OnRequest on_request)
    : impl_(std::make_shared<Impl>(context, std::move(path), std::move(on_request))) {
  impl_->listen();
  asio::co_spawn(context, impl_->accept_loop(), &fail_with);
}

AdminSocket::~AdminSocket() {
  stop();
}

void AdminSocket::stop() {
  if (impl_->stopped) return;
  impl_->stopped = true;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  for (auto& [pointer, stream] : impl_->open) stream->socket().close(ignored);
  ::unlink(impl_->path.c_str());
}

}  // namespace kms::node::io
