// testnet.json, written by testnet/up: a network of real processes on one machine.
#pragma once

#include <vector>

#include "crypto/ecdsa.h"
#include "sdk/node_url.h"

namespace kms::cli {

inline constexpr std::size_t kTestnetFileBytesMax = 1024 * 1024;
inline constexpr std::size_t kNodesMax = 128;

struct TestnetNode {
  std::uint32_t index = 0;
  sdk::NodeUrl http;
  std::string folder;  // of its settings and data; may be empty
  int pid = 0;         // as it was started; 0: the file does not say
};

struct TestnetKey {
  std::uint64_t chain_id = 0;
  crypto::Point public_key;
};

struct Testnet {
  std::string network;
  std::uint32_t threshold = 0;
  std::vector<TestnetNode> nodes;  // 1 to 128, as in the file
  std::vector<TestnetKey> keys;    // may be none
  crypto::SecretScalar gateway_key;
  crypto::Address signer;

  // `file_name` is for errors. The gateway's key of a test network lies in the open, so it may pass through JSON.
  static Result<Testnet> parse(std::string_view text, const std::string& file_name);
};

}  // namespace kms::cli
