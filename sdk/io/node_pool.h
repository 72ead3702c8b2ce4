// Several nodes of one network, any of which may answer.
#pragma once

#include <vector>

#include "sdk/io/http_client.h"

namespace kms::sdk::io {

struct PoolAnswer {
  NodeUrl node;
  HttpAnswer answer;
};

class NodePool {
 public:
  // At least one URL. Nodes are asked in this order.
  explicit NodePool(const std::vector<NodeUrl>& urls, HttpLimits limits = {});

  // From the first node that answers and is not overloaded or below quorum (429, 503), beginning with the one that
  // answered last. If none does: a 503 or 429 as it came, else an error that names what each node did.
  Result<PoolAnswer> send(const HttpCall& call);

 private:
  std::vector<HttpClient> clients_;
  std::size_t first_ = 0;
};

// The same call to every node at once; results in the order of `urls`.
std::vector<Result<HttpAnswer>> send_to_each(const std::vector<NodeUrl>& urls, const HttpCall& call,
                                             HttpLimits limits = {});

}  // namespace kms::sdk::io
