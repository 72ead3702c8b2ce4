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
  if (rpc.ihave.empty() || !may_gossip(id) || !peer.version) return;
  if (++peer.ihave_messages > options_.ihave_messages_max) return;
  std::vector<MessageId> ask;
  for (const IHaveView& view : rpc.ihave) {
    Topic* topic = find_topic(as_text(view.topic));
    if (topic == nullptr || !topic->subscribed) continue;
    for (ByteView raw : view.ids) {
      if (++peer.ihave_ids > options_.ihave_ids_max) break;
      ++counters_.ihave_in;
      if (!is_plausible(raw)) continue;
      MessageId message_id = to_bytes(raw);
      if (seen_.contains(message_id)) {
        note_known(message_id, id);
      } else if (wants(message_id, id, now)) {
        ask.push_back(std::move(message_id));
      }
    }
  }
  ask_for(id, peer, ask, now, effects);
}

// Whether to ask `from` for it now: one peer at a time is asked, the others are remembered.
bool Router::wants(const MessageId& id, const PeerId& from, Now now) {
  constexpr std::size_t kOthersMax = 8;
  auto at = wanted_.find(id);
  if (at == wanted_.end()) {
    // Half of the places are kept for what members announce.
    auto peer = peers_.find(from);
    bool is_member = peer != peers_.end() && peer->second.peer_class == PeerClass::committee;
    if (wanted_.size() >= (is_member ? options_.wanted_ids_max : options_.wanted_ids_max / 2)) return false;
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
  std::map<PeerId, std::vector<MessageId>> ask;
  for (auto& [id, wanted] : wanted_) {
    if (wanted.others.empty() || now.instant < wanted.asked_at + options_.iwant_patience) continue;
    wanted.asked = wanted.others.front();
    wanted.asked_at = now.instant;
    wanted.others.erase(wanted.others.begin());
    auto& ids = ask[wanted.asked];
    if (ids.size() < options_.ihave_ids_max) ids.push_back(id);
  }
  for (const auto& [id, ids] : ask) {
    auto at = peers_.find(id);
    if (at != peers_.end() && at->second.version && may_gossip(id)) ask_for(id, at->second, ids, now, effects);
  }
}

void Router::receive_iwant(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects) {
  if (rpc.iwant.empty() || !may_gossip(id)) return;
  for (const IdListView& view : rpc.iwant) {
    if (++peer.iwant_messages > options_.iwant_messages_max) return;
    for (ByteView raw : view.ids) {
      ++counters_.iwant_in;
      if (!is_plausible(raw)) continue;
      MessageId message_id = to_bytes(raw);
      const CachedMessage* cached = cache_.find(message_id);
      if (cached == nullptr || peer.unwanted.contains(message_id)) continue;
      // It is on its way already.
      if (peer.outbox.holds(*cached->encoded)) continue;
      Topic* topic = find_topic(*cached->message->topic);
      auto encoded = cached->encoded;
      if (topic == nullptr || !cache_.take_answer(message_id, id, options_.iwant_retransmissions)) continue;
      counters_.pulled += send_message(id, peer, *topic, encoded, now, effects);
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
      if (!is_plausible(raw)) continue;
      MessageId message_id = to_bytes(raw);
      note_known(message_id, id);
      peer.unwanted[std::move(message_id)] = heartbeats_ + options_.idontwant_heartbeats;
    }
  }
}

}  // namespace kms::net
