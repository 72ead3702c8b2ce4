// The gate before authentication: how many inbound upgrades may be in flight, in all and from one IP address, and how
// fast one address may connect. Bounded memory: addresses without open upgrades and with a full budget are forgotten.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/multiaddr.h"

namespace kms::net {

enum class LoopbackLimit : std::uint8_t {
  exempt,
  same
};  // exempt: per-address limits do not hold for 127.0.0.0/8, ::1

struct GateOptions {
  std::size_t upgrades_max = 64;
  std::size_t upgrades_reserved = 16;  // of these, for addresses of members
  std::size_t upgrades_per_ip_max = 8;
  std::uint32_t accepts_per_second = 5;  // of one address
  std::uint32_t accepts_burst = 20;
  std::size_t addresses_max = 4096;  // remembered; more new ones are refused until budgets refill
  LoopbackLimit loopback = LoopbackLimit::exempt;
};

enum class Caller : std::uint8_t { stranger, member };  // by its address: before Noise nothing else is known

// The ip4 or ip6 part of an address as its bytes; an IPv6 address counts by its /64. Empty for others.
std::string gate_key_of(const Multiaddr& remote);

// By what peers on one address are counted together (LIBP2P.md 8.7, P6): the gate's key, or nothing for loopback,
// private and link-local addresses.
std::string address_group_of(const Multiaddr& remote);

class Gate {
 public:
  explicit Gate(GateOptions options = {}) : options_(options) {}

  // Counts one upgrade; call `finished` with the same arguments when it is over. An error names the limit.
  Result<void> admit(const std::string& key, Caller caller, Instant now);
  void finished(const std::string& key, Caller caller);
  // Whether limits of one address do not hold for this one.
  bool is_exempt(const std::string& key) const;
  std::size_t in_flight() const { return in_flight_; }
  std::size_t remembered() const { return addresses_.size(); }

 private:
  struct Address {
    std::size_t upgrades = 0;
    Duration budget{};  // tokens as refill time
    Instant refilled;
  };
  void refill(Address& address, Instant now) const;
  void forget_idle(Instant now);
  Duration token() const { return Duration(1s) / options_.accepts_per_second; }
  Duration full() const { return token() * options_.accepts_burst; }

  GateOptions options_;
  std::map<std::string, Address> addresses_;
  std::size_t in_flight_ = 0, strangers_in_flight_ = 0;
};

}  // namespace kms::net
