#include "sdk/io/admin_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace kms::sdk::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using local = asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr std::size_t kPathBytesMax = 107;
constexpr std::size_t kBodyBytesMax = 16 * 1024 * 1024;

std::string reason(const error_code& failure) {
  if (failure == boost::system::errc::permission_denied) return "only the node's own user, and root, may";
  if (failure == boost::system::errc::no_such_file_or_directory) return "there is no such socket; does the node run?";
  if (failure == boost::system::errc::connection_refused) return "nobody listens there; does the node run?";
  if (failure == http::error::end_of_stream) return "the node closed the connection; are you its user?";
  return failure.message();
}

}  // namespace

Result<HttpAnswer> send_to_socket(const std::string& path, const HttpCall& call, std::chrono::milliseconds limit) {
  if (path.empty() || path.size() > kPathBytesMax) {
    return error("the path of a Unix socket has 1 to " + std::to_string(kPathBytesMax) + " bytes: " + path);
  }
  asio::io_context context(1);
  beast::basic_stream<local> stream(context);
  error_code failure;
  stream.socket().connect(local::endpoint(path), failure);
  if (failure) return error("cannot connect to " + path + ": " + reason(failure));
  http::request<http::string_body> message(http::string_to_verb(call.method), call.target, 11);
  message.set(http::field::host, "localhost");
  if (!call.body.empty()) {
    message.set(http::field::content_type, "application/json");
    message.body() = call.body;
  }
  message.keep_alive(false);
  message.prepare_payload();
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kBodyBytesMax);
  bool is_done = false;
  const auto finished = [&](error_code ended, std::size_t) {
    failure = ended;
    is_done = true;
  };
  http::async_write(stream, message, [&](error_code unsent, std::size_t) {
    if (unsent) return finished(unsent, 0);
    http::async_read(stream, buffer, parser, finished);
  });
  context.run_for(limit);
  if (!is_done) return error(path + ": no answer within " + std::to_string(limit.count()) + " ms");
  if (failure) return error(path + ": " + reason(failure));
  return HttpAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

}  // namespace kms::sdk::io
