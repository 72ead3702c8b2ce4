#include "node/gossip_layout.h"

namespace kms::node {

net::TopicPolicy gossip_policy(GossipLayout wanted, std::size_t members) {
  switch (wanted) {
    case GossipLayout::committee:
      return net::TopicPolicy::committee;
    case GossipLayout::mesh:
      return net::TopicPolicy::mesh;
    case GossipLayout::automatic:
      break;
  }
  return members <= kCommitteeGossipMembersMax ? net::TopicPolicy::committee : net::TopicPolicy::mesh;
}

}  // namespace kms::node
