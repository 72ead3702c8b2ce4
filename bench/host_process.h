// A real TcpHost on loopback for the benchmarks that use sockets: one io_context, one thread.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/io/os_entropy.h"
#include "base/io/system_clock.h"
#include "net/io/tcp_host.h"

namespace kms::bench {

class HostProcess {
 public:
  using OnEvent = std::function<void(net::HostEvent&)>;
  // Listens on a free port of 127.0.0.1.
  explicit HostProcess(net::HostOptions options, OnEvent on_event)
      : identity_(net::Identity::generate(entropy_)),
        host_(context_, identity_, listening(std::move(options)), entropy_,
              [on_event = std::move(on_event)](std::vector<net::HostEvent>&& events) {
                for (auto& event : events) on_event(event);
              }) {}

  // With /p2p/.
  std::string address() const { return host_.listen_addresses().front().with_peer_id(identity_.peer_id()).text(); }
  void dial(const std::string& address) {
    KMS_ASSERT(host().dial(net::Multiaddr::parse_text(address).value(), now()).has_value());
  }
  net::Host& host() { return host_.host(); }
  const net::Host& view() const { return host_.view(); }
  Now now() const { return io::system_now(); }
  boost::asio::io_context& context() { return context_; }
  // Until `context().stop()`.
  void run() {
    context_.restart();
    context_.run();
  }
  void run_for(Duration time) {
    context_.restart();
    context_.run_for(time);
  }
  void run_until(const std::function<bool()>& is_done) {
    while (!is_done()) run_for(Duration(1ms));
  }

 private:
  static net::io::TcpHostOptions listening(net::HostOptions options) {
    net::io::TcpHostOptions out;
    out.host = std::move(options);
    out.listen = {net::Multiaddr::parse_text("/ip4/127.0.0.1/tcp/0").value()};
    return out;
  }

  boost::asio::io_context context_{1};
  io::OsEntropy entropy_;
  net::Identity identity_;
  net::io::TcpHost host_;
};

}  // namespace kms::bench
