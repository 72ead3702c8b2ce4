#include "sdk/io/node_pool.h"

#include <optional>
#include <thread>

#include "base/assert.h"

namespace kms::sdk::io {

NodePool::NodePool(const std::vector<NodeUrl>& urls, HttpLimits limits) {
  KMS_ASSERT(!urls.empty());
  for (const NodeUrl& url : urls) clients_.emplace_back(url, limits);
}

Result<PoolAnswer> NodePool::send(const HttpCall& call) {
  std::optional<PoolAnswer> refusal;
  std::string failures;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const std::size_t at = (first_ + i) % clients_.size();
    auto answer = clients_[at].send(call);
    if (!answer) {
      failures += (failures.empty() ? "" : "; ") + answer.error().message;
      continue;
    }
    if (answer->status != 503 && answer->status != 429) {
      first_ = at;
      return PoolAnswer{clients_[at].url(), std::move(*answer)};
    }
    if (!refusal) refusal = PoolAnswer{clients_[at].url(), std::move(*answer)};
  }
  if (refusal) return std::move(*refusal);
  return error(failures);
}

std::vector<Result<HttpAnswer>> send_to_each(const std::vector<NodeUrl>& urls, const HttpCall& call,
                                             HttpLimits limits) {
  std::vector<Result<HttpAnswer>> answers(urls.size(), error("not asked"));
  std::vector<std::thread> threads;
  threads.reserve(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(urls[i], limits);
      answers[i] = client.send(call);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return answers;
}

}  // namespace kms::sdk::io
