// One TCP connection of a TcpHost: a writer with a queue, a reader into a shared buffer. Internal to net/io.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/bytes.h"
#include "net/multiaddr.h"

namespace kms::net::io {

using Tcp = boost::asio::ip::tcp;

Multiaddr multiaddr_of(const Tcp::endpoint& endpoint);

// Kept alive by its pending operations; the callbacks are dropped by `abandon` and `close_after_queue`.
class TcpSocket : public std::enable_shared_from_this<TcpSocket> {
 public:
  struct Callbacks {
    std::function<void(ByteView)> received;
    std::function<void(std::size_t)> sent;
    std::function<void(std::string)> failed;  // once; nothing follows
  };
  // `shared_buffer` outlives the reader: all sockets of a thread read into it in turn.
  TcpSocket(Tcp::socket socket, Bytes& shared_buffer);

  // TCP_NODELAY, keepalive; then reads.
  void start(Callbacks callbacks);
  void write(Bytes bytes);
  // Ends the reader, writes what is queued for at most one second, closes, then calls `done`.
  void close_after_queue(std::function<void()> done);
  // Now, without another callback.
  void abandon();

 private:
  void wait_readable();
  void read_available();
  void write_next();
  void written(std::size_t size);
  void fail(const boost::system::error_code& error);
  void finish_closing();

  Tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  Bytes& buffer_;
  std::deque<Bytes> queue_;
  bool writing_ = false;
  bool closing_ = false;
  bool over_ = false;
  Callbacks callbacks_;
  std::function<void()> done_;
};

}  // namespace kms::net::io
