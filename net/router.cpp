#include "net/router.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::net {

std::string_view refusal_text(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_peer:
      return "unknown_peer";
    case Refusal::not_subscribed:
      return "not_subscribed";
    case Refusal::bad_topic:
      return "bad_topic";
    case Refusal::blocked:
      return "blocked";
    case Refusal::bad_fields:
      return "bad_fields";
    case Refusal::own_message:
      return "own_message";
    case Refusal::duplicate:
      return "duplicate";
    case Refusal::queue_full:
      return "queue_full";
    case Refusal::bad_signature:
      return "bad_signature";
    case Refusal::ignored:
      return "ignored";
    case Refusal::rejected:
      return "rejected";
    case Refusal::no_verdict:
      return "no_verdict";
    case Refusal::not_allowed:
      return "not_allowed";
  }
  return "unknown";
}

bool TopicFilter::allows(std::string_view topic) const {
  return allows_all || names.contains(topic) ||
         std::any_of(prefixes.begin(), prefixes.end(),
                     [topic](const auto& prefix) { return topic.starts_with(prefix); });
}

Router::Router(const Identity& self, RouterOptions options, Entropy& entropy, Now now)
    : self_(self),
      options_(std::move(options)),
      entropy_(entropy),
      seqno_(now),
      seen_(options_.seen_ttl, options_.seen_ids_max),
      cache_(options_.cache_windows, options_.cache_bytes_max),
      heartbeat_at_(now.instant + options_.first_heartbeat) {}

Router::Topic* Router::find_topic(std::string_view topic) {
  auto at = topics_.find(topic);
  return at == topics_.end() ? nullptr : &at->second;
}

void Router::note_writable(const PeerId& id, Peer& peer, PubsubEffects& effects) {
  if (!peer.version || peer.outbox.is_empty() || std::exchange(peer.is_noted, true)) return;
  effects.writable.push_back(id);
}

PubsubEffects Router::finish(PubsubEffects effects) {
  for (const PeerId& id : effects.writable) peers_.at(id).is_noted = false;
  return effects;
}

void Router::refuse(const PeerId& peer, Refusal reason, std::string_view topic, std::string detail,
                    PubsubEffects& effects) {
  ++counters_.refused[static_cast<std::size_t>(reason)];
  if (reason == Refusal::duplicate) return;
  effects.events.emplace_back(MessageRefused{peer, reason, std::string(topic), std::move(detail)});
}

PubsubEffects Router::peer_added(const PeerId& id, PeerClass peer_class, Now) {
  auto [at, is_new] = peers_.try_emplace(id);
  if (is_new) at->second.outbox = Outbox(options_.outbox_limits);
  at->second.peer_class = peer_class;
  return {};
}

void Router::peer_removed(const PeerId& id) {
  inbound_closed(id);
  peers_.erase(id);
}

PubsubEffects Router::outbound_opened(const PeerId& id, MeshsubVersion version, Now now) {
  PubsubEffects effects;
  auto at = peers_.find(id);
  if (at == peers_.end()) return effects;
  Peer& peer = at->second;
  peer.version = version;
  // What was queued for an earlier stream is void: the remote starts from nothing.
  peer.outbox.clear();
  for (const auto& [name, topic] : topics_) {
    if (!topic.subscribed) continue;
    peer.outbox.subscription(name, true);
    graft_if_wanted(id, peer, name, now, effects);
    if (options_.graft == GraftPolicy::committee && topic.grafted.contains(id)) peer.outbox.graft(name);
  }
  note_writable(id, peer, effects);
  return finish(std::move(effects));
}

void Router::outbound_closed(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  at->second.version.reset();
  at->second.outbox.clear();
}

void Router::inbound_closed(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  at->second.topics.clear();
  at->second.unwanted.clear();
  for (auto& [name, topic] : topics_) topic.grafted.erase(id);
}

PubsubEffects Router::recheck(const PeerId& id) {
  PubsubEffects effects;
  auto at = peers_.find(id);
  if (at == peers_.end()) return effects;
  std::erase_if(at->second.topics, [&](const std::string& name) {
    if (access_.may_follow(id, name)) return false;
    if (Topic* ours = find_topic(name)) ours->grafted.erase(id);
    effects.events.emplace_back(PeerSubscription{id, name, false});
    return true;
  });
  return effects;
}

std::size_t Router::queued_bytes(const PeerId& id) const {
  auto at = peers_.find(id);
  return at == peers_.end() ? 0 : at->second.outbox.bytes();
}

Result<PubsubEffects> Router::subscribe(std::string_view topic, Now now) {
  if (!is_topic(as_bytes(topic))) return error("not a topic of 1 to 256 bytes of UTF-8");
  if (!options_.topics.allows(topic)) return error("topic " + std::string(topic) + " is not in the allow-list");
  PubsubEffects effects;
  std::string name(topic);
  if (std::exchange(topics_[name].subscribed, true)) return effects;
  for (auto& [id, peer] : peers_) {
    if (!peer.version) continue;  // it hears all subscriptions when the stream opens
    peer.outbox.subscription(name, true);
    graft_if_wanted(id, peer, name, now, effects);
    note_writable(id, peer, effects);
  }
  return finish(std::move(effects));
}

