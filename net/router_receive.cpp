// The receiving half of Router: one RPC of a peer, part by part.
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
  for (const MessageView& message : rpc->messages) receive_message(id, message, now, effects);
  receive_grafts(id, *rpc, effects);
  receive_prunes(id, *rpc, now, effects);
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
    if (view.subscribe == is_stored) continue;
    if (view.subscribe && peer.topics.size() >= options_.topics_per_peer_max) continue;
    if (view.subscribe && !access_.may_follow(id, name)) continue;
    std::string topic(name);
    if (view.subscribe) {
      peer.topics.insert(topic);
      graft_if_wanted(id, peer, topic, now, effects);
    } else {
      peer.topics.erase(topic);
      if (Topic* ours = find_topic(topic)) ours->grafted.erase(id);
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
    return refuse(id, Refusal::own_message, name, "a message of ours comes back", effects);
  }
  if (*author && !access_.may_publish((*author)->id, name)) {
    return refuse(id, Refusal::not_allowed, name, "the author's class may not write here", effects);
  }

  MessageId message_id = net::message_id(options_.message_id_mode, *message);
  if (seen_.contains(message_id)) {
    ++topic->counters.duplicates;
    note_duplicate(message_id, id);
    return refuse(id, Refusal::duplicate, name, "", effects);
  }
  if (validating_.size() >= options_.validating_max ||
      validating_bytes_ + encoded->size() > options_.validating_bytes_max) {
    return refuse(id, Refusal::queue_full, name, "too many messages wait for a verdict", effects);
  }
  if (*author) {
    ++counters_.signatures_checked;
    if (!verify_signature(*message, (*author)->key)) {
      return refuse(id, Refusal::bad_signature, name, "author " + (*author)->id.text(), effects);
    }
  }
  seen_.insert(message_id, now.instant);
  wanted_.erase(message_id);
  send_idontwant(message_id, *message, id, effects);

  std::optional<PeerId> author_id;
  if (*author) author_id = (*author)->id;
  validating_bytes_ += encoded->size();
  validating_.emplace(
      message_id,
      Validating{message, std::move(encoded), author_id, id, {id}, now.instant + options_.verdict_deadline});
  effects.deliver.push_back({std::move(message_id), author_id, id, std::move(message)});
}

void Router::note_duplicate(const MessageId& id, const PeerId& peer) {
  if (auto at = validating_.find(id); at != validating_.end()) at->second.senders.insert(peer);
  if (CachedMessage* cached = cache_.find(id)) cached->known_by.insert(peer);
}

// After the signature, before the application: an unsigned guess of the next id must not silence the real message.
void Router::send_idontwant(const MessageId& id, const PubsubMessage& message, const PeerId& except,
                            PubsubEffects& effects) {
  if (options_.send_idontwant == SendIdontwant::never || message.payload().size() < options_.idontwant_bytes_min)
    return;
  RpcWriter writer;
  writer.idontwant({&id, 1});
  for (auto& [peer_id, peer] : peers_) {
    if (peer_id == except || peer.version != MeshsubVersion::v1_2 || !peer.topics.contains(*message.topic)) continue;
    if (!peer.outbox.gossip(writer.control_bytes(), Outbox::Urgency::urgent)) {
      ++counters_.dropped_gossip;
      continue;
    }
    ++counters_.idontwant_out;
    note_writable(peer_id, peer, effects);
  }
}

void Router::receive_grafts(const PeerId& id, const RpcView& rpc, PubsubEffects& effects) {
  for (ByteView name : rpc.grafts) {
    ++counters_.grafts_in;
    Topic* topic = find_topic(as_text(name));
    if (topic == nullptr || !topic->subscribed || !access_.may_follow(id, as_text(name))) continue;
    if (!topic->grafted.insert(id).second) continue;
    effects.events.emplace_back(PeerGrafted{id, std::string(as_text(name))});
  }
}

