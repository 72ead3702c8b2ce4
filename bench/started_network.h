// A network of real nodes for one benchmark, of the binaries beside kms-bench, by testnet/start.py; its folder is
// temporary.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace kms::bench {

struct NetworkSize {
  std::size_t nodes = 5, threshold = 3;
  std::uint16_t base_port = 19000;
};

class StartedNetwork {
 public:
  // Waits for the key.
  static Result<StartedNetwork> start(const NetworkSize& size);
  StartedNetwork(StartedNetwork&& other) noexcept : folder_(std::move(other.folder_)) { other.folder_.clear(); }
  StartedNetwork& operator=(StartedNetwork&&) = delete;
  // Stops the nodes and deletes the folder.
  ~StartedNetwork();
  std::string testnet_file() const { return folder_ + "/testnet.json"; }

 private:
  explicit StartedNetwork(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace kms::bench
