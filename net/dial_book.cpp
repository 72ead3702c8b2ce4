#include "net/dial_book.h"

#include <algorithm>
#include <utility>

namespace kms::net {

namespace {

// The first list, then what the second one adds.
std::vector<Multiaddr> joined(const std::vector<Multiaddr>& first, const std::vector<Multiaddr>& second) {
  std::vector<Multiaddr> out = first;
  for (const auto& address : second) {
    if (std::find(first.begin(), first.end(), address) == first.end()) out.push_back(address);
  }
  return out;
}

}  // namespace

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
  for (auto& [peer, entry] : peers_) entry.listed.clear();
  std::erase_if(peers_, [&](const auto& entry) {
    const bool gone = !wanted.contains(entry.first) && entry.second.found.empty();
    if (gone && entry.second.state == State::dialling) --dialling_;
    return gone;
  });
  for (auto& [peer, list] : wanted) {
    auto [at, is_new] = peers_.try_emplace(peer);
    at->second.listed = std::move(list);
    if (is_new) at->second.at = first_attempt(peer, now);
  }
  for (auto& [peer, entry] : peers_) {
    entry.addresses = joined(entry.found, entry.listed);
    entry.next_address %= entry.addresses.size();
  }
  return {};
}

void DialBook::set_found(const PeerId& peer, const std::vector<Multiaddr>& addresses, Now now) {
  if (peer == self_) return;
  std::vector<Multiaddr> usable;
  for (const auto& address : addresses) {
    if (usable.size() == options_.addresses_per_peer_max) break;
    auto named = address.with_peer_id(peer);
    const bool is_new = std::find(usable.begin(), usable.end(), named) == usable.end();
    if (is_new && tcp_target_of(named)) usable.push_back(std::move(named));
  }
  auto at = peers_.find(peer);
  if (at == peers_.end()) {
    if (usable.empty() || peers_.size() >= options_.peers_max) return;
    at = peers_.try_emplace(peer).first;
    at->second.at = first_attempt(peer, now);
  }
  Entry& entry = at->second;
  if (entry.found == usable) return;
  auto before = std::exchange(entry.addresses, joined(usable, entry.listed));
  entry.found = std::move(usable);
  if (entry.addresses.empty()) {
    if (entry.state == State::dialling) --dialling_;
    peers_.erase(at);
    return;
  }
  const auto fresh = std::find_if(entry.addresses.begin(), entry.addresses.end(), [&](const Multiaddr& address) {
    return std::find(before.begin(), before.end(), address) == before.end();
  });
  entry.next_address = fresh == entry.addresses.end() ? entry.next_address % entry.addresses.size()
                                                      : static_cast<std::size_t>(fresh - entry.addresses.begin());
  if (fresh == entry.addresses.end()) return;
  entry.failures = 0;
  if (entry.state == State::waiting) entry.at = std::min(entry.at, first_attempt(peer, now));
}

Instant DialBook::first_attempt(const PeerId& peer, Now now) {
  return now.instant + (peer < self_ ? jittered(options_.yield_delay) : Duration::zero());
}

std::vector<DialBook::Attempt> DialBook::take_due(Now now) {
  std::vector<std::pair<Instant, PeerId>> waiting;
  for (const auto& [peer, entry] : peers_) {
    if (entry.state == State::waiting && entry.at <= now.instant) waiting.emplace_back(entry.at, peer);
  }
  std::sort(waiting.begin(), waiting.end());
  std::vector<Attempt> due;
  for (const auto& [at, peer] : waiting) {
    if (dialling_ >= options_.dials_max) break;
    Entry& entry = peers_.at(peer);
    entry.state = State::dialling;
    ++dialling_;
    due.push_back({peer, entry.addresses[entry.next_address]});
    entry.next_address = (entry.next_address + 1) % entry.addresses.size();
  }
  return due;
}

std::vector<DialBook::Attempt> DialBook::addresses() const {
  std::vector<Attempt> out;
  for (const auto& [peer, entry] : peers_) {
    for (const auto& address : entry.addresses) out.push_back({peer, address});
  }
  return out;
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

void DialBook::start_over(Now now) {
  for (auto& [peer, entry] : peers_) {
    entry.failures = 0;
    if (entry.state == State::waiting) entry.at = std::min(entry.at, now.instant + jittered(options_.first_delay));
  }
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