void Router::receive_prunes(const PeerId& id, const RpcView& rpc, Now now, PubsubEffects& effects) {
  for (const PruneView& view : rpc.prunes) {
    ++counters_.prunes_in;
    Topic* topic = find_topic(as_text(view.topic));
    if (topic == nullptr || !topic->subscribed) continue;
    Duration backoff = options_.prune_backoff;
    if (view.backoff_s) backoff = std::chrono::seconds(std::min(*view.backoff_s, kBackoffSecondsMax));
    topic->backoff[id] = now.instant + backoff;
    if (topic->grafted.erase(id) == 0) continue;
    effects.events.emplace_back(PeerPruned{id, std::string(as_text(view.topic))});
  }
}

void Router::receive_ihave(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects) {
  std::vector<MessageId> ask;
  for (const IHaveView& view : rpc.ihave) {
    if (++peer.ihave_messages > options_.ihave_messages_max) break;
    Topic* topic = find_topic(as_text(view.topic));
    if (topic == nullptr || !topic->subscribed || !peer.version) continue;
    for (ByteView raw : view.ids) {
      if (++peer.ihave_ids > options_.ihave_ids_max) break;
      ++counters_.ihave_in;
      MessageId message_id = to_bytes(raw);
      if (seen_.contains(message_id)) {
        note_duplicate(message_id, id);
      } else if (wants(message_id, id, now)) {
        ask.push_back(std::move(message_id));
      }
    }
  }
  ask_for(id, peer, ask, effects);
}

// Whether to ask `from` for it now: one peer at a time is asked, the others are remembered.
bool Router::wants(const MessageId& id, const PeerId& from, Now now) {
  constexpr std::size_t kOthersMax = 8;
  auto at = wanted_.find(id);
  if (at == wanted_.end()) {
    if (wanted_.size() >= options_.wanted_ids_max) return false;
    wanted_.emplace(id, Wanted{from, now.instant, {}});
    return true;
  }
  Wanted& wanted = at->second;
  if (now.instant < wanted.asked_at + options_.iwant_patience) {
    bool is_known =
        wanted.asked == from || std::find(wanted.others.begin(), wanted.others.end(), from) != wanted.others.end();
    if (!is_known && wanted.others.size() < kOthersMax) wanted.others.push_back(from);
    return false;
  }
  if (wanted.asked == from && !wanted.others.empty()) return false;  // it had its chance
  std::erase(wanted.others, from);
  wanted.asked = from;
  wanted.asked_at = now.instant;
  return true;
}

void Router::ask_for(const PeerId& id, Peer& peer, std::span<const MessageId> ids, PubsubEffects& effects) {
  if (ids.empty()) return;
  RpcWriter writer;
  writer.iwant(ids);
  if (!peer.outbox.gossip(writer.control_bytes(), Outbox::Urgency::normal)) {
    ++counters_.dropped_gossip;
    return;
  }
  counters_.iwant_out += ids.size();
  note_writable(id, peer, effects);
}

void Router::receive_iwant(const PeerId& id, Peer& peer, const RpcView& rpc, PubsubEffects& effects) {
  for (const IdListView& view : rpc.iwant) {
    if (++peer.iwant_messages > options_.iwant_messages_max) break;
    for (ByteView raw : view.ids) {
      ++counters_.iwant_in;
      MessageId message_id = to_bytes(raw);
      CachedMessage* cached = cache_.find(message_id);
      if (cached == nullptr || peer.unwanted.contains(message_id)) continue;
      Topic* topic = find_topic(*cached->message->topic);
      std::uint32_t& sent = cached->sent_on_demand[id];
      if (topic == nullptr || sent >= options_.iwant_retransmissions) continue;
      ++sent;
      counters_.pulled += send_message(id, peer, *topic, cached->encoded, effects);
    }
  }
}

void Router::receive_idontwant(const PeerId& id, Peer& peer, const RpcView& rpc) {
  std::size_t ids = 0;
  for (const IdListView& view : rpc.idontwant) {
    if (++peer.idontwant_messages > options_.idontwant_messages_max) return;
    for (ByteView raw : view.ids) {
      if (++ids > options_.idontwant_ids_max || peer.unwanted.size() >= options_.idontwant_stored_max) return;
      ++counters_.idontwant_in;
      MessageId message_id = to_bytes(raw);
      note_duplicate(message_id, id);
      peer.unwanted[std::move(message_id)] = heartbeats_ + options_.idontwant_heartbeats;
    }
  }
}

}  // namespace kms::net
