#include <algorithm>

#include "net/host.h"

namespace kms::net {

namespace {

constexpr std::size_t kListenAddressesMax = 16;
constexpr std::uint32_t kIdentifyRetriesMax = 5;

bool lists(const Neighbour& neighbour, std::string_view protocol) {
  const auto& protocols = neighbour.identify.protocols;
  return protocols && std::find(protocols->begin(), protocols->end(), protocol) != protocols->end();
}

}  // namespace

void Host::set_listen_addresses(std::vector<Multiaddr> addresses, Now now) {
  if (addresses.size() > kListenAddressesMax) addresses.resize(kListenAddressesMax, addresses.front());
  for (auto& address : addresses) address = address.without_peer_id();
  if (addresses == listen_addresses_) return;
  listen_addresses_ = std::move(addresses);
  refresh_record(now);
  push_to_all(now);
  settle(now);
}

void Host::refresh_record(Now now) {
  record_seq_ = next_peer_record_seq(record_seq_, now.unix_ms);
  signed_record_ = sign_peer_record(identity_, record_seq_, listen_addresses_);
}

void Host::outrun_record(std::uint64_t seq, Now now) {
  if (seq < record_seq_) return;
  record_seq_ = seq;
  refresh_record(now);
  // Records and messages are both counted from the nanosecond at which a run starts; of messages there are more.
  constexpr std::uint64_t kMessagesOfOneRunMax = 1'000'000'000;
  if (seq < UINT64_MAX / 2) router_.outrun_seqno(seq + kMessagesOfOneRunMax);
  push_to_all(now);
  settle(now);
}

// Only what we accept, since go and js open streams by this list.
void Host::refresh_protocols(Now now) {
  std::vector<std::string> protocols{std::string(kIdentifyProtocol), std::string(kIdentifyPushProtocol),
                                     std::string(kPingProtocol)};
  for (auto& protocol : meshsub_protocols()) protocols.push_back(std::move(protocol));
  for (const auto& [protocol, service] : services_) protocols.push_back(protocol);
  protocols_ = std::make_shared<const std::vector<std::string>>(std::move(protocols));
  for (auto& [id, link] : links_) {
    if (link.connection) link.connection->set_protocols(protocols_);
  }
  push_to_all(now);
}

Bytes Host::identify_frame(const Link& link) const {
  Identify message;
  message.public_key = identity_.public_key();
  message.listen_addresses = listen_addresses_;
  message.protocols = *protocols_;
  message.observed_address = link.remote.without_peer_id();
  message.protocol_version = options_.protocol_version;
  message.agent_version = options_.agent_version;
  message.signed_peer_record = signed_record_;
  if (auto frame = encode_identify_frame(message)) return *frame;
  // Very long names as listen addresses: better known without them than not at all.
  message.listen_addresses.reset();
  message.signed_peer_record.reset();
  auto frame = encode_identify_frame(message);
  return frame ? *frame : Bytes{};
}

void Host::push_to_all(Now now) {
  for (auto& [peer, neighbour] : neighbours_) push_to(peer, neighbour, now);
}

void Host::push_to(const PeerId& peer, Neighbour& neighbour, Now now) {
  if (!neighbour.is_identified || neighbour.connections.empty() || !lists(neighbour, kIdentifyPushProtocol)) return;
  Link& link = links_.at(preferred_connection(peer, neighbour));
  for (const auto& [id, stream] : link.streams) {
    if (std::holds_alternative<PushSend>(stream.role)) {
      neighbour.push_again = true;
      return;
    }
  }
  open(link, {std::string(kIdentifyPushProtocol)}, PushSend{}, now.instant + kIdentifyTimeout, now);
}

void Host::identified(Link& link, Result<Identify> message, Now now) {
  const auto at = neighbours_.find(*link.peer);
  if (at == neighbours_.end()) return;
  // The end of a link says nothing about the peer, and every other link asks for itself.
  if (!message && link.connection->has_ended()) return;
  if (message && message->public_key && !link.peer->matches(*message->public_key)) {
    message = error("identify: the public key is not the one of the channel");
  }
  if (!message) {
    effects_.events.emplace_back(PeerIdentifyFailed{*link.peer, message.error().message});
    if (at->second.is_identified || ++at->second.identify_failures > kIdentifyRetriesMax) return;
    // Without it there is no pubsub with this peer: a slow start must not last as long as the connection.
    open(link, {std::string(kIdentifyProtocol)}, IdentifyFetch{}, now.instant + kIdentifyTimeout, now);
    return;
  }
  at->second.identify = std::move(*message);
  at->second.is_identified = true;
  note_identify(at->first, at->second, now);
}

void Host::push_received(Link& link, Result<Identify> message, Now now) {
  const auto at = neighbours_.find(*link.peer);
  if (at == neighbours_.end()) return;
  if (!message || (message->public_key && !link.peer->matches(*message->public_key))) {
    effects_.events.emplace_back(
        PeerIdentifyFailed{*link.peer, message ? "push: the public key is not the one of the channel"
                                               : "push: " + message.error().message});
    return;
  }
  apply_identify_push(at->second.identify, std::move(*message));
  // A push may come before the answer to our own identify stream, which then replaces it.
  if (at->second.is_identified) note_identify(at->first, at->second, now);
}

void Host::note_identify(const PeerId& peer, Neighbour& neighbour, Now now) {
  if (neighbour.identify.signed_peer_record) {
    auto record = verify_peer_record(*neighbour.identify.signed_peer_record, peer);
    if (record && (!neighbour.record || supersedes(*record, *neighbour.record))) {
      neighbour.record = std::move(*record);
      router_.set_peer_record(peer, *neighbour.identify.signed_peer_record);
    }
  }
  effects_.events.emplace_back(PeerIdentified{peer, neighbour.identify, neighbour.record});
  refresh_pubsub(peer, neighbour, now);
}

}  // namespace kms::net
