#include "node/io/peer_records.h"

#include "base/proto_wire.h"

namespace kms::node::io {
namespace {

constexpr std::string_view kPrefix = "net/peers/";
constexpr Duration kSavedWithin = 5s;
constexpr Duration kAllEvery = 6h;

std::string key_of(const net::PeerId& peer) {
  return std::string(kPrefix) + to_hex(peer.bytes());
}

// uvarint(unix_ms when it was last known to be true) || envelope
Bytes value_of(const net::PeerBook::Entry& entry, Now now) {
  const std::int64_t true_ms = now.unix_ms - (now.instant - entry.true_at) / 1ms;
  Bytes out;
  append_uvarint(out, true_ms > 0 ? static_cast<std::uint64_t>(true_ms) : 0);
  append(out, entry.envelope);
  return out;
}

}  // namespace

std::vector<PeerRecords::Kept> PeerRecords::load(Now now) const {
  std::vector<Kept> out;
  if (store_ == nullptr) return out;
  for (const std::string& key : store_->list(kPrefix)) {
    const auto value = store_->find(key);
    Uvarint true_ms;
    if (!value || parse_uvarint(*value, true_ms) != UvarintState::complete) continue;
    const auto passed = now.unix_ms - static_cast<std::int64_t>(true_ms.value);
    out.push_back({to_bytes(ByteView(*value).subspan(true_ms.size)),
                   passed > 0 ? Duration(std::chrono::milliseconds(passed)) : Duration::zero()});
  }
  return out;
}

void PeerRecords::note(const std::set<net::PeerId>& changed, Now now) {
  if (store_ == nullptr) return;
  if (!due_at_) due_at_ = now.instant + kAllEvery;
  if (changed.empty()) return;
  changed_.insert(changed.begin(), changed.end());
  due_at_ = std::min(*due_at_, now.instant + kSavedWithin);
}

void PeerRecords::save(const net::PeerBook& book, Now now) {
  if (changed_.empty()) {
    for (const auto& [peer, entry] : book.entries()) changed_.insert(peer);
  }
  dkg::Checkpoint checkpoint;
  for (const net::PeerId& peer : changed_) {
    if (const auto* entry = book.find(peer)) {
      checkpoint.writes.push_back(dkg::Put{key_of(peer), value_of(*entry, now)});
    } else {
      checkpoint.writes.push_back(dkg::Erase{key_of(peer)});
    }
  }
  changed_.clear();
  due_at_ = now.instant + kAllEvery;
  if (!checkpoint.empty()) store_->commit(checkpoint);
}

}  // namespace kms::node::io
