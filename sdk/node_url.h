// Where a node's HTTP interface is. Only http://: nodes speak plain HTTP, a proxy in front of them may add TLS.
#pragma once

#include "base/result.h"

namespace kms::sdk {

struct NodeUrl {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 80;

  // "http://HOST[:PORT][/]".
  static Result<NodeUrl> parse(std::string_view text);
  std::string text() const;  // without a slash at the end
  bool operator==(const NodeUrl&) const = default;
};

}  // namespace kms::sdk
