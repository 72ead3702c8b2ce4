#include "dkg/committee.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::dkg {

Member Member::of(const crypto::Point& key) {
  return {NodeId{crypto::node_id_of(key)}, key};
}

Committee::Committee(std::vector<Member> members) : members_(std::move(members)) {
  crypto::Transcript transcript("KMS1/committee");
  transcript.count(members_.size());
  for (const Member& member : members_) transcript.id(member.node).point(member.key);
  hash_ = {transcript.hash()};
}

Result<Committee> Committee::make(const std::vector<crypto::Point>& keys) {
  std::vector<Member> members;
  for (const crypto::Point& key : keys) members.push_back(Member::of(key));
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.node < b.node; });
  return from_sorted(std::move(members));
}

Result<Committee> Committee::from_sorted(std::vector<Member> members) {
  if (members.empty() || members.size() > kMembersMax) {
    return error("a committee has 1 to 128 members, not " + std::to_string(members.size()));
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].node.bytes != crypto::node_id_of(members[i].key)) {
      return error("node id " + members[i].node.hex() + " does not belong to the key beside it");
    }
    if (i > 0 && !(members[i - 1].node < members[i].node)) {
      return error("member " + members[i].node.hex() + " stands twice or out of order");
    }
  }
  return Committee(std::move(members));
}

const Member& Committee::at(Position position) const {
  KMS_ASSERT(has(position));
  return members_[position - 1u];
}

std::optional<Position> Committee::position_of(const NodeId& node) const {
  auto found = std::lower_bound(members_.begin(), members_.end(), node,
                                [](const Member& member, const NodeId& id) { return member.node < id; });
  if (found == members_.end() || found->node != node) return std::nullopt;
  return static_cast<Position>(found - members_.begin() + 1);
}

std::optional<Position> Committee::position_of(const crypto::Point& key) const {
  return position_of(NodeId{crypto::node_id_of(key)});
}

}  // namespace kms::dkg
