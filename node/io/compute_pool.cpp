#include "node/io/compute_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/io/os_entropy.h"

namespace kms::node::io {

struct ComputePool::Impl : std::enable_shared_from_this<ComputePool::Impl> {
  Impl(boost::asio::io_context& context_in, OnDone on_done_in) : context(context_in), on_done(std::move(on_done_in)) {}

  boost::asio::io_context& context;
  OnDone on_done;
  std::mutex mutex;
  std::condition_variable waiting;
  std::deque<delegation::Job> queue;
  std::deque<delegation::Job> done;  // one posted drain takes all of them
  bool stopped = false;
  std::vector<std::thread> threads;

  void work();
  void drain();
};

void ComputePool::Impl::work() {
  kms::io::OsEntropy entropy;
  std::unique_lock lock(mutex);
  while (true) {
    waiting.wait(lock, [&] { return stopped || !queue.empty(); });
    if (stopped) return;
    delegation::Job job = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    delegation::run(job, entropy);
    lock.lock();
    bool first = done.empty();
    done.push_back(std::move(job));
    if (first && !stopped) {
      boost::asio::post(context, [self = shared_from_this()] { self->drain(); });
    }
  }
}

void ComputePool::Impl::drain() {
  std::deque<delegation::Job> finished;
  {
    std::lock_guard lock(mutex);
    if (stopped) return;
    finished.swap(done);
  }
  for (delegation::Job& job : finished) on_done(std::move(job));
}

ComputePool::ComputePool(boost::asio::io_context& context, std::size_t threads, OnDone on_done)
    : impl_(std::make_shared<Impl>(context, std::move(on_done))) {
  for (std::size_t i = 0; i < threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
  }
}

ComputePool::~ComputePool() {
  stop();
}

void ComputePool::submit(std::vector<delegation::Job>&& jobs) {
  if (jobs.empty()) return;
  {
    std::lock_guard lock(impl_->mutex);
    for (delegation::Job& job : jobs) impl_->queue.push_back(std::move(job));
  }
  if (jobs.size() == 1) {
    impl_->waiting.notify_one();
  } else {
    impl_->waiting.notify_all();
  }
}

void ComputePool::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->stopped) return;
    impl_->stopped = true;
    impl_->queue.clear();
  }
  impl_->waiting.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->done.clear();
}

}  // namespace kms::node::io
