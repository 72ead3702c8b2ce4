// The node as a process: sockets, disk, threads and clock around NodeCore and net::Host. It decides nothing; it applies
// effects in order, a durable save before anything is published.
#pragma once

#include <functional>
#include <memory>

#include "net/discovery.h"
#include "net/io/tcp_host.h"
#include "net/object_exchange.h"
#include "node/io/http_server.h"
#include "node/node_core.h"
#include "node/peer_lists.h"
#include "node/store.h"

namespace kms::node::io {

struct RuntimeOptions {
  std::string http_host = "127.0.0.1";
  std::uint16_t http_port = 0;
  HttpLimits http;
  // Nothing: no p2p at all (solo).
  std::optional<net::io::TcpHostOptions> p2p;
  std::vector<net::Multiaddr> peers;
  PeerClasses classes;  // of those that operators listed
  net::DiscoveryOptions discovery;
  net::ObjectExchangeOptions objects;
  std::size_t compute_threads = 1;
  std::string node_key_file;  // beside which the store's progress is marked; empty: nowhere
  std::string admin_socket;   // path; empty: no orders can be given
  bool metrics = true;
};

class Runtime {
 public:
  // Everything given here outlives the runtime. `store` may be null in solo mode without state.
  Runtime(boost::asio::io_context& context, NodeCore core, delegation::CredentialsPtr credentials, Store* store,
          RuntimeOptions options, Entropy& entropy);
  ~Runtime();

  std::uint16_t http_port() const;
  std::vector<net::Multiaddr> p2p_addresses() const;
  // Whom to dial and who is what, instead of what was said before; everybody connected is judged again. An error (an
  // address that cannot be dialled) changes nothing.
  Result<void> set_peers(std::vector<net::Multiaddr> peers, PeerClasses listed);
  // Finishes what is quick, closes everything, then calls `stopped` on the io_context's thread.
  void stop(std::function<void()> stopped);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

// The names of architecture's topics: /kms/<network>/requests/1, ..
std::string topic_name(const std::string& network, Topic topic, const net::PeerId& entry);

}  // namespace kms::node::io
