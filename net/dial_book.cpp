#include "net/dial_book.h"

#include <algorithm>

namespace kms::net {

Result<void> DialBook::set_peers(const std::vector<Multiaddr>& addresses, Now now) {
  std::map<PeerId, std::vector<Multiaddr>> wanted;
  for (const auto& address : addresses) {
    const auto peer = address.peer_id();
    if (!peer) return error("the peer address " + address.text() + " names no peer: add /p2p/ID at its end");
    if (auto target = tcp_target_of(address); !target) return target.error();
    if (*peer == self_) continue;
    auto& list = wanted[*peer];
    if (list.size() >= options_.addresses_per_peer_max) return error("too many addresses of peer " + peer->text());
    if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
  }
  if (wanted.size() > options_.peers_max) {
    return error("the peer list names " + std::to_string(wanted.size()) + " peers; at most " +
                 std::to_string(options_.peers_max) + " are kept connected");
  }
  std::erase_if(peers_, [&](const auto& entry) {
    const bool gone = !wanted.contains(entry.first);
    if (gone && entry.second.state == State::dialling) --dialling_;
    return gone;
  });
  for (auto& [peer, list] : wanted) {
    auto [at, is_new] = peers_.try_emplace(peer);
    at->second.addresses = std::move(list);
    at->second.next_address %= at->second.addresses.size();
    if (is_new) at->second.at = now.instant + (peer < self_ ? jittered(options_.yield_delay) : Duration::zero());
  }
  return {};
}

std::vector<DialBook::Attempt> DialBook::take_due(Now now) {
  std::vector<Attempt> due;
  for (auto& [peer, entry] : peers_) {
    if (dialling_ >= options_.dials_max) break;
    if (entry.state != State::waiting || entry.at > now.instant) continue;
    entry.state = State::dialling;
    ++dialling_;
    due.push_back({peer, entry.addresses[entry.next_address]});
    entry.next_address = (entry.next_address + 1) % entry.addresses.size();
  }
  return due;
}

std::optional<Instant> DialBook::wakes_at() const {
  std::optional<Instant> at;
  if (dialling_ >= options_.dials_max) return at;
  for (const auto& [peer, entry] : peers_) {
    if (entry.state == State::waiting && (!at || entry.at < *at)) at = entry.at;
  }
  return at;
}

void DialBook::connected(const PeerId& peer, Now now) {
  const auto at = peers_.find(peer);
  if (at == peers_.end() || at->second.state == State::connected) return;
  if (at->second.state == State::dialling) --dialling_;
  at->second.state = State::connected;
  at->second.at = now.instant;
}

void DialBook::failed(const PeerId& peer, Now now) {
  const auto at = peers_.find(peer);
  if (at == peers_.end() || at->second.state != State::dialling) return;
  --dialling_;
  at->second.state = State::waiting;
  at->second.at = now.instant + delay_after(at->second.failures);
  ++at->second.failures;
}

void DialBook::disconnected(const PeerId& peer, Now now) {
  const auto at = peers_.find(peer);
  if (at == peers_.end() || at->second.state != State::connected) return;
  Entry& entry = at->second;
  if (now.instant - entry.at >= options_.stable_after) entry.failures = 0;
  entry.state = State::waiting;
  entry.at = now.instant + delay_after(entry.failures);
  ++entry.failures;
}

Duration DialBook::delay_after(std::uint32_t failures) {
  Duration delay = options_.first_delay;
  for (std::uint32_t i = 0; i < failures && delay < options_.delay_max; ++i) delay *= 2;
  return jittered(std::min(delay, options_.delay_max));
}

// Uniform in 75% to 125%.
Duration DialBook::jittered(Duration delay) {
  const auto random = entropy_.array<2>();
  const std::int64_t permille = 750 + (random[0] << 8 | random[1]) % 501;
  return delay * permille / 1000;
}

}  // namespace kms::net
