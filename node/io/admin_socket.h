// The operator's door: HTTP/1.1 on a Unix socket that only this node's user may open. The file's mode (0600) and the
// caller's user id, asked of the kernel, are both checked. Beast stays in the .cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "node/http.h"

namespace boost::asio {
class io_context;
}

namespace kms::node::io {

class AdminSocket {
 public:
  static constexpr std::size_t kConnectionsMax = 8;
  static constexpr std::size_t kBodyBytesMax = 2 * 1024 * 1024;  // a network file of 1 MiB as a JSON string
  static constexpr std::size_t kPathBytesMax = 107;              // of a Unix socket, by the kernel

  // On the io_context's thread, once per request.
  using OnRequest = std::function<HttpResponse(HttpRequest&&)>;

  // Takes the place of a socket that nobody listens on any more. Throws std::runtime_error that names the path when it
  // cannot listen there.
  AdminSocket(boost::asio::io_context& context, std::string path, OnRequest on_request);
  ~AdminSocket();
  // Closes everything and removes the file.
  void stop();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace kms::node::io
