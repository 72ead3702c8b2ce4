#include "net/io/interfaces.h"

#include <cstring>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>

namespace kms::net::io {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kAddressesMax = 8;

std::optional<asio::ip::address> address_of(const ifaddrs& entry, IpFamily family) {
  if (entry.ifa_addr == nullptr || (entry.ifa_flags & IFF_UP) == 0) return std::nullopt;
  if (family == IpFamily::v4 && entry.ifa_addr->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, entry.ifa_addr, sizeof in);
    return asio::ip::address_v4(ntohl(in.sin_addr.s_addr));
  }
  if (family == IpFamily::v6 && entry.ifa_addr->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, entry.ifa_addr, sizeof in);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    const asio::ip::address_v6 address(bytes);
    if (address.is_link_local()) return std::nullopt;
    return address;
  }
  return std::nullopt;
}

}  // namespace

std::vector<asio::ip::address> interface_addresses(IpFamily family) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::vector<asio::ip::address> out;
  for (const ifaddrs* entry = list; entry != nullptr && out.size() < kAddressesMax; entry = entry->ifa_next) {
    const auto address = address_of(*entry, family);
    if (address && !address->is_loopback() && !address->is_unspecified()) out.push_back(*address);
  }
  return out;
}

}  // namespace kms::net::io
