#include "bench/bare_exchange.h"

#include <arpa/inet.h>
#include <array>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "bench/child.h"

namespace kms::bench {
namespace {

void make_prompt(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

sockaddr_in loopback_port(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void watch(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  KMS_ASSERT(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

// A kilobyte or two into a connection that carries nothing else goes whole.
void send_whole(int descriptor, const Bytes& bytes) {
  KMS_ASSERT(::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

// Reads what is there; true once `want` bytes have come.
bool has_all(int descriptor, std::size_t want, std::size_t& have, Bytes& space) {
  const ssize_t size = ::recv(descriptor, space.data(), space.size(), 0);
  if (size <= 0) return false;
  have += static_cast<std::size_t>(size);
  if (have < want) return false;
  have = 0;
  return true;
}

void serve(Lines& parent, const ExchangePlan& plan) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback_port(0);
  socklen_t size = sizeof address;
  KMS_ASSERT(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  KMS_ASSERT(::listen(listener, SOMAXCONN) == 0);
  KMS_ASSERT(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  parent.say(std::to_string(ntohs(address.sin_port)));
  const int epoll = ::epoll_create1(0);
  std::map<int, std::size_t> have;
  for (std::size_t i = 0; i < plan.connections; ++i) {
    const int descriptor = ::accept(listener, nullptr, nullptr);
    KMS_ASSERT(descriptor >= 0);
    make_prompt(descriptor);
    watch(epoll, descriptor);
    have[descriptor] = 0;
  }
  const Bytes response(plan.response_bytes, 'r');
  Bytes space(64 * 1024);
  std::array<epoll_event, 64> events;
  const double began = processor_seconds();
  while (!parent.has_line()) {  // one more system call a turn: dear only when nothing is to do
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 50);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (has_all(descriptor, plan.request_bytes, have[descriptor], space)) send_whole(descriptor, response);
    }
  }
  parent.say(std::to_string(processor_seconds() - began));
}

}  // namespace

ExchangeCost measure_bare_exchange(const ExchangePlan& plan) {
  Child server([&](Lines& parent) { serve(parent, plan); });
  const sockaddr_in address = loopback_port(static_cast<std::uint16_t>(std::stoi(server.lines().hear())));
  const int epoll = ::epoll_create1(0);
  std::map<int, std::size_t> have;
  const Bytes request(plan.request_bytes, 'q');
  for (std::size_t i = 0; i < plan.connections; ++i) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    KMS_ASSERT(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    make_prompt(descriptor);
    watch(epoll, descriptor);
    have[descriptor] = 0;
  }
  for (const auto& [descriptor, none] : have) send_whole(descriptor, request);
  ExchangeCost out;
  Bytes space(64 * 1024);
  std::array<epoll_event, 64> events;
  for (const double until = clock_seconds() + plan.seconds; clock_seconds() < until;) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 50);
    for (int i = 0; i < ready; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (!has_all(descriptor, plan.response_bytes, have[descriptor], space)) continue;
      ++out.exchanges;
      send_whole(descriptor, request);
    }
  }
  server.lines().say("stop");
  out.server_seconds = std::stod(server.lines().hear());
  for (const auto& [descriptor, none] : have) ::close(descriptor);
  ::close(epoll);
  return out;
}

}  // namespace kms::bench
