// Either role of one multistream-select negotiation behind one interface.
#pragma once

#include <variant>

#include "net/multistream.h"

namespace kms::net {

class Negotiation {
 public:
  static Negotiation propose(std::vector<std::string> proposals) {
    return Negotiation(MultistreamInitiator(std::move(proposals)));
  }
  static Negotiation answer(std::vector<std::string> supported) {
    return Negotiation(MultistreamResponder(std::move(supported)));
  }

  NegotiationState feed(ByteView input) {
    return std::visit([&](auto& role) { return role.feed(input); }, role_);
  }
  NegotiationState state() const {
    return std::visit([](const auto& role) { return role.state(); }, role_);
  }
  const std::string& protocol() const {
    return std::visit([](const auto& role) -> const std::string& { return role.protocol(); }, role_);
  }
  const std::string& reason() const {
    return std::visit([](const auto& role) -> const std::string& { return role.reason(); }, role_);
  }
  Bytes take_output() {
    return std::visit([](auto& role) { return role.take_output(); }, role_);
  }
  Bytes take_leftover() {
    return std::visit([](auto& role) { return role.take_leftover(); }, role_);
  }
  bool is_ours() const { return std::holds_alternative<MultistreamInitiator>(role_); }

 private:
  using Role = std::variant<MultistreamInitiator, MultistreamResponder>;
  explicit Negotiation(Role role) : role_(std::move(role)) {}
  Role role_;
};

}  // namespace kms::net
