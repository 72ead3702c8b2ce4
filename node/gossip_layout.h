// How the topics of a network are carried, chosen by the size of its committee.
#pragma once

#include "net/router_options.h"
#include "node/config.h"

namespace kms::node {

// Up to so many members everybody's own messages go straight to all, and nobody forwards another's: least work and
// fewest hops. A larger committee's copies would cost each author more than a mesh costs everybody.
inline constexpr std::size_t kCommitteeGossipMembersMax = 16;

// Of the topics that all members read. The entry topics have one reader each, and no mesh helps them.
net::TopicPolicy gossip_policy(GossipLayout wanted, std::size_t members);

}  // namespace kms::node
