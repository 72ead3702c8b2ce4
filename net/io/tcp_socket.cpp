#include "net/io/tcp_socket.h"

#include <array>
#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/socket_base.hpp>

namespace kms::net::io {

namespace {

constexpr int kReadsInARow = 2;  // then the other sockets have their turn
constexpr std::size_t kBuffersPerWrite = 8;
constexpr std::chrono::seconds kCloseDeadline{1};
constexpr int kKeepaliveSeconds = 30;

using KeepaliveIdle = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepaliveInterval = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;

}  // namespace

Multiaddr multiaddr_of(const Tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return Multiaddr::of_tcp(bytes, endpoint.port());
  }
  const auto bytes = address.to_v6().to_bytes();
  return Multiaddr::of_tcp(bytes, endpoint.port());
}

TcpSocket::TcpSocket(Tcp::socket socket, Bytes& shared_buffer)
    : socket_(std::move(socket)), deadline_(socket_.get_executor()), buffer_(shared_buffer) {}

void TcpSocket::start(Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  boost::system::error_code ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  socket_.set_option(KeepaliveIdle(kKeepaliveSeconds), ignored);
  socket_.set_option(KeepaliveInterval(kKeepaliveSeconds), ignored);
  socket_.non_blocking(true, ignored);
  wait_readable();
}

void TcpSocket::wait_readable() {
  socket_.async_wait(Tcp::socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (self->over_ || self->closing_) return;
    if (error) {
      self->fail(error);
    } else {
      self->read_available();
    }
  });
}

void TcpSocket::read_available() {
  for (int i = 0; i < kReadsInARow; ++i) {
    boost::system::error_code error;
    const std::size_t size = socket_.read_some(boost::asio::buffer(buffer_), error);
    if (error == boost::asio::error::would_block) break;
    if (error) {
      fail(error);
      return;
    }
    callbacks_.received(ByteView(buffer_).first(size));
    if (over_ || closing_) return;
    if (size < buffer_.size()) break;
  }
  wait_readable();
}

void TcpSocket::write(Bytes bytes) {
  if (over_ || bytes.empty()) return;
  queue_.push_back(std::move(bytes));
  if (!writing_) write_next();
}

void TcpSocket::write_next() {
  std::array<boost::asio::const_buffer, kBuffersPerWrite> buffers;
  std::size_t count = 0;
  for (const auto& bytes : queue_) {
    if (count == buffers.size()) break;
    buffers[count++] = boost::asio::buffer(bytes);
  }
  writing_ = true;
  // The operation keeps the array, so it has to own it; unused places are empty buffers.
  socket_.async_write_some(buffers,
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                             self->writing_ = false;
                             if (self->over_) return;
                             if (error) {
                               self->fail(error);
                             } else {
                               self->written(size);
                             }
                           });
}

void TcpSocket::written(std::size_t size) {
  for (std::size_t left = size; left > 0;) {
    Bytes& front = queue_.front();
    if (left < front.size()) {
      front.erase(front.begin(), front.begin() + static_cast<std::ptrdiff_t>(left));
      break;
    }
    left -= front.size();
    queue_.pop_front();
  }
  if (!queue_.empty()) write_next();
  if (closing_) {
    if (queue_.empty()) finish_closing();
  } else {
    callbacks_.sent(size);
  }
}

void TcpSocket::fail(const boost::system::error_code& error) {
  if (closing_) {
    finish_closing();
    return;
  }
  // The callback may hold the last reference.
  const auto self = shared_from_this();
  const auto failed = std::move(callbacks_.failed);
  abandon();
  if (failed) failed(error == boost::asio::error::eof ? "the peer closed the connection" : error.message());
}

void TcpSocket::close_after_queue(std::function<void()> done) {
  if (over_) {
    done();
    return;
  }
  callbacks_ = {};
  closing_ = true;
  done_ = std::move(done);
  if (queue_.empty()) {
    finish_closing();
    return;
  }
  deadline_.expires_after(kCloseDeadline);
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
    if (!self->over_) self->finish_closing();
  });
}

void TcpSocket::finish_closing() {
  const auto done = std::move(done_);
  boost::system::error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_both, ignored);
  abandon();
  if (done) done();
}

void TcpSocket::abandon() {
  over_ = true;
  callbacks_ = {};
  done_ = {};
  queue_.clear();
  boost::system::error_code ignored;
  socket_.close(ignored);
  deadline_.cancel();
}

}  // namespace kms::net::io
