// IHAVE, IWANT and IDONTWANT: announcing, pulling, and not sending what is not wanted.
#include <algorithm>

#include "net/router.h"

namespace kms::net {

// Ids of another length than ours name nothing that we could know.
bool Router::is_plausible(ByteView message_id) const {
  switch (options_.message_id_mode) {
    case MessageIdMode::content:
      return message_id.size() == 20;
    case MessageIdMode::sha256_of_data:
      return message_id.size() == 32;
    case MessageIdMode::from_seqno:
      break;
  }
  return !message_id.empty() && message_id.size() <= PeerId::kBytesMax + 8;
}

void Router::receive_ihave(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects) {
  std::size_t offered = 0, heeded = 0;
  for (const IHaveView& view : rpc.ihave) offered += view.ids.size();
  std::vector<MessageId> ask;
  bool is_heard = offered > 0 && may_gossip(id) && peer.version && ++peer.ihave_messages <= options_.ihave_messages_max;
  const WantedIds::Share share = share_of_wanted(id, peer);
  for (const IHaveView& view : rpc.ihave) {
    Topic* topic = is_heard ? find_topic(as_text(view.topic)) : nullptr;
    if (topic == nullptr || !topic->subscribed) continue;
    for (ByteView raw : view.ids) {
      if (++peer.ihave_ids > options_.ihave_ids_max) break;
      ++counters_.ihave_in;
      if (!is_plausible(raw)) continue;
      MessageId message_id = to_bytes(raw);
      if (seen_.contains(message_id)) {
        ++heeded;
        note_known(message_id, id);
        continue;
      }
      auto answer = wanted_.announced(message_id, id, share, now.instant);
      if (answer != WantedIds::Answer::no_place) ++heeded;
      if (answer == WantedIds::Answer::ask) ask.push_back(std::move(message_id));
    }
  }
  counters_.ihave_ignored += offered - heeded;
  ask_for(id, peer, ask, now, effects);
}

// Half of the places are kept for what members announce; each broken promise halves a peer's share.
WantedIds::Share Router::share_of_wanted(const PeerId& id, const Peer& peer) const {
  bool is_member = peer.peer_class == PeerClass::committee;
  return {is_member ? options_.wanted_ids_max : options_.wanted_ids_max / 2,
          static_cast<std::size_t>(std::min(scores_.misbehaviour(id), 63.0))};
}

void Router::ask_for(const PeerId& id, Peer& peer, std::span<const MessageId> ids, Now now, PubsubEffects& effects) {
  if (ids.empty()) return;
  RpcWriter writer;
  writer.iwant(ids);
  if (!peer.outbox.gossip(writer.control_bytes(), Outbox::Urgency::normal)) {
    ++counters_.dropped_gossip;
    return;
  }
  promises_.watch(id, ids, now.instant + options_.iwant_followup, entropy_);
  counters_.iwant_out += ids.size();
  note_writable(id, peer, effects);
}

// Turns to the next announcer of what did not come.
void Router::ask_again(Now now, PubsubEffects& effects) {
  for (const auto& [id, ids] : wanted_.overdue(options_.ihave_ids_max, now.instant)) {
    auto at = peers_.find(id);
    if (at != peers_.end() && at->second.version && may_gossip(id)) ask_for(id, at->second, ids, now, effects);
  }
}

void Router::receive_iwant(const PeerId& id, Peer& peer, const RpcView& rpc, PubsubEffects& effects) {
  std::size_t answered = 0, asked = 0;
  const bool is_heard = !rpc.iwant.empty() && may_gossip(id);
  for (const IdListView& view : rpc.iwant) {
    asked += view.ids.size();
    if (!is_heard || ++peer.iwant_messages > options_.iwant_messages_max) continue;
    for (ByteView raw : view.ids) answered += answer_iwant(id, peer, raw, effects);
  }
  counters_.iwant_in += asked;
  counters_.iwant_ignored += asked - answered;
}

// 1 if it will have the message. What found no room in its queue did not use up an answer, and is announced again.
std::size_t Router::answer_iwant(const PeerId& id, Peer& peer, ByteView raw, PubsubEffects& effects) {
  if (!is_plausible(raw)) return 0;
  MessageId message_id = to_bytes(raw);
  const CachedMessage* cached = cache_.find(message_id);
  if (cached == nullptr || peer.unwanted.contains(message_id)) return 0;
  if (peer.outbox.holds(*cached->encoded)) return 1;  // it is on its way already
  Topic* topic = find_topic(*cached->message->topic);
  if (topic == nullptr || peer.answers.of(cached->serial) >= options_.iwant_retransmissions) return 0;
  if (send_message(id, peer, *topic, cached->encoded, cached->serial, effects) == 0) return 0;
  peer.answers.add(cached->serial, cache_.begin());
  ++counters_.pulled;
  return 1;
}

void Router::receive_idontwant(const PeerId& id, Peer& peer, const RpcView& rpc) {
  std::size_t ids = 0;
  for (const IdListView& view : rpc.idontwant) {
    if (++peer.idontwant_messages > options_.idontwant_messages_max) return;
    for (ByteView raw : view.ids) {
      if (++ids > options_.idontwant_ids_max || peer.unwanted.size() >= options_.idontwant_stored_max) return;
      ++counters_.idontwant_in;
      if (!is_plausible(raw)) continue;
      MessageId message_id = to_bytes(raw);
      note_known(message_id, id);
      peer.unwanted[std::move(message_id)] = heartbeats_ + options_.idontwant_heartbeats;
    }
  }
}

}  // namespace kms::net
