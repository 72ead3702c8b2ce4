#include "sdk/io/http_client.h"

#include <mutex>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace kms::sdk::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

using Request = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

Request to_message(const HttpCall& call, const NodeUrl& url) {
  Request message(http::string_to_verb(call.method), call.target, 11);
  message.set(http::field::host, url.text().substr(std::string_view("http://").size()));
  message.set(http::field::user_agent, "kmsctl/" KMS_VERSION);
  message.set(http::field::accept, "application/json");
  if (!call.authorization.empty()) message.set(http::field::authorization, call.authorization);
  if (!call.body.empty()) {
    message.set(http::field::content_type, "application/json");
    message.body() = call.body;
  }
  message.keep_alive(true);
  message.prepare_payload();
  return message;
}

}  // namespace

struct HttpClient::Impl {
  Impl(NodeUrl url_in, HttpLimits limits_in) : url(std::move(url_in)), limits(limits_in) {}

  NodeUrl url;
  HttpLimits limits;
  asio::io_context context{1};
  std::optional<beast::tcp_stream> stream;  // connected, between two answers
  beast::flat_buffer buffer;
  // Of the call that is running.
  error_code failure;
  std::string failed_at;
  bool answered_partly = false;
  HttpAnswer answer;

  asio::awaitable<bool> connect();
  asio::awaitable<bool> exchange(const HttpCall& call);
  asio::awaitable<void> run(const HttpCall& call);
  Error complaint() const;
};

asio::awaitable<bool> HttpClient::Impl::connect() {
  failed_at = "connect to";
  stream.emplace(context);
  buffer = beast::flat_buffer(limits.header_bytes_max + 64 * 1024);
  std::string service = std::to_string(url.port);
  error_code not_literal;
  auto literal = asio::ip::make_address(url.host, not_literal);
  stream->expires_after(limits.connect);
  if (!not_literal) {
    tcp::endpoint endpoint(literal, url.port);
    auto [refused] = co_await stream->async_connect(endpoint, kTuple);
    failure = refused;
    co_return !failure;
  }
  // The resolver has no deadline of its own; send() bounds the whole call.
  tcp::resolver resolver(context);
  auto [unknown, found] = co_await resolver.async_resolve(url.host, service, kTuple);
  if (unknown) {
    failure = unknown;
    co_return false;
  }
  auto [refused, endpoint] = co_await stream->async_connect(found, kTuple);
  static_cast<void>(endpoint);
  failure = refused;
  co_return !failure;
}

asio::awaitable<bool> HttpClient::Impl::exchange(const HttpCall& call) {
  Request message = to_message(call, url);
  stream->expires_after(limits.answer);
  failed_at = "send the request to";
  auto [unsent, sent] = co_await http::async_write(*stream, message, kTuple);
  static_cast<void>(sent);
  if (unsent) {
    failure = unsent;
    co_return false;
  }
  failed_at = "read the answer of";
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  parser.body_limit(limits.body_bytes_max);
  auto [unread, size] = co_await http::async_read(*stream, buffer, parser, kTuple);
  answered_partly = size > 0 || parser.got_some();
  if (unread) {
    failure = unread;
    co_return false;
  }
  answer.status = static_cast<int>(parser.get().result_int());
  bool is_kept = parser.get().keep_alive();
  answer.body = std::move(parser.get().body());
  if (!is_kept) stream.reset();
  co_return true;
}

asio::awaitable<void> HttpClient::Impl::run(const HttpCall& call) {
  answered_partly = false;
  failure = {};
  if (stream) {
    bool is_answered = co_await exchange(call);
    // Nodes close idle connections; nothing of an answer means that nothing was lost by asking again.
    if (is_answered || answered_partly || failure == beast::error::timeout) co_return;
  }
  bool is_connected = co_await connect();
  if (is_connected) {
    failure = {};
    bool is_answered = co_await exchange(call);
    static_cast<void>(is_answered);
  }
}

Error HttpClient::Impl::complaint() const {
  const std::string where = "cannot " + failed_at + " " + url.text() + ": ";
  const bool is_connecting = failed_at == "connect to";
  if (failure == beast::error::timeout) {
    const auto limit = is_connecting ? limits.connect : limits.answer;
    return error(where + "nothing within " + std::to_string(limit.count()) + " ms");
  }
  if (failure == http::error::body_limit) {
    return error(where + "it is longer than " + std::to_string(limits.body_bytes_max) + " bytes");
  }
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return error(where + "its header is longer than " + std::to_string(limits.header_bytes_max) + " bytes");
  }
  if (failure == http::error::partial_message || failure == http::error::end_of_stream || failure == asio::error::eof) {
    return error(where + "it was cut off");
  }
  return error(where + failure.message());
}

// What give_up may touch while send runs: the context, as long as it is the one that runs.
struct HttpClient::Running {
  std::mutex mutex;
  asio::io_context* context = nullptr;
  bool is_given_up = false;

  bool begin(asio::io_context& with) {
    std::lock_guard lock(mutex);
    if (!is_given_up) context = &with;
    return !is_given_up;
  }
  bool end() {
    std::lock_guard lock(mutex);
    context = nullptr;
    return !is_given_up;
  }
};

HttpClient::HttpClient(NodeUrl url, HttpLimits limits)
    : impl_(std::make_unique<Impl>(std::move(url), limits)), running_(std::make_unique<Running>()) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

void HttpClient::give_up() {
  std::lock_guard lock(running_->mutex);
  running_->is_given_up = true;
  if (running_->context != nullptr) running_->context->stop();
}

const NodeUrl& HttpClient::url() const {
  return impl_->url;
}

Result<HttpAnswer> HttpClient::send(const HttpCall& call) {
  impl_->context.restart();
  bool is_done = false;
  asio::co_spawn(impl_->context, impl_->run(call), [&](std::exception_ptr) { is_done = true; });
  if (running_->begin(impl_->context)) {
    impl_->context.run_for(2 * impl_->limits.connect + 2 * impl_->limits.answer);
  }
  const bool is_wanted = running_->end();
  if (!is_done) {
    // Given up, or a resolver that hangs: nothing else takes this long. The coroutine goes with the context it waits
    // on.
    NodeUrl url = impl_->url;
    HttpLimits limits = impl_->limits;
    impl_ = std::make_unique<Impl>(url, limits);
    if (!is_wanted) return error("the call to " + url.text() + " was given up");
    return error("cannot find the host of " + url.text() + " in time");
  }
  if (impl_->failure) {
    impl_->stream.reset();
    return impl_->complaint();
  }
  return std::move(impl_->answer);
}

}  // namespace kms::sdk::io
