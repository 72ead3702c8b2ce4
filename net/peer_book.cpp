#include "net/peer_book.h"

#include <algorithm>

#include "base/proto_wire.h"

namespace kms::net {
namespace {

struct Claim {
  PeerId peer;
  std::uint64_t seq = 0;
};

// What the envelope says it is, before anything is verified: most records that come are known already.
std::optional<Claim> claim_of(ByteView envelope) {
  ByteView payload;
  ProtoReader reader(envelope);
  while (auto field = reader.next()) {
    if (field->number == 3 && field->type == ProtoReader::Type::bytes) payload = field->bytes;
  }
  if (reader.is_malformed()) return std::nullopt;
  auto record = parse_peer_record(payload);
  if (!record) return std::nullopt;
  return Claim{record->peer, record->seq};
}

bool is_dialable_ip4(ByteView ip, LoopbackUse loopback) {
  if (ip[0] == 127) return loopback == LoopbackUse::accepted;
  const bool is_link_local = ip[0] == 169 && ip[1] == 254;
  return ip[0] != 0 && ip[0] < 224 && !is_link_local;
}

bool is_dialable_ip6(ByteView ip, LoopbackUse loopback) {
  const bool has_zeros = std::all_of(ip.begin(), ip.begin() + 10, [](std::uint8_t byte) { return byte == 0; });
  if (has_zeros && ip[10] == 0xff && ip[11] == 0xff) return is_dialable_ip4(ip.subspan(12), loopback);
  if (has_zeros && std::all_of(ip.begin() + 10, ip.begin() + 15, [](std::uint8_t byte) { return byte == 0; })) {
    return ip[15] == 1 && loopback == LoopbackUse::accepted;
  }
  const bool is_link_local = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
  return ip[0] != 0xff && !is_link_local;
}

}  // namespace

bool is_dialable(const Multiaddr& address, LoopbackUse loopback) {
  const auto target = tcp_target_of(address);
  if (!target || target->port == 0) return false;
  const auto& host = address.parts().front();
  if (host.code == Multiaddr::Code::ip4) return is_dialable_ip4(host.value, loopback);
  if (host.code == Multiaddr::Code::ip6) return is_dialable_ip6(host.value, loopback);
  return target->host != "localhost" || loopback == LoopbackUse::accepted;
}

void PeerBook::set_members(const std::set<PeerId>& members) {
  members_.clear();
  for (const auto& member : members) {
    if (member != self_ && members_.size() < options_.peers_max) members_.insert(member);
  }
  const auto is_gone = [&](const auto& entry) { return !members_.contains(entry.first); };
  std::erase_if(entries_, is_gone);
  std::erase_if(allowances_, is_gone);
}

PeerBook::Added PeerBook::add(ByteView envelope, std::optional<PeerId> expected, Duration age, Now now) {
  if (envelope.size() > options_.envelope_bytes_max) return {RecordVerdict::forged};
  const auto claim = claim_of(envelope);
  if (!claim) return {RecordVerdict::forged};
  const PeerId& peer = claim->peer;
  if (expected && peer != *expected) return {RecordVerdict::forged, peer};
  const bool is_ours = peer == self_;
  if (!is_ours && !members_.contains(peer)) return {RecordVerdict::unwanted, peer};
  const auto held = entries_.find(peer);
  const bool is_known = is_ours ? claim->seq <= own_seq_ : held != entries_.end() && claim->seq <= held->second.seq;
  if (is_known) return {RecordVerdict::known, peer};
  if (age >= options_.expires_after) return {RecordVerdict::expired, peer};
  if (!is_ours && !may_update(peer, now)) return {RecordVerdict::too_often, peer};
  const auto record = verify_peer_record(envelope, peer);
  if (!record) return {RecordVerdict::forged, peer};
  if (is_ours) {
    own_seq_ = record->seq;
    return {RecordVerdict::outrun, peer};
  }
  // Forged ones do not count: nobody can use up the allowance of another peer.
  --allowances_[peer].left;
  entries_.insert_or_assign(peer, Entry{to_bytes(envelope), record->seq, usable(record->addresses), now.instant - age});
  return {RecordVerdict::newer, peer};
}

bool PeerBook::may_update(const PeerId& peer, Now now) {
  auto [at, is_new] = allowances_.try_emplace(peer, Allowance{options_.updates_burst, now.instant});
  Allowance& allowance = at->second;
  const auto earned = (now.instant - allowance.at) / options_.update_every;
  if (earned > 0) {
    allowance.left =
        static_cast<std::uint32_t>(std::min<std::int64_t>(options_.updates_burst, allowance.left + earned));
    allowance.at += earned * options_.update_every;
  }
  return allowance.left > 0;
}

std::vector<Multiaddr> PeerBook::usable(const std::vector<Multiaddr>& addresses) const {
  std::vector<Multiaddr> out;
  for (const auto& address : addresses) {
    if (out.size() == options_.addresses_max) break;
    if (!is_dialable(address, options_.loopback)) continue;
    auto bare = address.without_peer_id();
    if (std::find(out.begin(), out.end(), bare) == out.end()) out.push_back(std::move(bare));
  }
  return out;
}

void PeerBook::confirm(const PeerId& peer, Now now) {
  if (const auto at = entries_.find(peer); at != entries_.end()) at->second.true_at = now.instant;
}

std::vector<PeerId> PeerBook::expire(Now now) {
  std::vector<PeerId> gone;
  std::erase_if(entries_, [&](const auto& entry) {
    const bool is_over = entry.second.true_at + options_.expires_after <= now.instant;
    if (is_over) gone.push_back(entry.first);
    return is_over;
  });
  return gone;
}

std::optional<Instant> PeerBook::expires_at() const {
  std::optional<Instant> at;
  for (const auto& [peer, entry] : entries_) {
    const Instant end = entry.true_at + options_.expires_after;
    if (!at || end < *at) at = end;
  }
  return at;
}

const PeerBook::Entry* PeerBook::find(const PeerId& peer) const {
  const auto at = entries_.find(peer);
  return at == entries_.end() ? nullptr : &at->second;
}

}  // namespace kms::net
