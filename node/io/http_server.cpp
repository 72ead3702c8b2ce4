#include "node/io/http_server.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "node/io/client_group.h"
#include "node/io/refusal_log.h"

namespace kms::node::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

// For the log; an address that is gone is no reason to fail.
std::string remote_of(const tcp::socket& socket) {
  boost::system::error_code failure;
  const tcp::endpoint remote = socket.remote_endpoint(failure);
  return failure ? "a client that is gone" : remote.address().to_string() + ":" + std::to_string(remote.port());
}

// What clients do comes as error codes. An exception is a broken machine or a store that cannot save: it leaves
// io_context::run, and the process ends instead of going on half deaf.
void end_with(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// One connection serves one request at a time; `answered` wakes the coroutine that waits for NodeCore.
struct Connection {
  explicit Connection(tcp::socket socket)
      : remote(remote_of(socket)), stream(std::move(socket)), answered(stream.get_executor()) {}
  std::string remote;
  beast::tcp_stream stream;
  asio::steady_timer answered;
  std::optional<HttpResponse> response;
  HttpServer::StreamSource source;  // instead of a response
  bool is_over = false;             // the client of a stream closed it, or sends what it has no business to
};
using ConnectionPtr = std::shared_ptr<Connection>;
using Parser = http::request_parser<http::string_body>;

// A body's part of HttpLimits::large_bodies_bytes, from its header to the answer.
class LargeBody {
 public:
  explicit LargeBody(std::size_t& all) : all_(all) {}
  ~LargeBody() { all_ -= size_; }
  LargeBody(const LargeBody&) = delete;
  LargeBody& operator=(const LargeBody&) = delete;
  // False if there is no room.
  bool take(std::size_t size, std::size_t all_max) {
    if (all_ != 0 && size > all_max - std::min(all_, all_max)) return false;
    size_ = size;
    all_ += size;
    return true;
  }

 private:
  std::size_t& all_;
  std::size_t size_ = 0;
};

HttpRequest to_request(Parser& parser) {
  http::request<http::string_body> message = parser.release();
  HttpRequest out;
  out.method = std::string(message.method_string());
  out.target = std::string(message.target());
  out.content_type = std::string(message[http::field::content_type]);
  out.authorization = std::string(message[http::field::authorization]);
  out.body = std::move(message.body());
  return out;
}

http::response<http::string_body> to_message(HttpResponse&& response, unsigned version, bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), version);
  if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(asio::io_context& context_in, HttpLimits limits_in, OnRequest on_request_in)
      : context(context_in), acceptor(context_in), limits(limits_in), on_request(std::move(on_request_in)) {}

  asio::io_context& context;
  tcp::acceptor acceptor;
  HttpLimits limits;
  OnRequest on_request;
  bool stopped = false;
  std::uint64_t next_id = 1;
  std::uint64_t refused = 0;
  std::map<HttpRequestId, ConnectionPtr> waiting;
  std::map<Connection*, ConnectionPtr> open;
  std::map<asio::ip::address, std::size_t> per_address;
  RefusalLog refusals;
  std::size_t large_bodies = 0;
  std::size_t streams = 0;

  void listen(const std::string& host, std::uint16_t port);
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(ConnectionPtr connection);
  asio::awaitable<bool> serve_one(ConnectionPtr connection, beast::flat_buffer& buffer);
  asio::awaitable<bool> receive(ConnectionPtr connection, beast::flat_buffer& buffer, Parser& parser, LargeBody& large);
  bool has_room(Parser& parser, LargeBody& large) const;
  asio::awaitable<HttpResponse> ask(ConnectionPtr connection, Parser& parser);
  asio::awaitable<bool> send(ConnectionPtr connection, HttpResponse response, unsigned version, bool keep_alive);
  asio::awaitable<void> refuse(ConnectionPtr connection, HttpResponse response);
  asio::awaitable<void> send_stream(ConnectionPtr connection, HttpServer::StreamSource source);
  asio::awaitable<bool> write_text(ConnectionPtr connection, const std::string& text);
  bool admit(const asio::ip::address& address);
};

void HttpServer::Impl::listen(const std::string& host, std::uint16_t port) {
  std::string where = host + ":" + std::to_string(port);
  boost::system::error_code failure;
  auto address = asio::ip::make_address(host, failure);
  if (failure) throw std::runtime_error("http: \"" + host + "\" is not an IP address to listen on");
  tcp::endpoint endpoint(address, port);
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure)
    throw std::runtime_error("http: cannot listen on " + where + ": " + failure.message() +
                             "; choose another http.listen, or see who has the port: ss -ltnp");
}

bool HttpServer::Impl::admit(const asio::ip::address& address) {
  if (open.size() >= limits.connections_max) return false;
  std::size_t& from_address = per_address[address];
  if (from_address >= limits.connections_per_address_max) return false;
  ++from_address;
  return true;
}

