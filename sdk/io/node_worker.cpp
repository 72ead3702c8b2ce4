#include "sdk/io/node_worker.h"

namespace kms::sdk::io {

NodeWorker::NodeWorker(NodeUrl url, HttpLimits limits)
    : url_(url), client_(std::move(url), limits), thread_([this] { work(); }) {}

NodeWorker::~NodeWorker() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_one();
  client_.give_up();
  thread_.join();
}

bool NodeWorker::start(HttpCall call, OnAnswer on_answer) {
  {
    std::lock_guard lock(mutex_);
    if (is_busy_) return false;
    is_busy_ = true;
    next_.emplace(std::move(call), std::move(on_answer));
  }
  changed_.notify_one();
  return true;
}

void NodeWorker::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_ending_ || next_; });
    if (is_ending_) return;
    auto [call, on_answer] = std::move(*next_);
    next_.reset();
    lock.unlock();
    auto answer = client_.send(call);
    lock.lock();
    is_busy_ = false;
    lock.unlock();
    on_answer(std::move(answer));
    lock.lock();
  }
}

}  // namespace kms::sdk::io
