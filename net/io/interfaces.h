// The addresses of this machine's network interfaces.
#pragma once

#include <optional>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace kms::net::io {

enum class IpFamily { v4, v6 };

// Of interfaces that are up, without loopback and link-local ones, at most 8; empty if the system does not tell.
std::vector<boost::asio::ip::address> interface_addresses(IpFamily family);

}  // namespace kms::net::io
