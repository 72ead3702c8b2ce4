#include "net/topic_access.h"

#include <algorithm>

namespace kms::net {

PeerClass TopicAccess::class_of(const PeerId& peer) const {
  const auto at = classes.find(peer);
  return at == classes.end() ? unlisted : at->second;
}

const TopicRule* TopicAccess::rule_of(std::string_view topic) const {
  const auto at = std::find_if(rules.begin(), rules.end(),
                               [topic](const TopicRule& rule) { return topic.starts_with(rule.prefix); });
  return at == rules.end() ? nullptr : &*at;
}

bool TopicAccess::may_publish(const PeerId& author, std::string_view topic) const {
  const PeerClass peer_class = class_of(author);
  const TopicRule* rule = rule_of(topic);
  return peer_class != PeerClass::denied && (rule == nullptr || rule->publishers.contains(peer_class));
}

bool TopicAccess::may_follow(const PeerId& peer, std::string_view topic) const {
  const PeerClass peer_class = class_of(peer);
  const TopicRule* rule = rule_of(topic);
  return peer_class != PeerClass::denied && (rule == nullptr || rule->followers.contains(peer_class));
}

}  // namespace kms::net
