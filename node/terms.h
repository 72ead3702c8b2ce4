// Everything a node must know about its network before it can take part, in the types of dkg/. Made from the network
// file (registry/) or, in solo mode, from the configuration.
#pragma once

#include <map>
#include <set>

#include "crypto/ecdsa.h"
#include "dkg/ceremony.h"

namespace kms::node {

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
      std::nullopt;  // none: the shares are never refreshed by the clock

  const std::string& name_of(dkg::Position position) const { return member_names[position - 1u]; }
};

}  // namespace kms::node
