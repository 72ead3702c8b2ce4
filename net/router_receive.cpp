// The receiving half of Router: one RPC of a peer, part by part, and the way of a message to its validation.
#include <algorithm>

#include "net/router.h"

namespace kms::net {

PubsubEffects Router::received(const PeerId& id, ByteView body, Now now) {
  PubsubEffects effects;
  auto at = peers_.find(id);
  if (at == peers_.end()) {
    refuse(id, Refusal::unknown_peer, "", "an RPC of a peer that was not added", effects);
    return effects;
  }
  ++counters_.rpcs_in;
  counters_.bytes_in += body.size();
  auto rpc = parse_rpc(body, options_.rpc_limits);
  if (!rpc) {
    effects.events.emplace_back(PeerBrokeWire{id, rpc.error().message});
    return effects;
  }
  Peer& peer = at->second;
  receive_subscriptions(id, peer, *rpc, now, effects);
  if (!peer.is_direct && scores_.score(id) < options_.thresholds.graylist) {
    ++counters_.graylisted_rpcs;
    return finish(std::move(effects));
  }
  for (const MessageView& message : rpc->messages) {
    receive_message(id, message, now, effects);
    // What a signature check costs is paid by few of an RPC's messages.
    if (!peer.is_direct && scores_.score(id) < options_.thresholds.graylist) return finish(std::move(effects));
  }
  receive_grafts(id, peer, *rpc, now, effects);
  receive_prunes(id, peer, *rpc, now, effects);
  receive_ihave(id, peer, *rpc, now, effects);
  receive_iwant(id, peer, *rpc, effects);
  receive_idontwant(id, peer, *rpc);
  return finish(std::move(effects));
}

void Router::receive_subscriptions(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects) {
  for (const SubscriptionView& view : rpc.subscriptions) {
    std::string_view name = as_text(view.topic);
    if (!is_topic(view.topic) || !options_.topics.allows(name)) continue;
    bool is_stored = peer.topics.contains(name);
    if (auto refused = peer.refused_topics.find(name); !view.subscribe && refused != peer.refused_topics.end()) {
      peer.refused_topics.erase(refused);
    }
    if (view.subscribe == is_stored) continue;
    if (view.subscribe && peer.topics.size() >= options_.topics_per_peer_max) continue;
    std::string topic(name);
    if (view.subscribe && !access_.may_follow(id, name)) {
      if (peer.refused_topics.size() < options_.topics_per_peer_max) peer.refused_topics.insert(topic);
      continue;
    }
    if (view.subscribe) {
      peer.topics.insert(topic);
      if (!peer.version && find_topic(topic) != nullptr) note_missed(peer, cache_.end());
      graft_as_leaf(id, peer, topic, now, effects);
    } else {
      peer.topics.erase(topic);
      if (Topic* ours = find_topic(topic)) leave(id, topic, *ours, effects);
    }
    effects.events.emplace_back(PeerSubscription{id, topic, view.subscribe});
  }
}

Result<std::optional<Author>> Router::check_fields(const PubsubMessage& message) const {
  if (options_.signature_policy == SignaturePolicy::strict_sign) {
    auto author = author_of(message);
    if (!author) return author.error();
    return std::optional<Author>(std::move(*author));
  }
  if (message.from || message.seqno || message.signature || message.key) {
    return error("from, seqno, signature or key in a network of unsigned messages");
  }
  return std::optional<Author>();
}

void Router::receive_message(const PeerId& id, const MessageView& view, Now now, PubsubEffects& effects) {
  if (!view.topic || !is_topic(*view.topic)) return refuse(id, Refusal::bad_topic, "", "no topic", effects);
  std::string_view name = as_text(*view.topic);
  Topic* topic = find_topic(name);
  if (topic == nullptr || !topic->subscribed) return refuse(id, Refusal::not_subscribed, name, "", effects);
  ++topic->counters.received;
  // Its neighbour could not see that we cannot read it.
  if (view.is_foreign) return refuse(id, Refusal::ignored, name, "fields that we do not know", effects);

  if (blocked_.contains(id)) return refuse(id, Refusal::blocked, name, "the sender is blocked", effects);
  auto message = std::make_shared<const PubsubMessage>(PubsubMessage::from_view(view));
  auto encoded = std::make_shared<const Bytes>(message->encode());
  topic->counters.bytes_in += encoded->size();
  auto author = check_fields(*message);
  if (!author) return refuse(id, Refusal::bad_fields, name, author.error().message, effects);
  if (*author && blocked_.contains((*author)->id)) {
    return refuse(id, Refusal::blocked, name, "the author is blocked", effects);
  }
  if (*author && (*author)->id == self_.peer_id()) {
    return receive_own(id, *message, *topic, now, effects);
  }
  if (*author && !access_.may_publish((*author)->id, name)) {
    // Whoever brings what it announced kept its word, even if we know less than it does about who may write.
    kept_word(net::message_id(options_.message_id_mode, *message), id, now);
    return refuse(id, Refusal::not_allowed, name, "the author's class may not write here", effects);
  }

  MessageId message_id = net::message_id(options_.message_id_mode, *message);
  if (seen_.contains(message_id)) {
    ++topic->counters.duplicates;
    receive_copy(message_id, id, name, now);
    return refuse(id, Refusal::duplicate, name, "", effects);
  }
  if (*author && is_repeated(*message, (*author)->id)) {
    kept_word(message_id, id, now);
    return refuse(id, Refusal::repeated, name, "a seqno of " + (*author)->id.text() + " that came before", effects);
  }
  if (validating_.size() >= options_.validating_max ||
      validating_bytes_ + encoded->size() > options_.validating_bytes_max) {
    kept_word(message_id, id, now);
    return refuse(id, Refusal::queue_full, name, "too many messages wait for a verdict", effects);
  }
  if (*author) {
    ++counters_.signatures_checked;
    if (!verify_signature(*message, (*author)->key)) {
      return refuse(id, Refusal::bad_signature, name, "author " + (*author)->id.text(), effects);
    }
  }
  std::optional<PeerId> author_id;
  if (*author) {
    author_id = (*author)->id;
    take_seqno(*message, *author_id);
  }
  begin_validation(id, std::move(message_id), std::move(message), std::move(encoded), author_id, now, effects);
}

// Only messages whose signature held count, so nobody but the author can use up its seqnos.
bool Router::is_repeated(const PubsubMessage& message, const PeerId& author) const {
  auto taken = seqnos_taken_.find(author);
  return taken != seqnos_taken_.end() && !taken->second.is_fresh(seqno_of(message).value_or(0));
}

void Router::take_seqno(const PubsubMessage& message, const PeerId& author) {
  if (options_.seqnos == SeqnoRule::any || !access_.classes.contains(author)) return;
  if (auto seqno = seqno_of(message)) seqnos_taken_[author].take(*seqno);
}

// js forwards to its mesh whoever the author is, so what we published comes back from honest peers. What we do not
// remember is of an earlier run of ours, older than the memory, or forged: nothing of ours needs it, so nobody can make
// us check its signature.
void Router::receive_own(const PeerId& id, const PubsubMessage& message, Topic& topic, Now now,
                         PubsubEffects& effects) {
  MessageId message_id = net::message_id(options_.message_id_mode, message);
  if (seen_.contains(message_id)) {
    ++topic.counters.duplicates;
    note_known(message_id, id);
    return refuse(id, Refusal::duplicate, *message.topic, "", effects);
  }
  kept_word(message_id, id, now);
  refuse(id, Refusal::own_message, *message.topic, "a message of ours comes back", effects);
}

void Router::begin_validation(const PeerId& id, MessageId message_id, std::shared_ptr<const PubsubMessage> message,
                              std::shared_ptr<const Bytes> encoded, std::optional<PeerId> author, Now now,
                              PubsubEffects& effects) {
  seen_.insert(message_id, now.instant);
  kept_word(message_id, id, now);
  // Whoever announced it has it.
  auto announcers = wanted_.arrived(message_id);
  std::set<PeerId> known_by(announcers.begin(), announcers.end());
  send_idontwant(message_id, *message, id, effects);
  validating_bytes_ += encoded->size();
  validating_.emplace(
      message_id,
      Validating{
          message, std::move(encoded), author, id, {id}, std::move(known_by), now.instant + options_.verdict_deadline});
  effects.deliver.push_back({std::move(message_id), author, id, std::move(message)});
}

// It brought what it, or somebody else, announced.
void Router::kept_word(const MessageId& id, const PeerId& by, Now now) {
  promises_.kept(id);
  if (auto age = promises_.redeemed(id, by, now.instant)) {
    ++counters_.redeemed_promises;
    scores_.redeemed_promise(by, *age);
  }
}

// A copy of a message that was seen: it counts for its sender if it came in time, and against it if it is invalid.
void Router::receive_copy(const MessageId& id, const PeerId& peer, std::string_view topic, Now now) {
  kept_word(id, peer, now);
  if (auto at = validating_.find(id); at != validating_.end()) note_sender(at->second.senders, peer);
  cache_.note_known(id, peer, class_or_light(peer));
  auto copy = decided_.copy(id, peer, scores_.mesh_deliveries_window(topic), now.instant);
  if (!copy) return;
  if (copy->outcome == DeliveryLog::Outcome::invalid) scores_.invalid_message(peer, topic);
  if (copy->outcome == DeliveryLog::Outcome::valid) scores_.mesh_delivery(peer, topic);
}

void Router::note_sender(std::set<PeerId>& senders, const PeerId& peer) {
  if (senders.size() < options_.known_by_max) senders.insert(peer);
}

// Of light peers outside the mesh it is not noted: it costs them nothing to say, and us little to tell them again.
void Router::note_known(const MessageId& id, const PeerId& peer) {
  auto at = validating_.find(id);
  const CachedMessage* cached = cache_.find(id);
  if (at == validating_.end() && cached == nullptr) return;
  const PubsubMessage& message = at != validating_.end() ? *at->second.message : *cached->message;
  auto known = peers_.find(peer);
  const Topic* topic = find_topic(*message.topic);
  if (known == peers_.end() || topic == nullptr) return;
  if (known->second.peer_class == PeerClass::light && !topic->grafted.contains(peer)) return;
  if (at != validating_.end()) note_sender(at->second.known_by, peer);
  cache_.note_known(id, peer, known->second.peer_class);
}

// After the signature, before the application: an unsigned guess of the next id must not silence the real message.
void Router::send_idontwant(const MessageId& id, const PubsubMessage& message, const PeerId& except,
                            PubsubEffects& effects) {
  if (message.payload().size() < options_.idontwant_bytes_min) return;
  const Topic& topic = *find_topic(*message.topic);
  bool is_mesh = topic.policy == TopicPolicy::mesh;
  if (!is_mesh && options_.send_idontwant == SendIdontwant::never) return;
  RpcWriter writer;
  writer.idontwant({&id, 1});
  for (auto& [peer_id, peer] : peers_) {
    if (peer_id == except || peer.version != MeshsubVersion::v1_2) continue;
    if (is_mesh ? !topic.grafted.contains(peer_id) : !peer.topics.contains(*message.topic)) continue;
    if (!peer.outbox.gossip(writer.control_bytes(), Outbox::Urgency::urgent)) {
      ++counters_.dropped_gossip;
      continue;
    }
    ++counters_.idontwant_out;
    note_writable(peer_id, peer, effects);
  }
}

}  // namespace kms::net
