// Who may write on a topic and who may follow it, by class.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "net/peer_class.h"
#include "net/peer_id.h"

namespace kms::net {

// Which classes may write on the topics that begin with `prefix`, and which may follow them. The first rule that fits
// counts; a topic without one is open to all but denied authors and peers.
struct TopicRule {
  std::string prefix;
  std::set<PeerClass> publishers{PeerClass::committee, PeerClass::registered, PeerClass::light};
  std::set<PeerClass> followers{PeerClass::committee, PeerClass::registered, PeerClass::light};
};

struct TopicAccess {
  std::vector<TopicRule> rules{};
  std::map<PeerId, PeerClass> classes{};
  PeerClass unlisted = PeerClass::light;

  PeerClass class_of(const PeerId& peer) const;
  bool may_publish(const PeerId& author, std::string_view topic) const;
  bool may_follow(const PeerId& peer, std::string_view topic) const;

 private:
  const TopicRule* rule_of(std::string_view topic) const;
};

}  // namespace kms::net
