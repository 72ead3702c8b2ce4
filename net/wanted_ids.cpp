#include "net/wanted_ids.h"

#include <algorithm>

namespace kms::net {
namespace {

constexpr std::size_t kOthersMax = 8;

}  // namespace

std::size_t WantedIds::asked_of(const PeerId& peer) const {
  auto at = asked_.find(peer);
  return at == asked_.end() ? 0 : at->second;
}

void WantedIds::count_down(const PeerId& peer) {
  auto at = asked_.find(peer);
  if (--at->second == 0) asked_.erase(at);
}

void WantedIds::ask(Wanted& wanted, const PeerId& peer, Instant now) {
  ++asked_[peer];
  count_down(wanted.asked);
  wanted.asked = peer;
  wanted.asked_at = now;
}

WantedIds::Entries::iterator WantedIds::erase(Entries::iterator at) {
  count_down(at->second.asked);
  return wanted_.erase(at);
}

WantedIds::Answer WantedIds::announced(const MessageId& id, const PeerId& from, Share share, Instant now) {
  auto at = wanted_.find(id);
  if (at == wanted_.end()) {
    std::size_t free = share.places - std::min(share.places, wanted_.size());
    if (asked_of(from) >= free >> std::min<std::size_t>(share.halvings, 63)) return Answer::no_place;
    wanted_.emplace(id, Wanted{from, now, {}});
    ++asked_[from];
    return Answer::ask;
  }
  Wanted& wanted = at->second;
  if (now < wanted.asked_at + patience_) {
    bool is_known =
        wanted.asked == from || std::find(wanted.others.begin(), wanted.others.end(), from) != wanted.others.end();
    if (!is_known && wanted.others.size() < kOthersMax) wanted.others.push_back(from);
    return Answer::wait;
  }
  if (wanted.asked == from && !wanted.others.empty()) return Answer::wait;  // it had its chance
  std::erase(wanted.others, from);
  ask(wanted, from, now);
  return Answer::ask;
}

std::map<PeerId, std::vector<MessageId>> WantedIds::overdue(std::size_t ids_max, Instant now) {
  std::map<PeerId, std::vector<MessageId>> out;
  for (auto& [id, wanted] : wanted_) {
    if (wanted.others.empty() || now < wanted.asked_at + patience_) continue;
    PeerId next = wanted.others.front();
    wanted.others.erase(wanted.others.begin());
    ask(wanted, next, now);
    auto& ids = out[next];
    if (ids.size() < ids_max) ids.push_back(id);
  }
  return out;
}

std::vector<PeerId> WantedIds::arrived(const MessageId& id) {
  auto at = wanted_.find(id);
  if (at == wanted_.end()) return {};
  std::vector<PeerId> announcers = std::move(at->second.others);
  announcers.push_back(at->second.asked);
  erase(at);
  return announcers;
}

void WantedIds::left(const PeerId& peer) {
  if (asked_of(peer) == 0) return;
  for (auto at = wanted_.begin(); at != wanted_.end();) {
    bool is_lost = at->second.asked == peer && at->second.others.empty();
    at = is_lost ? erase(at) : std::next(at);
  }
}

void WantedIds::expire(Duration life, Instant now) {
  for (auto at = wanted_.begin(); at != wanted_.end();) {
    bool is_over = at->second.others.empty() && now >= at->second.asked_at + life;
    at = is_over ? erase(at) : std::next(at);
  }
}

}  // namespace kms::net
