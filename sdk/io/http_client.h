// One node over HTTP/1.1, one request at a time, with the connection kept between them. Beast stays in the .cpp.
#pragma once

#include <chrono>
#include <memory>

#include "sdk/http.h"
#include "sdk/node_url.h"

namespace kms::sdk::io {

struct HttpLimits {
  std::chrono::milliseconds connect{3'000};
  std::chrono::milliseconds answer{10'000};  // from the first byte sent to the last one received
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 4 * 1024 * 1024;
};

class HttpClient {
 public:
  explicit HttpClient(NodeUrl url, HttpLimits limits = {});
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  const NodeUrl& url() const;
  // Blocks for at most connect + answer. A kept connection that the node closed meanwhile is replaced once, and only if
  // no byte of an answer came. Every status is an answer; an error says what failed, and names the URL.
  Result<HttpAnswer> send(const HttpCall& call);
  // From another thread: the call on its way and all later ones end at once, with an error.
  void give_up();

 private:
  struct Impl;
  struct Running;
  std::unique_ptr<Impl> impl_;
  std::unique_ptr<Running> running_;
};

}  // namespace kms::sdk::io
