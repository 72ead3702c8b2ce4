// Everything a node must know about its network before it can take part, in the types of dkg/. Made from the network
// file (registry/) or, in solo mode, from the configuration.
#pragma once

#include <map>
#include <set>

#include "crypto/ecdsa.h"
#include "dkg/ceremony.h"

namespace kms::node {

// Whether the records hold all that this node has said (PROTOCOL.md 4.9).
enum class Disk : std::uint8_t { whole, rolled_back };

// A node that is or was a member of some epoch, or is to become one.
struct KnownNode {
  crypto::Point key;
  std::string name;                    // for people
  std::vector<std::string> addresses;  // multiaddrs from the network file; may be empty
};

// Of one epoch's committee. Name, network, key set and labels never change in the life of a key set.
struct NetworkTerms {
  std::string name;
  dkg::NetworkId network;
  dkg::KeySetId key_set;
  std::vector<dkg::Label> labels;  // one key each
  dkg::Committee members;
  std::vector<std::string> member_names;  // for people, by position - 1
  dkg::Threshold threshold;
  dkg::FileHash file;
  std::map<std::uint64_t, std::vector<crypto::Address>> gateways;  // who may ask, by chain id
  std::set<dkg::NodeId> form_a_entries;
  dkg::Genesis genesis = dkg::Genesis::automatic;
  dkg::Timing timing;
  std::optional<std::chrono::seconds> refresh_every =
      std::nullopt;                                                // none: the shares are never refreshed by the clock
  std::uint32_t epoch = 0;                                         // whose committee this is
  dkg::LowerThreshold lower = dkg::LowerThreshold::refused;        // than that of the epoch before
  dkg::RepairTicket repair_ticket = dkg::RepairTicket::needed;     // for a member that lost its share
  std::map<dkg::NodeId, std::vector<std::string>> addresses = {};  // where members can be dialled
  // Of the keys that epoch 0 imports, in the order of `labels` (PROTOCOL.md 12); empty: it generates them.
  std::vector<crypto::Point> imported = {};

  const std::string& name_of(dkg::Position position) const { return member_names[position - 1u]; }
};

}  // namespace kms::node
