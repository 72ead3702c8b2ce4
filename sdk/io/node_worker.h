// One node and the thread that talks to it, so that a caller can wait for several nodes at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "sdk/io/http_client.h"

namespace kms::sdk::io {

class NodeWorker {
 public:
  using OnAnswer = std::function<void(Result<HttpAnswer>)>;
  NodeWorker(NodeUrl url, HttpLimits limits);
  // Gives up the call on its way.
  ~NodeWorker();
  NodeWorker(const NodeWorker&) = delete;
  NodeWorker& operator=(const NodeWorker&) = delete;

  const NodeUrl& url() const { return url_; }
  // False, and nothing happens, while an earlier call is on its way. `on_answer` runs on the worker's thread, once.
  bool start(HttpCall call, OnAnswer on_answer);

 private:
  void work();

  NodeUrl url_;
  HttpClient client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::pair<HttpCall, OnAnswer>> next_;
  bool is_busy_ = false, is_ending_ = false;
  std::thread thread_;
};

}  // namespace kms::sdk::io
