#include "net/object_exchange.h"

#include <algorithm>

namespace kms::net {

namespace {

constexpr std::size_t kRequestBytesMax = 64;
constexpr std::size_t kReplyBytesMax = kObjectBytesMax + 64;

}  // namespace

ObjectExchange::ObjectExchange(Host& host, const std::string& network, ObjectExchangeOptions options, Now now)
    : host_(host), protocol_(objects_protocol(network)), options_(options) {
  Service service;
  service.protocol = protocol_;
  service.inbound_per_peer_max = options_.served_per_peer_max;
  service.allowed = {PeerClass::committee, PeerClass::registered};
  service.idle_max = options_.transfer_max;
  host_.add_service(std::move(service), now);
}

void ObjectExchange::set_members(std::set<PeerId> members, Now now) {
  members_ = std::move(members);
  start_due(now);
}

bool ObjectExchange::pull(const ObjectName& name, Now now) {
  const auto at = pulls_.find(name);
  if (at == pulls_.end() && pulls_.size() >= options_.pulls_max) return refuse();
  if (at == pulls_.end()) pulls_[name].since = now.instant;
  pulls_.at(name).announced_by.reset();
  start_due(now);
  return true;
}

bool ObjectExchange::pull_announced(const ObjectName& name, const PeerId& announcer, Now now) {
  if (!pulls_.contains(name)) {
    if (pulls_.size() >= options_.pulls_max || announced_by(std::nullopt) >= options_.announced_max ||
        announced_by(announcer) >= options_.announced_per_peer_max) {
      return refuse();
    }
    Pull& pull = pulls_[name];
    pull.since = now.instant;
    pull.announced_by = announcer;
  }
  auto& preferred = pulls_.at(name).preferred;
  const bool is_new = std::find(preferred.begin(), preferred.end(), announcer) == preferred.end();
  if (is_new && preferred.size() < options_.sources_max) preferred.push_back(announcer);
  start_due(now);
  return true;
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

// ---- pulling

bool ObjectExchange::may_ask(const PeerId& peer, Now now) const {
  if (!members_.contains(peer) || !speakers_.contains(peer)) return false;
  const auto liar = liars_.find(peer);
  if (liar != liars_.end() && now.instant < liar->second) return false;
  const PeerClass peer_class = host_.class_of(peer);
  if (peer_class != PeerClass::committee && peer_class != PeerClass::registered) return false;
  const auto busy =
      std::count_if(transfers_.begin(), transfers_.end(), [&](const auto& entry) { return entry.second.peer == peer; });
  return static_cast<std::size_t>(busy) < options_.streams_per_peer_max;
}

// Announcers in the order they came, then whoever was asked least.
std::optional<PeerId> ObjectExchange::next_source(const Pull& pull, Now now) const {
  if (pull.asked.size() >= options_.sources_max) return std::nullopt;
  for (const auto& peer : pull.preferred) {
    if (!pull.asked.contains(peer) && may_ask(peer, now)) return peer;
  }
  std::optional<PeerId> best;
  const auto uses = [&](const PeerId& peer) {
    const auto at = used_.find(peer);
    return at == used_.end() ? std::uint64_t{0} : at->second;
  };
  for (const auto& peer : speakers_) {
    if (pull.asked.contains(peer) || !may_ask(peer, now)) continue;
    if (!best || uses(peer) < uses(*best)) best = peer;
  }
  return best;
}

void ObjectExchange::start_due(Now now) {
  std::vector<std::tuple<bool, Instant, ObjectName>> waiting;
  for (const auto& [name, pull] : pulls_) {
    if (!pull.stream && !pull.is_given) waiting.emplace_back(pull.announced_by.has_value(), pull.since, name);
  }
  std::sort(waiting.begin(), waiting.end());
  for (const auto& [is_announced, since, name] : waiting) {
    if (transfers_.size() >= options_.streams_max) return;
    Pull& pull = pulls_.at(name);
    if (const auto peer = next_source(pull, now)) {
      start(name, pull, *peer, now);
      continue;
    }
    // Sources that are only busy come free again; with none left the pull has failed.
    const bool has_more = pull.asked.size() < options_.sources_max &&
                          std::any_of(speakers_.begin(), speakers_.end(), [&](const PeerId& peer) {
                            const auto liar = liars_.find(peer);
                            return !pull.asked.contains(peer) && members_.contains(peer) &&
                                   (liar == liars_.end() || liar->second <= now.instant);
                          });
    if (has_more && !transfers_.empty()) continue;
    ++counters_.failed;
    pulls_.erase(name);
  }
}

void ObjectExchange::start(const ObjectName& name, Pull& pull, const PeerId& peer, Now now) {
  pull.asked.insert(peer);
  ++used_[peer];
  ++counters_.asked;
  const auto stream = host_.open_service(peer, protocol_, now);
  if (!stream) {
    ++counters_.lost;
    return;
  }
  pull.stream = *stream;
  transfers_.emplace(*stream, Transfer{name, peer, LengthFrame(kReplyBytesMax), now.instant + options_.stall_max,
                                       now.instant + options_.transfer_max});
  host_.service_send(*stream, LengthFrame::encode(encode_object_request(name)), now);
  host_.service_finish(*stream, now);
}

void ObjectExchange::replied(StreamKey stream, ByteView bytes, Now now) {
  Transfer& transfer = transfers_.at(stream);
  transfer.stalls_at = now.instant + options_.stall_max;
  const auto fed = transfer.reply.feed(bytes);
  if (fed && !transfer.reply.is_complete()) return;
  const Transfer done = std::move(transfer);
  transfers_.erase(stream);
  if (const auto at = pulls_.find(done.name); at != pulls_.end()) at->second.stream.reset();
  if (!fed) {
    host_.service_reset(stream, now);
    lied(done.name, done.peer, fed.error().message, now);
  } else {
    ending_.emplace(stream, done.ends_at);
    take_reply(done, now);
  }
  start_due(now);
}

void ObjectExchange::take_reply(const Transfer& transfer, Now now) {
  const auto reply = parse_object_reply(transfer.reply.body());
  if (!reply) return lied(transfer.name, transfer.peer, reply.error().message, now);
  if (reply->status != ObjectStatus::here) {
    ++counters_.absent;
    return;
  }
  const auto at = pulls_.find(transfer.name);
  if (at == pulls_.end()) return;
  at->second.is_given = true;
  events_.emplace_back(ObjectGiven{transfer.name, transfer.peer, to_bytes(reply->object)});
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
  }
  start_due(now);
}

void ObjectExchange::lied(const ObjectName& name, const PeerId& peer, const std::string& why, Now now) {
  ++counters_.liars;
  liars_[peer] = now.instant + options_.distrust_time;
  if (notes_.size() == options_.notes_max) notes_.pop_front();
  notes_.push_back("member " + peer.text() + " is not asked for objects for a while: asked for " + to_hex(name) + ": " +
                   why);
}

void ObjectExchange::next(const ObjectName& name, std::uint64_t& counter, Now now) {
  ++counter;
  if (const auto at = pulls_.find(name); at != pulls_.end()) at->second.stream.reset();
  start_due(now);
}

// ---- events

bool ObjectExchange::receive(const HostEvent& event, Now now) {
  if (const auto* known = std::get_if<PeerIdentified>(&event)) {
    const auto& protocols = known->identify.protocols;
    const bool speaks = protocols && std::find(protocols->begin(), protocols->end(), protocol_) != protocols->end();
    if (!speaks) speakers_.erase(known->peer);
    if (speaks && speakers_.insert(known->peer).second) start_due(now);
  } else if (const auto* gone = std::get_if<PeerDisconnected>(&event)) {
    speakers_.erase(gone->peer);
    allowances_.erase(gone->peer);
    used_.erase(gone->peer);
    start_due(now);
  } else if (const auto* opened = std::get_if<ServiceOpened>(&event)) {
    if (opened->protocol != protocol_) return false;
    if (opened->direction == Direction::inbound) {
      serving_.emplace(opened->stream, Serving{opened->peer, LengthFrame(kRequestBytesMax), false, 0, std::nullopt});
    }
    return true;
  } else if (const auto* bytes = std::get_if<ServiceBytes>(&event)) {
    const bool is_ours = serving_.contains(bytes->stream) || transfers_.contains(bytes->stream);
    if (is_ours) host_.service_consumed(bytes->stream, bytes->bytes.size(), now);
    if (serving_.contains(bytes->stream)) serve(bytes->stream, bytes->bytes, now);
    if (transfers_.contains(bytes->stream)) replied(bytes->stream, bytes->bytes, now);
    if (ending_.contains(bytes->stream) && !is_ours) {
      ending_.erase(bytes->stream);
      host_.service_reset(bytes->stream, now);
      return true;
    }
    return is_ours;
  } else if (const auto* finished = std::get_if<ServiceRemoteFinished>(&event)) {
    const auto at = transfers_.find(finished->stream);
    if (at == transfers_.end()) return serving_.contains(finished->stream) || ending_.contains(finished->stream);
    const ObjectName name = at->second.name;
    transfers_.erase(at);
    host_.service_reset(finished->stream, now);
    next(name, counters_.lost, now);
    return true;
  } else if (const auto* lost = std::get_if<ServiceGone>(&event)) {
    if (serving_.contains(lost->stream)) {
      end_serving(lost->stream);
      return true;
    }
    if (ending_.erase(lost->stream) > 0) return true;
    const auto at = transfers_.find(lost->stream);
    if (at == transfers_.end()) return false;
    const ObjectName name = at->second.name;
    transfers_.erase(at);
    next(name, counters_.lost, now);
    return true;
  } else if (const auto* writable = std::get_if<ServiceWritable>(&event)) {
    return serving_.contains(writable->stream) || transfers_.contains(writable->stream);
  }
  return false;
}

void ObjectExchange::tick(Now now) {
  std::vector<StreamKey> late;
  for (const auto& [stream, transfer] : transfers_) {
    if (std::min(transfer.stalls_at, transfer.ends_at) <= now.instant) late.push_back(stream);
  }
  for (const auto stream : late) {
    const auto at = transfers_.find(stream);
    if (at == transfers_.end()) continue;
    const ObjectName name = at->second.name;
    transfers_.erase(at);
    host_.service_reset(stream, now);
    next(name, counters_.stalled, now);
  }
  late.clear();
  for (const auto& [stream, serving] : serving_) {
    if (serving.ends_at && *serving.ends_at <= now.instant) late.push_back(stream);
  }
  for (const auto stream : late) {
    host_.service_reset(stream, now);
    end_serving(stream);
  }
  std::erase_if(ending_, [&](const auto& entry) {
    const bool is_late = entry.second <= now.instant;
    if (is_late) host_.service_reset(entry.first, now);
    return is_late;
  });
  std::erase_if(liars_, [&](const auto& entry) { return entry.second <= now.instant; });
  start_due(now);
}

std::optional<Instant> ObjectExchange::wakes_at() const {
  std::optional<Instant> at;
  const auto consider = [&](Instant other) {
    if (!at || other < *at) at = other;
  };
  for (const auto& [stream, transfer] : transfers_) consider(std::min(transfer.stalls_at, transfer.ends_at));
  for (const auto& [stream, serving] : serving_) {
    if (serving.ends_at) consider(*serving.ends_at);
  }
  for (const auto& [stream, deadline] : ending_) consider(deadline);
  return at;
}

// ---- serving

void ObjectExchange::serve(StreamKey stream, ByteView bytes, Now now) {
  Serving& serving = serving_.at(stream);
  const auto fed = serving.request.feed(bytes);
  if (fed && !serving.request.is_complete()) return;
  const auto name = fed ? parse_object_request(serving.request.body()) : Result<ObjectName>(fed.error());
  if (!name) {
    ++counters_.served_refused;
    host_.service_reset(stream, now);
    end_serving(stream);
    return;
  }
  serving.is_asked = true;
  serving.ends_at = now.instant + options_.serve_max;
  events_.emplace_back(ObjectAsked{stream, *name});
}

void ObjectExchange::answer(StreamKey stream, const std::optional<Bytes>& object, Now now) {
  const auto at = serving_.find(stream);
  if (at == serving_.end() || !at->second.is_asked) return;
  Serving& serving = at->second;
  serving.is_asked = false;
  ObjectReply reply;
  if (!object || object->size() > kObjectBytesMax) {
    ++counters_.served_absent;
  } else if (!may_serve(serving.peer, object->size(), now)) {
    ++counters_.served_busy;
    reply.status = ObjectStatus::busy;
  } else {
    ++counters_.served;
    reply = {ObjectStatus::here, *object};
    serving.bytes = object->size();
    served_bytes_ += serving.bytes;
  }
  host_.service_send(stream, LengthFrame::encode(encode_object_reply(reply)), now);
  host_.service_finish(stream, now);
}

bool ObjectExchange::may_serve(const PeerId& peer, std::size_t size, Now now) {
  if (served_bytes_ + size > options_.served_bytes_max) return false;
  Allowance& allowance = allowances_.try_emplace(peer, Allowance{options_.peer_bytes_burst, now.instant}).first->second;
  const auto seconds = static_cast<std::size_t>((now.instant - allowance.at) / 1s);
  if (seconds > 0) {
    const std::size_t room = options_.peer_bytes_burst - allowance.left;
    const bool is_full = seconds > room / options_.peer_bytes_per_s;
    allowance.left = is_full ? options_.peer_bytes_burst : allowance.left + seconds * options_.peer_bytes_per_s;
    allowance.at += std::chrono::seconds(seconds);
  }
  if (allowance.left < size) return false;
  allowance.left -= size;
  return true;
}

void ObjectExchange::end_serving(StreamKey stream) {
  const auto at = serving_.find(stream);
  served_bytes_ -= at->second.bytes;
  serving_.erase(at);
}

}  // namespace kms::net
