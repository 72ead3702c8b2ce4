// Threads for jobs: pure work away from the thread that decides. Jobs come back on the io_context in the order they
// finish. The queue is bounded by the machines that make jobs (Collector, Responder), not here.
#pragma once

#include <functional>
#include <memory>

#include "node/delegation/jobs.h"

namespace boost::asio {
class io_context;
}

namespace kms::node::io {

class ComputePool {
 public:
  using OnDone = std::function<void(delegation::Job&&)>;  // on the io_context's thread

  ComputePool(boost::asio::io_context& context, std::size_t threads, OnDone on_done);
  ~ComputePool();

  void submit(std::vector<delegation::Job>&& jobs);
  // Waits for running jobs and drops the others.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace kms::node::io
