// Whose connections are counted together: one IPv4 address, or one /64 of IPv6, which is what a single customer has.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace kms::node::io {

// IPv4 in IPv6 is IPv4.
boost::asio::ip::address client_group(const boost::asio::ip::address& address);

}  // namespace kms::node::io