asio::awaitable<void> HttpServer::Impl::accept_loop() {
  auto self = shared_from_this();
  while (!stopped) {
    auto [failure, socket] = co_await acceptor.async_accept(kTuple);
    if (stopped) co_return;
    if (failure) {
      // Out of descriptors, most likely: wait a little rather than spin.
      asio::steady_timer pause(context, std::chrono::milliseconds(50));
      auto [ignored] = co_await pause.async_wait(kTuple);
      static_cast<void>(ignored);
      continue;
    }
    // Asked once: of a client that resets the connection meanwhile there is no address to count down again.
    boost::system::error_code gone;
    auto address = client_group(socket.remote_endpoint(gone).address());
    if (gone) continue;
    if (!admit(address)) {
      ++refused;
      refusals.note("http: refused a connection", remote_of(socket), "too many are open");
      continue;  // the destructor closes it
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto connection = std::make_shared<Connection>(std::move(socket));
    open.emplace(connection.get(), connection);
    auto finished = [self, connection, address](std::exception_ptr fault) {
      self->open.erase(connection.get());
      auto entry = self->per_address.find(address);
      if (entry != self->per_address.end() && --entry->second == 0) self->per_address.erase(entry);
      end_with(fault);
    };
    asio::co_spawn(context, serve(connection), std::move(finished));
  }
}

asio::awaitable<void> HttpServer::Impl::serve(ConnectionPtr connection) {
  auto self = shared_from_this();
  beast::flat_buffer buffer(limits.header_bytes_max + 64 * 1024);
  bool go_on = true;
  while (go_on && !stopped) {
    go_on = co_await serve_one(connection, buffer);
  }
  boost::system::error_code ignored;
  connection->stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<bool> HttpServer::Impl::serve_one(ConnectionPtr connection, beast::flat_buffer& buffer) {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  parser.body_limit(limits.body_bytes_max);
  LargeBody large(large_bodies);
  bool received = co_await receive(connection, buffer, parser, large);
  if (!received) co_return false;
  unsigned version = parser.get().version();
  bool keep_alive = parser.get().keep_alive();
  HttpResponse response = co_await ask(connection, parser);
  if (stopped) co_return false;
  if (connection->source) {
    auto source = std::exchange(connection->source, nullptr);
    co_await send_stream(connection, std::move(source));
    co_return false;
  }
  if (response.status >= 400 && response.status < 500) {
    refusals.note("http: answered " + std::to_string(response.status), connection->remote, response.body);
  }
  bool sent = co_await send(connection, std::move(response), version, keep_alive);
  co_return sent&& keep_alive;
}

bool HttpServer::Impl::has_room(Parser& parser, LargeBody& large) const {
  if (parser.is_done()) return true;
  const std::uint64_t size = parser.content_length().value_or(limits.body_bytes_max);
  return size <= limits.small_body_bytes || large.take(static_cast<std::size_t>(size), limits.large_bodies_bytes);
}

// Reads one request; answers what cannot be read and gives false when the connection is to end.
asio::awaitable<bool> HttpServer::Impl::receive(ConnectionPtr connection, beast::flat_buffer& buffer, Parser& parser,
                                                LargeBody& large) {
  beast::tcp_stream& stream = connection->stream;
  if (buffer.size() == 0) {
    // A wait of its own for the first byte: an idle connection may stay, a slow request may not.
    stream.expires_after(limits.idle);
    auto space = buffer.prepare(4096);
    auto [failure, size] = co_await stream.async_read_some(space, kTuple);
    if (failure) co_return false;
    buffer.commit(size);
  }
  stream.expires_after(limits.receive);
  auto [header_failure, header_size] = co_await http::async_read_header(stream, buffer, parser, kTuple);
  static_cast<void>(header_size);
  boost::system::error_code failure = header_failure;
  if (!failure && !has_room(parser, large)) {
    HttpResponse crowded = json_error(503, "Overloaded", "too many large requests are arriving");
    co_await refuse(connection, std::move(crowded));
    co_return false;
  }
  if (!failure && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> proceed(http::status::continue_, parser.get().version());
    auto [ignored, ignored_size] = co_await http::async_write(stream, proceed, kTuple);
    static_cast<void>(ignored);
    static_cast<void>(ignored_size);
  }
  if (!failure && !parser.is_done()) {
    auto [body_failure, body_size] = co_await http::async_read(stream, buffer, parser, kTuple);
    static_cast<void>(body_size);
    failure = body_failure;
  }
  if (!failure) co_return true;
  if (failure == beast::error::timeout) {  // the stream has closed its socket
    refusals.note("http: closed a connection", connection->remote, "a request took too long to arrive");
    co_return false;
  }
  HttpResponse refusal = text_error(400, "malformed HTTP request: " + failure.message());
  if (failure == http::error::body_limit) {
    refusal = text_error(413, "length limit exceeded");
  } else if (failure == http::error::header_limit) {
    refusal = text_error(431, "header fields too large");
  } else if (failure == http::error::end_of_stream || failure == asio::error::connection_reset ||
             failure == asio::error::eof || failure == http::error::partial_message ||
             failure == asio::error::operation_aborted) {
    co_return false;
  }
  co_await refuse(connection, std::move(refusal));
  co_return false;
}

// Hands the request over and waits for `respond`, at most limits.answer.
asio::awaitable<HttpResponse> HttpServer::Impl::ask(ConnectionPtr connection, Parser& parser) {
  HttpRequestId id = next_id++;
  waiting.emplace(id, connection);
  connection->response.reset();
  connection->answered.expires_after(limits.answer);
  on_request(id, to_request(parser));
  if (!connection->response && !connection->source && !stopped) {
    auto [ignored] = co_await connection->answered.async_wait(kTuple);
    static_cast<void>(ignored);
  }
  waiting.erase(id);
  if (connection->response) {
    HttpResponse response = std::move(*connection->response);
    connection->response.reset();
    co_return response;
  }
  HttpResponse none;
  if (connection->source) co_return none;
  HttpResponse late = json_error(503, "Unavailable", "no answer in time");
  co_return late;
}

asio::awaitable<bool> HttpServer::Impl::send(ConnectionPtr connection, HttpResponse response, unsigned version,
                                             bool keep_alive) {
  auto message = to_message(std::move(response), version, keep_alive);
  connection->stream.expires_after(limits.send);
  auto [failure, size] = co_await http::async_write(connection->stream, message, kTuple);
  static_cast<void>(size);
  co_return !failure;
}

asio::awaitable<bool> HttpServer::Impl::write_text(ConnectionPtr connection, const std::string& text) {
  connection->stream.expires_after(limits.send);
  auto bytes = asio::buffer(text);
  auto [failure, size] = co_await asio::async_write(connection->stream, bytes, kTuple);
  static_cast<void>(size);
  co_return !failure;
}

// The length is not known, so that the end of the connection is the end of the body.
asio::awaitable<void> HttpServer::Impl::send_stream(ConnectionPtr connection, HttpServer::StreamSource source) {
  std::string text =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
  ++streams;
  connection->stream.socket().async_wait(tcp::socket::wait_read, [connection](boost::system::error_code) {
    connection->is_over = true;
    connection->answered.cancel();
  });
  bool is_open = true;
  while (is_open && !connection->is_over && !stopped) {
    text += source();
    if (!text.empty()) is_open = co_await write_text(connection, text);
    text.clear();
    connection->answered.expires_after(limits.stream_interval);
    auto [ignored] = co_await connection->answered.async_wait(kTuple);
    static_cast<void>(ignored);
  }
  --streams;
  boost::system::error_code ignored;
  connection->stream.socket().cancel(ignored);  // else the wait above would keep the connection
}

// Answers a request that was not read to its end, then reads on for a moment: closing with unread bytes would reset the
// connection and take the answer with it.
asio::awaitable<void> HttpServer::Impl::refuse(ConnectionPtr connection, HttpResponse response) {
  refusals.note("http: refused a request with " + std::to_string(response.status), connection->remote, response.body);
  bool sent = co_await send(connection, std::move(response), 11, false);
  if (!sent) co_return;
  boost::system::error_code ignored;
  connection->stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  std::array<char, 16 * 1024> sink;
  connection->stream.expires_after(std::chrono::seconds(2));
  for (std::size_t drained = 0; drained < 8 * 1024 * 1024;) {
    auto [failure, size] = co_await connection->stream.async_read_some(asio::buffer(sink), kTuple);
    if (failure) co_return;
    drained += size;
  }
}

HttpServer::HttpServer(asio::io_context& context, const std::string& host, std::uint16_t port, HttpLimits limits,
                       OnRequest on_request)
    : impl_(std::make_shared<Impl>(context, limits, std::move(on_request))) {
  impl_->listen(host, port);
  asio::co_spawn(context, impl_->accept_loop(), &end_with);
}

HttpServer::~HttpServer() {
  stop();
}

std::uint16_t HttpServer::port() const {
  return impl_->acceptor.local_endpoint().port();
}

void HttpServer::respond(HttpRequestId id, HttpResponse response) {
  auto entry = impl_->waiting.find(id);
  if (entry == impl_->waiting.end()) return;
  entry->second->response = std::move(response);
  entry->second->answered.cancel();
}

void HttpServer::stream(HttpRequestId id, StreamSource source) {
  auto entry = impl_->waiting.find(id);
  if (entry == impl_->waiting.end()) return;
  if (impl_->streams >= impl_->limits.streams_max) {
    return respond(id, json_error(503, "Overloaded", "too many clients listen to events"));
  }
  entry->second->source = std::move(source);
  entry->second->answered.cancel();
}

void HttpServer::stop() {
  if (impl_->stopped) return;
  impl_->stopped = true;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  for (auto& [pointer, connection] : impl_->open) {
    connection->answered.cancel();
    connection->stream.socket().close(ignored);
  }
}

std::size_t HttpServer::connections() const {
  return impl_->open.size();
}
std::uint64_t HttpServer::refused_connections() const {
  return impl_->refused;
}

}  // namespace kms::node::io
