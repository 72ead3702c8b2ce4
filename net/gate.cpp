#include "net/gate.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::net {

std::string gate_key_of(const Multiaddr& remote) {
  for (const auto& part : remote.parts()) {
    if (part.code == Multiaddr::Code::ip4) return {part.value.begin(), part.value.end()};
    if (part.code == Multiaddr::Code::ip6) {
      static constexpr ByteArray<12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
      static constexpr ByteArray<16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
      if (equal(ByteView(part.value).first(12), kMapped)) return {part.value.begin() + 12, part.value.end()};
      if (equal(part.value, kLoopback)) return {part.value.begin(), part.value.end()};
      return {part.value.begin(), part.value.begin() + 8};
    }
  }
  return {};
}

std::string address_group_of(const Multiaddr& remote) {
  std::string key = gate_key_of(remote);
  auto byte = [&key](std::size_t at) { return static_cast<std::uint8_t>(key[at]); };
  if (key.size() == 4) {
    bool is_private = byte(0) == 10 || (byte(0) == 172 && byte(1) >> 4 == 1) || (byte(0) == 192 && byte(1) == 168);
    if (is_private || byte(0) == 127 || (byte(0) == 169 && byte(1) == 254)) return {};
  } else if (key.size() == 8) {
    if (byte(0) >> 1 == 0xfc >> 1 || (byte(0) == 0xfe && byte(1) >> 6 == 2)) return {};
  } else {
    return {};
  }
  return key;
}

bool Gate::is_exempt(const std::string& key) const {
  if (options_.loopback == LoopbackLimit::same) return false;
  return (key.size() == 4 && key[0] == 127) || key.size() == 16;
}

Result<void> Gate::admit(const std::string& key, Caller caller, Instant now) {
  const std::size_t strangers_max = options_.upgrades_max - std::min(options_.upgrades_max, options_.upgrades_reserved);
  if (in_flight_ >= options_.upgrades_max) {
    return error(std::to_string(in_flight_) + " connections are being upgraded already");
  }
  if (caller == Caller::stranger && strangers_in_flight_ >= strangers_max) {
    return error(std::to_string(strangers_in_flight_) + " connections of strangers are being upgraded already");
  }
  if (!is_exempt(key)) {
    auto at = addresses_.find(key);
    if (at == addresses_.end()) {
      if (addresses_.size() >= options_.addresses_max) forget_idle(now);
      // Members' addresses are few and bounded by their list.
      if (caller == Caller::stranger && addresses_.size() >= options_.addresses_max) {
        return error("too many addresses connected lately");
      }
      at = addresses_.emplace(key, Address{0, full(), now}).first;
    }
    Address& address = at->second;
    refill(address, now);
    if (address.upgrades >= options_.upgrades_per_ip_max) {
      return error(std::to_string(address.upgrades) + " connections of this address are being upgraded already");
    }
    if (address.budget < token()) return error("this address connects too often");
    address.budget -= token();
    ++address.upgrades;
  }
  ++in_flight_;
  if (caller == Caller::stranger) ++strangers_in_flight_;
  return {};
}

void Gate::finished(const std::string& key, Caller caller) {
  KMS_ASSERT(in_flight_ > 0);
  --in_flight_;
  if (caller == Caller::stranger) --strangers_in_flight_;
  if (const auto at = addresses_.find(key); at != addresses_.end() && at->second.upgrades > 0) --at->second.upgrades;
}

void Gate::refill(Address& address, Instant now) const {
  const Duration passed = std::max(Duration::zero(), std::min(now - address.refilled, full()));
  address.budget = std::min(full(), address.budget + passed);
  address.refilled = now;
}

void Gate::forget_idle(Instant now) {
  for (auto at = addresses_.begin(); at != addresses_.end();) {
    refill(at->second, now);
    const bool is_idle = at->second.upgrades == 0 && at->second.budget == full();
    at = is_idle ? addresses_.erase(at) : std::next(at);
  }
}

}  // namespace kms::net