PubsubEffects Router::unsubscribe(std::string_view name, Now now) {
  PubsubEffects effects;
  auto at = topics_.find(name);
  if (at == topics_.end() || !std::exchange(at->second.subscribed, false)) return effects;
  Topic& topic = at->second;
  for (auto& [id, peer] : peers_) {
    if (peer.version) peer.outbox.subscription(at->first, false);
    if (topic.grafted.contains(id)) {
      auto backoff_s = std::chrono::duration_cast<std::chrono::seconds>(options_.unsubscribe_backoff).count();
      if (peer.version) peer.outbox.prune(at->first, static_cast<std::uint64_t>(backoff_s));
      topic.backoff[id] = now.instant + options_.unsubscribe_backoff;
    }
    note_writable(id, peer, effects);
  }
  topic.grafted.clear();
  return finish(std::move(effects));
}

void Router::graft_if_wanted(const PeerId& id, Peer& peer, const std::string& name, Now now, PubsubEffects& effects) {
  Topic* topic = find_topic(name);
  if (options_.graft != GraftPolicy::committee || peer.peer_class != PeerClass::committee) return;
  if (topic == nullptr || !topic->subscribed || !peer.version || !peer.topics.contains(name)) return;
  auto backoff = topic->backoff.find(id);
  if (backoff != topic->backoff.end() && now.instant < backoff->second) return;
  if (!topic->grafted.insert(id).second) return;
  peer.outbox.graft(name);
  note_writable(id, peer, effects);
}

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
  Topic& topic = topics_[topic_name];
  ++topic.counters.published;
  for (auto& [id, peer] : peers_) {
    if (!peer.topics.contains(name)) continue;
    published.peers += send_message(id, peer, topic, encoded, published.effects);
  }
  cache_.put(published.id, {message, encoded, now.instant, {}, {}});
  published.effects = finish(std::move(published.effects));
  return published;
}

// 1 if it was queued.
std::size_t Router::send_message(const PeerId& id, Peer& peer, Topic& topic,
                                 const std::shared_ptr<const Bytes>& encoded, PubsubEffects& effects) {
  if (!peer.version) return 0;
  if (!peer.outbox.message(encoded)) {
    ++counters_.dropped_messages;
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
  const std::string& name = *message.message->topic;
  if (verdict != Verdict::accept) {
    Refusal reason = verdict == Verdict::reject ? Refusal::rejected : Refusal::ignored;
    for (const PeerId& sender : message.senders) refuse(sender, reason, name, "the application's verdict", effects);
    return effects;
  }
  Topic* topic = find_topic(name);
  if (topic == nullptr) return effects;
  ++topic->counters.accepted;
  forward(id, message, *topic, effects);
  CachedMessage cached{message.message, message.encoded, now.instant, message.senders, {}};
  if (message.author) cached.known_by.insert(*message.author);
  cache_.put(id, std::move(cached));
  return finish(std::move(effects));
}

void Router::forward(const MessageId& id, const Validating& accepted, Topic& topic, PubsubEffects& effects) {
  for (auto& [peer_id, peer] : peers_) {
    if (!forwards_to(peer_id, peer, topic, accepted) || peer.unwanted.contains(id)) continue;
    topic.counters.forwarded += send_message(peer_id, peer, topic, accepted.encoded, effects);
  }
}

bool Router::forwards_to(const PeerId& id, const Peer& peer, const Topic& topic, const Validating& accepted) const {
  if (options_.forward == ForwardPolicy::none) return false;
  if (accepted.senders.contains(id) || accepted.author == id) return false;
  if (topic.grafted.contains(id)) return true;
  if (!peer.topics.contains(*accepted.message->topic)) return false;
  if (options_.forward == ForwardPolicy::all) return true;
  // What a stranger to the committee brings in was sent to few of us; the rest of the committee hears it from us.
  auto sender = peers_.find(accepted.received_from);
  bool enters_here = accepted.author == accepted.received_from && sender != peers_.end() &&
                     sender->second.peer_class != PeerClass::committee;
  return enters_here && peer.peer_class == PeerClass::committee;
}

std::optional<Bytes> Router::next_frame(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end() || !at->second.version) return std::nullopt;
  auto frame = at->second.outbox.next_frame(*at->second.version);
  if (!frame) return std::nullopt;
  ++counters_.rpcs_out;
  counters_.bytes_out += frame->size();
  return frame;
}

bool Router::is_subscribed(std::string_view topic) const {
  auto at = topics_.find(topic);
  return at != topics_.end() && at->second.subscribed;
}

std::vector<PeerId> Router::subscribers(std::string_view topic) const {
  std::vector<PeerId> ids;
  for (const auto& [id, peer] : peers_) {
    if (peer.topics.contains(topic)) ids.push_back(id);
  }
  return ids;
}

std::vector<PeerId> Router::grafted(std::string_view topic) const {
  auto at = topics_.find(topic);
  if (at == topics_.end()) return {};
  return {at->second.grafted.begin(), at->second.grafted.end()};
}

std::optional<PeerClass> Router::class_of(const PeerId& id) const {
  auto at = peers_.find(id);
  if (at == peers_.end()) return std::nullopt;
  return at->second.peer_class;
}

std::map<std::string, TopicCounters> Router::topic_counters() const {
  std::map<std::string, TopicCounters> out;
  for (const auto& [name, topic] : topics_) out[name] = topic.counters;
  return out;
}

}  // namespace kms::net
