// Who is a member and who may ask: what the rest of the node knows of the network's membership. A value, so that
// whoever decides keeps one consistent picture; a changed file or chain makes another value.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/ecdsa.h"

namespace kms::registry {

struct Member {
  Hash32 node_id{};  // Keccak-256(x || y) of the key
  crypto::Point key;
  std::string name;                    // what operators call it; may be empty
  std::vector<std::string> addresses;  // multiaddrs as text, where to dial it; may be empty

  crypto::Address address() const { return crypto::address_of(key); }
};

// One key of the key set: what it is for and whose requests are answered.
struct Chain {
  std::uint64_t id = 0;                     // 1 .. 2^63 - 1
  crypto::Address contract{};               // zeros if the key serves none
  std::vector<crypto::Address> gateways;    // who may sign an authorisation; never empty
  std::optional<crypto::Point> public_key;  // what operators pinned; an imported key must equal it
};

class Registry {
 public:
  // `members` strictly increasing by node id, `chains` by id; entries are members.
  Registry(std::vector<Member> members, std::vector<Chain> chains, std::set<Hash32> form_a_entries);

  // In committee order: by node id, so that position i of the committee is members()[i - 1].
  const std::vector<Member>& members() const { return members_; }
  // Null for strangers.
  const Member* find(const Hash32& node_id) const;
  const Member* find(const crypto::Point& key) const { return find(crypto::node_id_of(key)); }
  bool is_member(const Hash32& node_id) const { return find(node_id) != nullptr; }
  bool is_member(const crypto::Point& key) const { return find(key) != nullptr; }

  // In the order of the key set's labels: by chain id.
  const std::vector<Chain>& chains() const { return chains_; }
  // Null if the network has no key for that chain.
  const Chain* chain(std::uint64_t id) const;
  std::set<std::uint64_t> chain_ids() const;
  // The addresses whose authorisations are answered; empty for an unknown chain.
  std::vector<crypto::Address> gateways(std::uint64_t chain_id) const;

  // Members that may be the entry of a form A delegation, and so learn what passes through it. Empty: form A is off.
  const std::set<Hash32>& form_a_entries() const { return form_a_entries_; }
  bool may_enter_form_a(const Hash32& node_id) const { return form_a_entries_.contains(node_id); }

 private:
  std::vector<Member> members_;
  std::vector<Chain> chains_;
  std::set<Hash32> form_a_entries_;
};

}  // namespace kms::registry
