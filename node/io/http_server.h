// The HTTP/1.1 server: bounded, with a deadline on every wait. Beast stays in the .cpp.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "node/http.h"

namespace boost::asio {
class io_context;
}

namespace kms::node::io {

struct HttpLimits {
  std::size_t connections_max = 1024;             // beyond it a new connection is closed at once
  std::size_t connections_per_address_max = 512;  // an IPv6 /64 counts as one
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 2 * 1024 * 1024;  // 413 beyond it, as nox-kms
  // Bodies of more than small_body_bytes, and those of unknown size, share large_bodies_bytes (one always fits); 503
  // beyond it. So strangers that send slowly cannot fill the memory, and requests of the usual size always get in.
  std::size_t small_body_bytes = 16 * 1024;
  std::size_t large_bodies_bytes = 32 * 1024 * 1024;
  std::chrono::milliseconds idle{75'000};     // between two requests of a connection
  std::chrono::milliseconds receive{10'000};  // first byte to last byte of a request
  std::chrono::milliseconds answer{10'000};   // NodeCore's own deadlines are shorter; then 503
  std::chrono::milliseconds send{10'000};
  std::size_t streams_max = 64;                    // further ones are answered 503
  std::chrono::milliseconds stream_interval{500};  // how often a stream asks for more to send
};

using HttpRequestId = std::uint64_t;

class HttpServer {
 public:
  // Called on the io_context's thread, once per request; the answer goes to `respond`, now or later. What it throws
  // leaves io_context::run.
  using OnRequest = std::function<void(HttpRequestId, HttpRequest&&)>;

  // Throws std::runtime_error that names the address when it cannot listen. Port 0 takes a free one.
  HttpServer(boost::asio::io_context& context, const std::string& host, std::uint16_t port, HttpLimits limits,
             OnRequest on_request);
  ~HttpServer();

  std::uint16_t port() const;
  // What a stream sends next, empty if there is nothing; called on the io_context's thread.
  using StreamSource = std::function<std::string()>;
  // Answers with 200 and text/event-stream, and goes on until the client goes away or does not read for limits.send.
  void stream(HttpRequestId id, StreamSource source);
  // Unknown ids (the client went away, the deadline passed) are ignored.
  void respond(HttpRequestId id, HttpResponse response);
  // Closes the listener and all connections; pending requests are dropped.
  void stop();
  // For /metrics.
  std::size_t connections() const;
  std::uint64_t refused_connections() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace kms::node::io
