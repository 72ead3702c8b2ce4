// Keccak-256 with the original padding, as Ethereum uses it (OpenSSL 3.0 has only SHA-3's padding).
#pragma once

#include "base/bytes.h"

namespace kms::crypto {

Hash32 keccak256(ByteView bytes);

// The last 20 bytes of keccak256(x || y).
struct Address {
  ByteArray<20> bytes{};
  static Result<Address> parse(std::string_view hex);  // 40 hex digits, any case, with or without 0x
  std::string hex() const { return to_0x(bytes); }     // lower-case
  auto operator<=>(const Address&) const = default;
};

}  // namespace kms::crypto
