#include "net/io/tcp_host.h"

#include <stdexcept>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include "base/io/system_clock.h"
#include "net/io/interfaces.h"
#include "net/io/tcp_socket.h"

namespace kms::net::io {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using kms::io::system_now;

namespace {

constexpr std::size_t kReadBufferBytes = 256 * 1024;    // most Noise messages lie in it whole and are opened there
constexpr std::chrono::milliseconds kAcceptPause{100};  // after an error such as no free file descriptor
constexpr Duration kTimerStep = 1ms;

Tcp::endpoint endpoint_of(const TcpTarget& target) {
  return {asio::ip::make_address(target.host), target.port};
}

std::string refusal_text(const ErrorCode& error, const TcpTarget& target) {
  const std::string port = std::to_string(target.port);
  if (error == asio::error::address_in_use) {
    return "Address already in use: end the process that listens on TCP port " + port +
           " (ss -ltnp names it), or listen on another port (p2p.listen)";
  }
  if (error == asio::error::access_denied) {
    return "this process may not use TCP port " + port + ": take one from 1024 on, or grant CAP_NET_BIND_SERVICE";
  }
  if (error.value() == EADDRNOTAVAIL) {
    return "no interface of this machine has the address " + target.host + ": use one that `ip addr` shows, or " +
           (target.host_code == Multiaddr::Code::ip6 ? "::" : "0.0.0.0") + " for all";
  }
  return error.message();
}

bool is_address(const TcpTarget& target) {
  return target.host_code == Multiaddr::Code::ip4 || target.host_code == Multiaddr::Code::ip6;
}

}  // namespace

struct TcpHost::Impl : std::enable_shared_from_this<TcpHost::Impl> {
  struct Listener {
    Listener(asio::io_context& context, Tcp::endpoint endpoint) : acceptor(context), pause(context) {
      acceptor.open(endpoint.protocol());
      acceptor.set_option(Tcp::acceptor::reuse_address(true));
      if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true));
      acceptor.bind(endpoint);
      acceptor.listen();
    }
    Tcp::acceptor acceptor;
    asio::steady_timer pause;
  };
  // A dial that is not connected yet.
  struct Dial {
    explicit Dial(asio::io_context& context) : socket(context), resolver(context) {}
    Tcp::socket socket;
    Tcp::resolver resolver;
  };

  Impl(asio::io_context& io_context, const Identity& identity, TcpHostOptions options, Entropy& entropy,
       OnEvents events)
      : context(io_context),
        host(identity, std::move(options.host), entropy, system_now()),
        on_events(std::move(events)),
        timer(io_context),
        buffer(kReadBufferBytes) {}

  void listen(const std::vector<Multiaddr>& wanted, std::vector<Multiaddr> announce) {
    for (const auto& address : wanted) {
      const auto target = tcp_target_of(address);
      if (!target || !is_address(*target)) {
        throw std::runtime_error("cannot listen on " + address.text() + ": use /ip4/ADDRESS/tcp/PORT or /ip6/..");
      }
      try {
        listeners.push_back(std::make_shared<Listener>(context, endpoint_of(*target)));
      } catch (const boost::system::system_error& failed) {
        throw std::runtime_error("cannot listen on " + address.text() + ": " + refusal_text(failed.code(), *target));
      }
      const auto endpoint = listeners.back()->acceptor.local_endpoint();
      listening.push_back(multiaddr_of(endpoint));
      if (!endpoint.address().is_unspecified()) {
        specified.push_back(listening.back());
        continue;
      }
      const auto family = endpoint.address().is_v4() ? IpFamily::v4 : IpFamily::v6;
      for (const auto& own : interface_addresses(family)) {
        specified.push_back(multiaddr_of(Tcp::endpoint(own, endpoint.port())));
      }
    }
    host.set_listen_addresses(announce.empty() ? specified : std::move(announce), system_now());
  }

  void start() {
    for (const auto& listener : listeners) accept_next(listener);
    schedule();
  }

  void accept_next(const std::shared_ptr<Listener>& listener) {
    listener->acceptor.async_accept([self = shared_from_this(), listener](const ErrorCode& error, Tcp::socket socket) {
      if (self->is_stopping || error == asio::error::operation_aborted) return;
      if (error) {
        listener->pause.expires_after(kAcceptPause);
        listener->pause.async_wait([self, listener](const ErrorCode&) {
          if (!self->is_stopping) self->accept_next(listener);
        });
        return;
      }
      self->accepted(std::move(socket));
      self->accept_next(listener);
    });
  }

  void accepted(Tcp::socket socket) {
    ErrorCode error;
    const auto remote = socket.remote_endpoint(error);
    if (error) return;
    if (const auto id = host.accepted(multiaddr_of(remote), system_now())) adopt(*id, std::move(socket));
    schedule();
  }

  void adopt(ConnectionId id, Tcp::socket socket) {
    auto placed = std::make_shared<TcpSocket>(std::move(socket), buffer);
    sockets[id] = placed;
    TcpSocket::Callbacks callbacks;
    callbacks.received = [this, id](ByteView bytes) {
      host.received(id, bytes, system_now());
      schedule();
    };
    callbacks.sent = [this, id](std::size_t size) {
      host.sent(id, size, system_now());
      schedule();
    };
    callbacks.failed = [this, id](std::string reason) {
      sockets.erase(id);
      host.closed(id, std::move(reason), system_now());
      schedule();
    };
    placed->start(std::move(callbacks));
  }

  void dial(ConnectionId id, const TcpTarget& target) {
    auto started = std::make_shared<Dial>(context);
    dials[id] = started;
    if (is_address(target)) {
      started->socket.async_connect(
          endpoint_of(target), [self = shared_from_this(), id](const ErrorCode& error) { self->connected(id, error); });
      return;
    }
    const auto on_resolved = [self = shared_from_this(), id, started](const ErrorCode& error,
                                                                      const Tcp::resolver::results_type& found) {
      if (!self->dials.contains(id)) return;
      if (error) {
        self->connected(id, error);
        return;
      }
      // The operation looks at the socket again when it is cancelled, so it has to own it.
      asio::async_connect(started->socket, found, [self, id, started](const ErrorCode& failed, const Tcp::endpoint&) {
        self->connected(id, failed);
      });
    };
    if (target.host_code == Multiaddr::Code::dns4) {
      started->resolver.async_resolve(Tcp::v4(), target.host, std::to_string(target.port), on_resolved);
    } else if (target.host_code == Multiaddr::Code::dns6) {
      started->resolver.async_resolve(Tcp::v6(), target.host, std::to_string(target.port), on_resolved);
    } else {
      started->resolver.async_resolve(target.host, std::to_string(target.port), on_resolved);
    }
  }

  void connected(ConnectionId id, const ErrorCode& error) {
    const auto at = dials.find(id);
    if (at == dials.end()) return;
    const auto finished = at->second;
    dials.erase(at);
    ErrorCode gone;
    const auto remote = error ? Tcp::endpoint() : finished->socket.remote_endpoint(gone);
    if (error || gone) {
      host.dial_failed(id, (error ? error : gone).message(), system_now());
    } else {
      adopt(id, std::move(finished->socket));
      host.dialled(id, multiaddr_of(remote), system_now());
    }
    schedule();
  }

  void close(ConnectionId id) {
    if (const auto at = dials.find(id); at != dials.end()) {
      const auto dial = at->second;
      dials.erase(at);
      ErrorCode ignored;
      dial->resolver.cancel();
      dial->socket.close(ignored);
      return;
    }
    const auto at = sockets.find(id);
    if (at == sockets.end()) return;
    const auto socket = at->second;
    sockets.erase(at);
    closing[id] = socket;
    socket->close_after_queue([this, id] {
      closing.erase(id);
      report_stopped();
    });
  }

  // Once per turn of the event loop.
  void schedule() {
    if (std::exchange(is_scheduled, true)) return;
    asio::post(context, [self = shared_from_this()] { self->apply(); });
  }

  void apply() {
    is_scheduled = false;
    is_applying = true;
    auto effects = host.take_effects();
    for (auto& effect : effects.transport) {
      if (auto* wanted = std::get_if<DialSocket>(&effect)) {
        dial(wanted->id, wanted->target);
      } else if (auto* write = std::get_if<WriteSocket>(&effect)) {
        if (const auto at = sockets.find(write->id); at != sockets.end()) at->second->write(std::move(write->bytes));
      } else if (auto* over = std::get_if<CloseSocket>(&effect)) {
        close(over->id);
      }
    }
    is_applying = false;
    if (!effects.events.empty() && on_events) on_events(std::move(effects.events));
    if (!is_stopping) arm_timer();
  }

  void arm_timer() {
    const auto at = host.wakes_at();
    if (!at || (timer_at && *timer_at == *at)) return;
    timer_at = at;
    timer.expires_after(std::max(kTimerStep, *at - system_now().instant));
    timer.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (error || self->is_stopping) return;
      self->timer_at.reset();
      self->host.tick(system_now());
      self->schedule();
    });
  }

  void stop(std::function<void()> then) {
    if (is_stopping) return;
    is_stopping = true;
    stopped = std::move(then);
    timer.cancel();
    for (const auto& listener : listeners) {
      ErrorCode ignored;
      listener->acceptor.close(ignored);
      listener->pause.cancel();
    }
    host.close_all({CloseReason::requested, "the node stops"}, system_now());
    apply();
    report_stopped();
  }

  void report_stopped() {
    if (!is_stopping || is_applying || !closing.empty() || !stopped) return;
    asio::post(context, std::exchange(stopped, nullptr));
  }

  // No callback reaches this object or the node afterwards.
  void abandon() {
    is_stopping = true;
    on_events = nullptr;
    stopped = nullptr;
    timer.cancel();
    ErrorCode ignored;
    for (const auto& listener : listeners) {
      listener->acceptor.close(ignored);
      listener->pause.cancel();
    }
    for (const auto& [id, started] : dials) started->socket.close(ignored);
    for (const auto& [id, socket] : sockets) socket->abandon();
    for (const auto& [id, socket] : closing) socket->abandon();
    dials.clear();
    sockets.clear();
    closing.clear();
  }

  asio::io_context& context;
  Host host;
  OnEvents on_events;
  asio::steady_timer timer;
  std::optional<Instant> timer_at;
  Bytes buffer;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<Multiaddr> listening, specified;
  std::map<ConnectionId, std::shared_ptr<Dial>> dials;
  std::map<ConnectionId, std::shared_ptr<TcpSocket>> sockets, closing;
  bool is_scheduled = false;
  bool is_applying = false;
  bool is_stopping = false;
  std::function<void()> stopped;
};

TcpHost::TcpHost(asio::io_context& context, const Identity& identity, TcpHostOptions options, Entropy& entropy,
                 OnEvents on_events) {
  const auto listen = options.listen;
  auto announce = options.announce;
  impl_ = std::make_shared<Impl>(context, identity, std::move(options), entropy, std::move(on_events));
  impl_->listen(listen, std::move(announce));
  impl_->start();
}

TcpHost::~TcpHost() {
  impl_->abandon();
}

const std::vector<Multiaddr>& TcpHost::listen_addresses() const {
  return impl_->listening;
}

Host& TcpHost::host() {
  impl_->schedule();
  return impl_->host;
}

const Host& TcpHost::view() const {
  return impl_->host;
}

void TcpHost::stop(std::function<void()> stopped) {
  impl_->stop(std::move(stopped));
}

}  // namespace kms::net::io
