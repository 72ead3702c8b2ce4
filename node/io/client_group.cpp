#include "node/io/client_group.h"

#include <algorithm>

namespace kms::node::io {

namespace ip = boost::asio::ip;

ip::address client_group(const ip::address& address) {
  if (address.is_v4()) return address;
  const ip::address_v6 whole = address.to_v6();
  if (whole.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, whole);
  auto bytes = whole.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes);
}

}  // namespace kms::node::io
