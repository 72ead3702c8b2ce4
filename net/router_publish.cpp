// The sending half of Router: own messages, verdicts, forwarding.
#include <algorithm>

#include "net/draw.h"
#include "net/router.h"

namespace kms::net {

Result<Router::Published> Router::publish(std::string_view name, Bytes payload, Now now) {
  if (!is_topic(as_bytes(name))) return error("not a topic of 1 to 256 bytes of UTF-8");
  bool signs = options_.signature_policy == SignaturePolicy::strict_sign;
  std::size_t payload_size = payload.size();
  // Checked before the signature is made: from, seqno, signature, topic and tags stay below 1 KiB.
  if (payload_size > kRpcBytesMax - 1024) {
    return error("a message of " + std::to_string(payload_size) + " bytes, at most " +
                 std::to_string(kRpcBytesMax - 1024) + " fit an RPC");
  }
  std::string topic_name(name);
  auto message =
      std::make_shared<const PubsubMessage>(signs ? make_signed(self_, topic_name, std::move(payload), seqno_.next())
                                                  : make_unsigned(topic_name, std::move(payload)));
  if (signs) ++counters_.signatures_made;
  Published published{message_id(options_.message_id_mode, *message), 0, {}};
  if (!seen_.insert(published.id, now.instant)) return error("this very message was seen already");
  auto encoded = std::make_shared<const Bytes>(message->encode());
  Topic& topic = topic_named(topic_name);
  ++topic.counters.published;
  for (const PeerId& id : own_message_targets(topic_name, topic, payload_size, now)) {
    published.peers += send_message(id, peers_.at(id), topic, encoded, cache_.end(), published.effects);
  }
  cache_.put(published.id, {message, encoded, now.instant, {}, 0, 0});
  published.effects = finish(std::move(published.effects));
  return published;
}

// IDONTWANT is not looked at: nobody can have heard of a new message of ours.
std::set<PeerId> Router::own_message_targets(const std::string& name, Topic& topic, std::size_t size, Now now) {
  std::set<PeerId> targets;
  std::vector<PeerId> others;
  std::size_t flooded_max = options_.mesh.flood_publish_bytes;
  bool floods = topic.policy != TopicPolicy::mesh || (flooded_max > 0 && size <= flooded_max);
  for (const auto& [id, peer] : peers_) {
    if (!peer.topics.contains(name) || !peer.version) continue;
    bool may_hear = peer.is_direct || scores_.score(id) >= options_.thresholds.publish;
    if (peer.is_direct || (may_hear && floods)) {
      targets.insert(id);
    } else if (may_hear && !topic.grafted.contains(id)) {
      others.push_back(id);
    }
  }
  if (floods) {
    thin_light(targets, topic);
    return targets;
  }
  if (!topic.subscribed) {
    topic.fanout_used = now.instant;
    fill_fanout(name, topic);
    targets.insert(topic.fanout.begin(), topic.fanout.end());
    return targets;
  }
  targets.insert(topic.grafted.begin(), topic.grafted.end());
  // A mesh that has not formed yet must not swallow the message.
  if (topic.grafted.size() < options_.mesh.low) {
    auto more = sample(entropy_, std::move(others), options_.mesh.target - topic.grafted.size());
    targets.insert(more.begin(), more.end());
  }
  return targets;
}

// There may be any number of light listeners: those that grafted us have a place, of the others some random ones hear
// each message, and the rest what is announced.
void Router::thin_light(std::set<PeerId>& targets, const Topic& topic) {
  std::vector<PeerId> light;
  for (const PeerId& id : targets) {
    const Peer& peer = peers_.at(id);
    if (peer.peer_class == PeerClass::light && !peer.is_direct && !topic.grafted.contains(id)) light.push_back(id);
  }
  if (light.size() <= options_.mesh.light_flood) return;
  for (const PeerId& id : light) targets.erase(id);
  auto chosen = sample(entropy_, std::move(light), options_.mesh.light_flood);
  targets.insert(chosen.begin(), chosen.end());
}

// 1 if it was queued. `serial`: its own in the cache, or the one that it will get.
std::size_t Router::send_message(const PeerId& id, Peer& peer, Topic& topic,
                                 const std::shared_ptr<const Bytes>& encoded, std::uint64_t serial,
                                 PubsubEffects& effects) {
  if (!peer.version) return 0;
  if (!peer.outbox.message(encoded)) {
    ++counters_.dropped_messages;
    note_missed(peer, serial);
    return 0;
  }
  topic.counters.bytes_out += encoded->size();
  note_writable(id, peer, effects);
  return 1;
}

PubsubEffects Router::validated(const MessageId& id, Verdict verdict, Now now) {
  PubsubEffects effects;
  auto found = validating_.extract(id);
  if (found.empty()) return effects;
  Validating& message = found.mapped();
  validating_bytes_ -= message.encoded->size();
  if (verdict == Verdict::accept) {
    accepted(id, std::move(message), now, effects);
    return finish(std::move(effects));
  }
  bool is_bad = verdict == Verdict::reject;
  for (const PeerId& sender : message.senders) {
    refuse(sender, is_bad ? Refusal::rejected : Refusal::ignored, *message.message->topic, "the application's verdict",
           effects);
  }
  decided_.put(id, is_bad ? DeliveryLog::Outcome::invalid : DeliveryLog::Outcome::ignored, std::move(message.senders),
               now.instant);
  return effects;
}

void Router::accepted(const MessageId& id, Validating message, Now now, PubsubEffects& effects) {
  const std::string& name = *message.message->topic;
  for (const PeerId& sender : message.senders) {
    if (sender == message.received_from) {
      scores_.first_delivery(sender, name);
    } else {
      scores_.mesh_delivery(sender, name);
    }
  }
  decided_.put(id, DeliveryLog::Outcome::valid, message.senders, now.instant);
  Topic* topic = find_topic(name);
  if (topic == nullptr) return;
  ++topic->counters.accepted;
  forward(id, message, *topic, effects);
  cache_.put(id, {message.message, message.encoded, now.instant, {}, 0, 0});
  message.senders.merge(message.known_by);
  if (message.author) message.senders.insert(*message.author);
  for (const PeerId& peer : message.senders) cache_.note_known(id, peer, class_or_light(peer));
}

void Router::forward(const MessageId& id, const Validating& accepted, Topic& topic, PubsubEffects& effects) {
  for (auto& [peer_id, peer] : peers_) {
    if (!forwards_to(peer_id, peer, topic, accepted) || peer.unwanted.contains(id)) continue;
    topic.counters.forwarded += send_message(peer_id, peer, topic, accepted.encoded, cache_.end(), effects);
  }
}

bool Router::forwards_to(const PeerId& id, const Peer& peer, const Topic& topic, const Validating& accepted) const {
  if (topic.policy == TopicPolicy::leaf) return false;
  if (accepted.senders.contains(id) || accepted.known_by.contains(id) || accepted.author == id) return false;
  if (topic.grafted.contains(id)) return true;
  if (!peer.topics.contains(*accepted.message->topic)) return false;
  if (topic.policy == TopicPolicy::flood || peer.is_direct) return true;
  if (topic.policy == TopicPolicy::mesh) return false;
  // What a stranger to the committee brings in was sent to few of us; the rest of the committee hears it from us.
  auto sender = peers_.find(accepted.received_from);
  bool enters_here = accepted.author == accepted.received_from && sender != peers_.end() &&
                     sender->second.peer_class != PeerClass::committee;
  return enters_here && peer.peer_class == PeerClass::committee;
}

}  // namespace kms::net
