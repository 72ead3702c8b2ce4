// The getting half of ObjectExchange.
#include <algorithm>

#include "net/object_exchange.h"

namespace kms::net {

namespace {

constexpr std::size_t kReplyBytesMax = kObjectBytesMax + 64;

}  // namespace

bool ObjectExchange::pull(const ObjectName& name, Now now) {
  const auto at = pulls_.find(name);
  if (at == pulls_.end() && pulls_.size() >= options_.pulls_max) return refuse();
  Pull& pull = at == pulls_.end() ? begin_pull(name, now) : at->second;
  pull.announced_by.reset();
  start_due(now);
  return true;
}

bool ObjectExchange::pull_announced(const ObjectName& name, const PeerId& announcer, Now now) {
  if (!pulls_.contains(name)) {
    if (pulls_.size() >= options_.pulls_max || announced_by(std::nullopt) >= options_.announced_max ||
        announced_by(announcer) >= options_.announced_per_peer_max) {
      return refuse();
    }
    begin_pull(name, now).announced_by = announcer;
  }
  Pull& pull = pulls_.at(name);
  const bool is_new = std::find(pull.preferred.begin(), pull.preferred.end(), announcer) == pull.preferred.end();
  if (is_new && pull.preferred.size() < options_.sources_max) pull.preferred.push_back(announcer);
  // It did not have it when it was asked, and has it now.
  if (const auto source = pull.sources.find(announcer); is_new && source != pull.sources.end()) {
    source->second.is_over = false;
  }
  start_due(now);
  return true;
}

ObjectExchange::Pull& ObjectExchange::begin_pull(const ObjectName& name, Now now) {
  Pull& pull = pulls_[name];
  pull.since = now.instant;
  pull.ends_at = now.instant + options_.pull_max;
  return pull;
}

// Pulls that stand on an announcement only, of this peer or of anybody.
std::size_t ObjectExchange::announced_by(const std::optional<PeerId>& peer) const {
  return static_cast<std::size_t>(std::count_if(pulls_.begin(), pulls_.end(), [&](const auto& entry) {
    return entry.second.announced_by && (!peer || entry.second.announced_by == peer);
  }));
}

bool ObjectExchange::refuse() {
  ++counters_.refused;
  return false;
}

void ObjectExchange::forget(const ObjectName& name, Now now) {
  const auto at = pulls_.find(name);
  if (at == pulls_.end()) return;
  if (at->second.stream) {
    transfers_.erase(*at->second.stream);
    host_.service_reset(*at->second.stream, now);
  }
  pulls_.erase(at);
  start_due(now);
}

// ---- whom to ask

bool ObjectExchange::is_liar(const PeerId& peer, Now now) const {
  const auto liar = liars_.find(peer);
  return liar != liars_.end() && now.instant < liar->second;
}

bool ObjectExchange::may_ask(const PeerId& peer, Now now) const {
  if (!members_.contains(peer) || !speakers_.contains(peer) || is_liar(peer, now)) return false;
  const PeerClass peer_class = host_.class_of(peer);
  if (peer_class != PeerClass::committee && peer_class != PeerClass::registered) return false;
  const auto busy =
      std::count_if(transfers_.begin(), transfers_.end(), [&](const auto& entry) { return entry.second.peer == peer; });
  return static_cast<std::size_t>(busy) < options_.streams_per_peer_max;
}

bool ObjectExchange::is_due(const Pull& pull, const PeerId& peer, Now now) const {
  const auto source = pull.sources.find(peer);
  if (source == pull.sources.end()) return pull.sources.size() < options_.sources_max;
  return !source->second.is_over && source->second.again_at <= now.instant;
}

// Announcers in the order they came, then whoever was asked least.
std::optional<PeerId> ObjectExchange::next_source(const Pull& pull, Now now) const {
  if (pull.ends_at <= now.instant) return std::nullopt;
  for (const auto& peer : pull.preferred) {
    if (is_due(pull, peer, now) && may_ask(peer, now)) return peer;
  }
  std::optional<PeerId> best;
  const auto uses = [&](const PeerId& peer) {
    const auto at = used_.find(peer);
    return at == used_.end() ? std::uint64_t{0} : at->second;
  };
  for (const auto& peer : speakers_) {
    if (!is_due(pull, peer, now) || !may_ask(peer, now)) continue;
    if (!best || uses(peer) < uses(*best)) best = peer;
  }
  return best;
}

// Somebody is busy, away, or to be asked again later.
bool ObjectExchange::has_hope(const Pull& pull, Now now) const {
  if (pull.ends_at <= now.instant) return false;
  const auto may_help = [&](const PeerId& peer) {
    const auto source = pull.sources.find(peer);
    const bool is_open =
        source == pull.sources.end() ? pull.sources.size() < options_.sources_max : !source->second.is_over;
    return is_open && members_.contains(peer) && !is_liar(peer, now);
  };
  const auto may_help_again = [&](const auto& source) { return may_help(source.first); };
  return pull.sources.empty() || std::any_of(pull.preferred.begin(), pull.preferred.end(), may_help) ||
         std::any_of(speakers_.begin(), speakers_.end(), may_help) ||
         std::any_of(pull.sources.begin(), pull.sources.end(), may_help_again);
}

// What the node lacks before what is announced, then what was asked for least, so that a member that stalls again and
// again does not hold up what nobody was asked for yet.
void ObjectExchange::start_due(Now now) {
  looked_at_ = now.instant;
  std::vector<std::tuple<bool, std::size_t, Instant, ObjectName>> waiting;
  for (const auto& [name, pull] : pulls_) {
    if (pull.stream || pull.is_given) continue;
    waiting.emplace_back(pull.announced_by.has_value(), pull.requests, pull.since, name);
  }
  std::sort(waiting.begin(), waiting.end());
  for (const auto& [is_announced, requests, since, name] : waiting) {
    Pull& pull = pulls_.at(name);
    while (!pull.stream && transfers_.size() < options_.streams_max) {
      const auto peer = next_source(pull, now);
      if (!peer) break;
      start(name, pull, *peer, now);
    }
    if (pull.stream || has_hope(pull, now)) continue;
    ++counters_.failed;
    pulls_.erase(name);
  }
}

// ---- one transfer

// Without a stream afterwards: it could not be opened, and the source is asked again later.
void ObjectExchange::start(const ObjectName& name, Pull& pull, const PeerId& peer, Now now) {
  pull.sources.try_emplace(peer);
  ++pull.requests;
  ++used_[peer];
  ++counters_.asked;
  const auto stream = host_.open_service(peer, protocol_, now);
  if (stream && host_.service_send(*stream, LengthFrame::encode(encode_object_request(name)), now)) {
    pull.stream = *stream;
    transfers_.emplace(*stream, Transfer{name, peer, LengthFrame(kReplyBytesMax), now.instant + options_.stall_max,
                                         now.instant + options_.transfer_max});
    host_.service_finish(*stream, now);
    return;
  }
  if (stream) host_.service_reset(*stream, now);
  ++counters_.lost;
  ask_again_later(pull, peer, now);
}

void ObjectExchange::ask_again_later(Pull& pull, const PeerId& peer, Now now) {
  Source& source = pull.sources[peer];
  const Duration delay = options_.retry_first * (1 << std::min<std::uint32_t>(source.failures, 10));
  source.again_at = now.instant + std::min(delay, options_.retry_max);
  ++source.failures;
}

void ObjectExchange::replied(StreamKey stream, ByteView bytes, Now now) {
  Transfer& transfer = transfers_.at(stream);
  transfer.stalls_at = now.instant + options_.stall_max;
  const auto fed = transfer.reply.feed(bytes);
  if (fed && !transfer.reply.is_complete()) return;
  const Transfer done = std::move(transfer);
  transfers_.erase(stream);
  const auto pull = pulls_.find(done.name);
  if (pull != pulls_.end()) pull->second.stream.reset();
  if (!fed) {
    host_.service_reset(stream, now);
    lied(done.name, done.peer, fed.error().message, now);
  } else {
    ending_.emplace(stream, done.ends_at);
    if (pull != pulls_.end()) take_reply(done, pull->second, now);
  }
  start_due(now);
}

void ObjectExchange::take_reply(const Transfer& transfer, Pull& pull, Now now) {
  const auto reply = parse_object_reply(transfer.reply.body());
  if (!reply) return lied(transfer.name, transfer.peer, reply.error().message, now);
  switch (reply->status) {
    case ObjectStatus::here:
      pull.is_given = true;
      events_.emplace_back(ObjectGiven{transfer.name, transfer.peer, to_bytes(reply->object)});
      break;
    case ObjectStatus::absent:
      ++counters_.absent;
      pull.sources[transfer.peer].is_over = true;
      // Another announcement of it would be news.
      std::erase(pull.preferred, transfer.peer);
      break;
    case ObjectStatus::busy:
      ++counters_.absent;
      ask_again_later(pull, transfer.peer, now);
      break;
  }
}

void ObjectExchange::judge(const ObjectName& name, const PeerId& from, ObjectUse use, Now now) {
  const auto at = pulls_.find(name);
  if (at == pulls_.end() || !at->second.is_given) return;
  at->second.is_given = false;
  if (use == ObjectUse::taken) {
    ++counters_.pulled;
    pulls_.erase(at);
  } else if (use == ObjectUse::forged) {
    lied(name, from, "other bytes than the name says", now);
  } else {
    ++counters_.useless;
    at->second.sources[from].is_over = true;
  }
  start_due(now);
}

void ObjectExchange::lied(const ObjectName& name, const PeerId& peer, const std::string& why, Now now) {
  ++counters_.liars;
  liars_[peer] = now.instant + options_.distrust_time;
  if (const auto pull = pulls_.find(name); pull != pulls_.end()) pull->second.sources[peer].is_over = true;
  if (notes_.size() == options_.notes_max) notes_.pop_front();
  notes_.push_back("member " + peer.text() + " is not asked for objects for a while: asked for " + to_hex(name) + ": " +
                   why);
}

void ObjectExchange::broke_off(std::map<StreamKey, Transfer>::iterator at, std::uint64_t& counter, Now now) {
  ++counter;
  const Transfer broken = std::move(at->second);
  transfers_.erase(at);
  if (const auto pull = pulls_.find(broken.name); pull != pulls_.end()) {
    pull->second.stream.reset();
    ask_again_later(pull->second, broken.peer, now);
  }
  start_due(now);
}

}  // namespace kms::net
