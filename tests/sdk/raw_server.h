// A server of raw bytes on 127.0.0.1 for tests of clients: it says exactly what a test tells it to, right or wrong.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "sdk/node_url.h"

namespace kms::tests {

// One connection; every wait ends when the server stops.
class RawConnection {
 public:
  RawConnection(int fd, const std::atomic<bool>& stopped) : fd_(fd), stopped_(stopped) {}
  ~RawConnection() { ::close(fd_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // A whole request with its body; empty when the client went away.
  std::string request() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n\r\n");
      if (end != buffer_.npos) {
        const std::size_t at = buffer_.find("Content-Length: ");
        const std::size_t body = at < end ? std::strtoul(buffer_.c_str() + at + 16, nullptr, 10) : 0;
        if (buffer_.size() >= end + 4 + body) {
          std::string out = buffer_.substr(0, end + 4 + body);
          buffer_.erase(0, out.size());
          return out;
        }
      }
      if (!receive()) return {};
    }
  }
  bool send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size() && !stopped_) {
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return sent == bytes.size();
  }
  bool answer(int status, const std::string& body) {
    return send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // Until the client closes or the server stops.
  void wait_for_end() {
    while (receive()) buffer_.clear();
  }

 private:
  bool receive() {
    while (!stopped_) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      char bytes[4096];
      const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
      if (n <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(n));
      return true;
    }
    return false;
  }

  int fd_;
  const std::atomic<bool>& stopped_;
  std::string buffer_;
};

class RawServer {
 public:
  // `serve` runs for each connection, on a thread of its own.
  explicit RawServer(std::function<void(RawConnection&)> serve) : serve_(std::move(serve)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 8) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    url_ = {"127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::thread([this] { accept_all(); });
  }
  ~RawServer() {
    stopped_ = true;
    thread_.join();
    ::close(fd_);
  }
  const sdk::NodeUrl& url() const { return url_; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    while (!stopped_) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0) continue;
      ++connections_;
      threads_.emplace_back([this, fd] {
        RawConnection connection(fd, stopped_);
        serve_(connection);
      });
    }
    for (std::thread& thread : threads_) thread.join();
  }

  std::function<void(RawConnection&)> serve_;
  int fd_ = -1;
  sdk::NodeUrl url_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> connections_{0};
  std::vector<std::thread> threads_;  // of thread_ only
  std::thread thread_;
};

// A port of 127.0.0.1 where nobody listens.
inline sdk::NodeUrl nobody() {
  RawServer server([](RawConnection&) {});
  return server.url();
}

}  // namespace kms::tests
