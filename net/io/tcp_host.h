// The sockets of a Host: TCP listeners, dials, one reader and one writer per connection, and its timer, on the thread
// that runs the io_context. Decides nothing; every deadline is the host's.
//
// TCP_NODELAY, keepalive after 30 s. Dials are not bound to the listening port (no SO_REUSEPORT): two nodes that dial
// each other at once get two connections instead of a simultaneous open.
#pragma once

#include <functional>
#include <memory>

#include "net/host.h"

namespace boost::asio {
class io_context;
}

namespace kms::net::io {

struct TcpHostOptions {
  HostOptions host;
  // /ip4|ip6/ADDRESS/tcp/PORT; port 0 takes a free one. Empty: only dials.
  std::vector<Multiaddr> listen;
  // What identify says instead of the listening addresses. Without it, the interfaces' addresses stand for an
  // unspecified one (0.0.0.0, ::).
  std::vector<Multiaddr> announce;
};

class TcpHost {
 public:
  // Called on the io_context's thread, never from inside a call to the host.
  using OnEvents = std::function<void(std::vector<HostEvent>&&)>;

  // Throws std::runtime_error that names the address when it cannot listen. `identity` and `entropy` outlive it.
  TcpHost(boost::asio::io_context& context, const Identity& identity, TcpHostOptions options, Entropy& entropy,
          OnEvents on_events);
  ~TcpHost();
  TcpHost(const TcpHost&) = delete;
  TcpHost& operator=(const TcpHost&) = delete;

  // With the real ports and without /p2p/.
  const std::vector<Multiaddr>& listen_addresses() const;
  // For calls of the node, on the io_context's thread. Their effects are applied at the end of the current turn of the
  // event loop: small messages of one turn share writes.
  Host& host();
  const Host& view() const;

  // Closes the listeners and, with a GOAWAY, all connections; `stopped` is called when the last bytes are written or
  // one second has passed. The host keeps its state but gets no more inputs.
  void stop(std::function<void()> stopped);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace kms::net::io
