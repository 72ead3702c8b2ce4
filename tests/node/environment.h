// Environment variables of a node as a test writes them, and a key and a gateway to put there.
#pragma once

#include "node/config.h"

namespace kms::node {

using Variables = std::map<std::string, std::string>;

inline constexpr char kKey[] = "0x0101010101010101010101010101010101010101010101010101010101010101";
inline constexpr char kGateway[] = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

inline Environment environment(const Variables& variables) {
  Environment out;
  for (const auto& [name, value] : variables) out.emplace(name, crypto::SecretBytes::copy_of(as_bytes(value)));
  return out;
}

}  // namespace kms::node
