// A committee: members sorted by node id; a member's position in that list, from 1, is its evaluation point and is
// never supplied by a peer (PROTOCOL.md 3).
#pragma once

#include <optional>
#include <vector>

#include "crypto/ecdsa.h"
#include "dkg/ids.h"

namespace kms::dkg {

struct Member {
  NodeId node;  // Keccak-256(x || y) of the key
  crypto::Point key;
  static Member of(const crypto::Point& key);
  bool operator==(const Member&) const = default;
};

class Committee {
 public:
  // Sorts. 1 to 128 members; a key that stands twice is an error.
  static Result<Committee> make(const std::vector<crypto::Point>& keys);
  // From a header: must already be strictly increasing, and each node id must be that of its key.
  static Result<Committee> from_sorted(std::vector<Member> members);

  std::size_t size() const { return members_.size(); }
  const std::vector<Member>& members() const { return members_; }
  bool has(Position position) const { return position >= 1 && position <= members_.size(); }
  // 1 <= position <= size().
  const Member& at(Position position) const;
  std::optional<Position> position_of(const NodeId& node) const;
  std::optional<Position> position_of(const crypto::Point& key) const;
  const CommitteeHash& hash() const { return hash_; }  // H(N)
  bool operator==(const Committee& other) const { return hash_ == other.hash_; }

 private:
  explicit Committee(std::vector<Member> members);
  std::vector<Member> members_;
  CommitteeHash hash_;
};

}  // namespace kms::dkg
