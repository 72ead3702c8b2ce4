#include "net/discovery.h"

#include <algorithm>

namespace kms::net {

namespace {

constexpr std::size_t kInboundStreamsMax = 2;
constexpr Duration kStreamIdle = 10s;

}  // namespace

std::string peers_protocol(const std::string& network) {
  return "/kms/" + network + "/peers/1";
}

Discovery::Discovery(Host& host, const std::string& network, DiscoveryOptions options, Entropy& entropy, Now now)
    : host_(host),
      protocol_(peers_protocol(network)),
      options_(options),
      entropy_(entropy),
      book_(host.peer_id(), options.book),
      missing_delay_(options.missing_first),
      ask_at_(now.instant) {
  Service service;
  service.protocol = protocol_;
  service.inbound_per_peer_max = kInboundStreamsMax;
  service.idle_max = kStreamIdle;
  host_.add_service(std::move(service), now);
}

void Discovery::set_members(const std::set<PeerId>& members, Now now) {
  const auto before = book_.members();
  book_.set_members(members);
  for (const auto& peer : before) {
    if (book_.members().contains(peer)) continue;
    host_.set_found_addresses(peer, {}, now);
    changes_.insert(peer);
    sources_.erase(peer);
    connected_.erase(peer);
  }
  for (const auto& peer : book_.members()) {
    if (host_.is_connected(peer)) connected_.insert(peer);
  }
  news(now);
}

void Discovery::restore(ByteView envelope, Duration age, Now now) {
  take_record(envelope, std::nullopt, age, now);
}

std::size_t Discovery::missing() const {
  return book_.members().size() - connected_.size();
}

bool Discovery::is_trusted(const PeerId& peer, Now now) const {
  if (!book_.members().contains(peer)) return false;
  const auto distrusted = distrusted_.find(peer);
  if (distrusted != distrusted_.end() && now.instant < distrusted->second) return false;
  const PeerClass peer_class = host_.class_of(peer);
  return peer_class == PeerClass::committee || peer_class == PeerClass::registered;
}

bool Discovery::receive(const HostEvent& event, Now now) {
  if (const auto* up = std::get_if<PeerConnected>(&event)) {
    if (book_.members().contains(up->peer) && connected_.insert(up->peer).second) news(now);
  } else if (const auto* known = std::get_if<PeerIdentified>(&event)) {
    identified(*known, now);
  } else if (const auto* gone = std::get_if<PeerDisconnected>(&event)) {
    book_.confirm(gone->peer, now);
    sources_.erase(gone->peer);
    allowances_.erase(gone->peer);
    if (connected_.erase(gone->peer) > 0) news(now);
  } else if (const auto* pubsub = std::get_if<PubsubEvent>(&event)) {
    const auto* offers = std::get_if<PeersOffered>(pubsub);
    if (offers == nullptr) return false;
    for (const auto& offer : offers->offers) offered(offers->by, offer.peer, offer.signed_record, now);
    return true;
  } else if (const auto* opened = std::get_if<ServiceOpened>(&event)) {
    if (opened->protocol != protocol_) return false;
    stream_opened(*opened, now);
    return true;
  } else if (const auto* bytes = std::get_if<ServiceBytes>(&event)) {
    return stream_bytes(*bytes, now);
  } else if (const auto* finished = std::get_if<ServiceRemoteFinished>(&event)) {
    if (const auto at = asked_.find(finished->stream); at != asked_.end()) {
      drop(finished->stream, now);
      no_answer(at, now);
      return true;
    }
    return served_.contains(finished->stream) || ending_.contains(finished->stream);
  } else if (const auto* lost = std::get_if<ServiceGone>(&event)) {
    if (served_.erase(lost->stream) > 0 || ending_.erase(lost->stream) > 0) return true;
    const auto at = asked_.find(lost->stream);
    if (at == asked_.end()) return false;
    no_answer(at, now);
    return true;
  } else if (const auto* writable = std::get_if<ServiceWritable>(&event)) {
    return served_.contains(writable->stream) || asked_.contains(writable->stream);
  }
  return false;
}

void Discovery::identified(const PeerIdentified& event, Now now) {
  if (!book_.members().contains(event.peer)) return;
  if (event.identify.signed_peer_record) {
    const auto* held = book_.find(event.peer);
    const auto before = held == nullptr ? std::vector<Multiaddr>() : held->addresses;
    const auto taken = take_record(*event.identify.signed_peer_record, event.peer, Duration::zero(), now);
    if (taken.verdict == RecordVerdict::forged) distrust(event.peer, "its own record in identify is not its own", now);
    const bool has_moved = taken.verdict == RecordVerdict::newer && held != nullptr && held->addresses != before;
    for (auto& [peer, source] : sources_) source.has_news = source.has_news || (has_moved && peer != event.peer);
  }
  const auto& protocols = event.identify.protocols;
  const bool speaks = protocols && std::find(protocols->begin(), protocols->end(), protocol_) != protocols->end();
  if (!speaks) {
    sources_.erase(event.peer);
  } else {
    sources_.try_emplace(event.peer);
  }
  ask_due(now);
}

// ---- answering

void Discovery::stream_opened(const ServiceOpened& event, Now) {
  if (event.direction == Direction::inbound) served_.emplace(event.stream, Served{event.peer});
}

bool Discovery::stream_bytes(const ServiceBytes& event, Now now) {
  if (const auto at = served_.find(event.stream); at != served_.end()) {
    host_.service_consumed(event.stream, event.bytes.size(), now);
    serve(event.stream, at->second, event.bytes, now);
    return true;
  }
  if (ending_.erase(event.stream) > 0) {
    drop(event.stream, now);
    return true;
  }
  if (!asked_.contains(event.stream)) return false;
  host_.service_consumed(event.stream, event.bytes.size(), now);
  replied(event.stream, event.bytes, now);
  return true;
}

void Discovery::serve(StreamKey stream, Served& served, ByteView bytes, Now now) {
  const auto fed = served.is_answered ? Result<void>(error("a second request")) : served.request.feed(bytes);
  if (fed && !served.request.is_complete()) return;
  const bool may = fed && may_serve(served.peer, now);
  const auto request = may ? PeersRequest::parse(served.request.body()) : Result<PeersRequest>(error("refused"));
  if (!request) {
    ++counters_.served_refused;
    served_.erase(stream);
    drop(stream, now);
    return;
  }
  served.is_answered = true;
  served.request = LengthFrame(0);
  ++counters_.served;
  note_held(served.peer, *request, now);
  host_.service_send(stream, LengthFrame::encode(reply_to(*request, now).encode()), now);
  host_.service_finish(stream, now);
}

// The asker may know more than we do.
void Discovery::note_held(const PeerId& asker, const PeersRequest& request, Now now) {
  const auto source = sources_.find(asker);
  if (source == sources_.end()) return;
  for (const auto& held : request.held) {
    const auto* entry = book_.find(held.peer);
    const bool is_news = book_.members().contains(held.peer) && held.seq > (entry == nullptr ? 0 : entry->seq);
    if (is_news) source->second.has_news = true;
  }
  ask_due(now);
}

bool Discovery::may_serve(const PeerId& peer, Now now) {
  if (!host_.is_connected(peer)) return false;
  Allowance& allowance = allowances_.try_emplace(peer, Allowance{options_.served_burst, now.instant}).first->second;
  const auto earned = (now.instant - allowance.at) / options_.serve_every;
  if (earned > 0) {
    allowance.left = static_cast<std::uint32_t>(std::min<std::int64_t>(options_.served_burst, allowance.left + earned));
    allowance.at += earned * options_.serve_every;
  }
  if (allowance.left == 0) return false;
  --allowance.left;
  return true;
}

PeersReply Discovery::reply_to(const PeersRequest& request, Now now) const {
  PeersReply reply;
  std::size_t size = 0;
  for (const auto& held : request.held) {
    if (reply.records.size() == PeersReply::kRecordsMax) break;
    const auto* entry = book_.find(held.peer);
    const bool is_self = held.peer == host_.peer_id();
    const std::uint64_t seq = is_self ? host_.record_seq() : entry == nullptr ? 0 : entry->seq;
    if (seq <= held.seq) continue;
    const Bytes& envelope = is_self ? host_.signed_record() : entry->envelope;
    if (envelope.empty() || envelope.size() > PeersReply::kEnvelopeBytesMax) continue;
    size += envelope.size() + 32;
    if (size > PeersReply::kBytesMax) break;
    const bool is_true_now = is_self || connected_.contains(held.peer);
    const Duration age = is_true_now ? Duration::zero() : now.instant - entry->true_at;
    reply.records.push_back({envelope, static_cast<std::uint64_t>(age / 1s)});
  }
  return reply;
}

// ---- asking

// Something changed: who is missing may be found sooner than the last answers made us think.
void Discovery::news(Now now) {
  missing_delay_ = options_.missing_first;
  if (missing() > 0) ask_at_ = std::min(ask_at_, now.instant + jittered(missing_delay_));
}

void Discovery::tick(Now now) {
  std::vector<StreamKey> late;
  for (const auto& [stream, asked] : asked_) {
    if (asked.deadline <= now.instant) late.push_back(stream);
  }
  for (const auto stream : late) {
    drop(stream, now);
    no_answer(asked_.find(stream), now);
  }
  std::erase_if(ending_, [&](const auto& entry) {
    const bool is_late = entry.second <= now.instant;
    if (is_late) drop(entry.first, now);
    return is_late;
  });
  for (const auto& peer : connected_) book_.confirm(peer, now);
  for (const auto& peer : book_.expire(now)) {
    host_.set_found_addresses(peer, {}, now);
    changes_.insert(peer);
  }
  std::erase_if(distrusted_, [&](const auto& entry) { return entry.second <= now.instant; });
  ask_due(now);
}

std::optional<Instant> Discovery::wakes_at() const {
  std::optional<Instant> at = book_.expires_at();
  const auto consider = [&](Instant other) {
    if (!at || other < *at) at = other;
  };
  for (const auto& [stream, asked] : asked_) consider(asked.deadline);
  for (const auto& [stream, deadline] : ending_) consider(deadline);
  if (!sources_.empty() && asked_.size() < options_.requests_max) consider(ask_at_);
  return at;
}

// Sources with news, and new ones as long as somebody is missing, at once; then one in turn whenever it is time.
void Discovery::ask_due(Now now) {
  while (asked_.size() < options_.requests_max) {
    if (const auto eager = next_source(Which::eager, now)) {
      ask(*eager, now);
      continue;
    }
    if (now.instant < ask_at_) break;
    const auto source = next_source(Which::any, now);
    if (!source) break;
    const bool is_missing = missing() > 0;
    ask_at_ = now.instant + jittered(is_missing ? missing_delay_ : options_.refresh_every);
    if (is_missing) missing_delay_ = std::min(2 * missing_delay_, options_.missing_max);
    ask(*source, now);
  }
  // Nobody could be asked.
  if (ask_at_ <= now.instant) ask_at_ = now.instant + jittered(options_.missing_first);
}

bool Discovery::is_eager(const Source& source) const {
  return source.has_news || (source.is_new && missing() > 0);
}

std::optional<PeerId> Discovery::next_source(Which which, Now now) const {
  std::optional<PeerId> best;
  for (const auto& [peer, source] : sources_) {
    if (!is_trusted(peer, now) || (which == Which::eager && !is_eager(source))) continue;
    const bool is_asked =
        std::any_of(asked_.begin(), asked_.end(), [&](const auto& entry) { return entry.second.peer == peer; });
    if (is_asked) continue;
    if (!best || source.asked_at < sources_.at(*best).asked_at) best = peer;
  }
  return best;
}

void Discovery::ask(const PeerId& peer, Now now) {
  Source& source = sources_.at(peer);
  source.is_new = source.has_news = false;
  source.asked_at = now.instant;
  PeersRequest request;
  std::set<PeerId> wanted;
  for (const auto& member : book_.members()) {
    if (request.held.size() == PeersRequest::kHeldMax) break;
    if (member == peer) continue;
    const auto* entry = book_.find(member);
    request.held.push_back({member, entry == nullptr ? 0 : entry->seq});
    wanted.insert(member);
  }
  // What others hold of us: it tells whether our own record is the newest.
  if (request.held.size() < PeersRequest::kHeldMax) request.held.push_back({host_.peer_id(), host_.record_seq()});
  wanted.insert(host_.peer_id());
  ++counters_.asked;
  const auto stream = host_.open_service(peer, protocol_, now);
  if (!stream) {
    ++counters_.unanswered;
    return;
  }
  asked_.emplace(*stream, Asked{peer, std::move(wanted), LengthFrame(PeersReply::kBytesMax),
                                now.instant + options_.answer_timeout});
  host_.service_send(*stream, LengthFrame::encode(request.encode()), now);
  host_.service_finish(*stream, now);
}

void Discovery::no_answer(std::map<StreamKey, Asked>::iterator at, Now now) {
  if (at == asked_.end()) return;
  ++counters_.unanswered;
  asked_.erase(at);
  // The next one soon, not after the delay.
  ask_at_ = std::min(ask_at_, now.instant + options_.missing_first);
}

void Discovery::replied(StreamKey stream, ByteView bytes, Now now) {
  Asked& asked = asked_.at(stream);
  const auto fed = asked.reply.feed(bytes);
  if (fed && !asked.reply.is_complete()) return;
  const Asked done = std::move(asked);
  asked_.erase(stream);
  if (fed) {
    ending_.emplace(stream, done.deadline);
  } else {
    drop(stream, now);
  }
  const auto reply = fed ? PeersReply::parse(done.reply.body()) : Result<PeersReply>(fed.error());
  if (!reply) {
    distrust(done.peer, reply.error().message, now);
  } else {
    take_reply(done.peer, done.wanted, *reply, now);
  }
  ask_due(now);
}

void Discovery::take_reply(const PeerId& from, const std::set<PeerId>& wanted, const PeersReply& reply, Now now) {
  constexpr std::uint64_t kAgeMax = 365 * 24 * 3600;
  for (const auto& record : reply.records) {
    const Duration age = std::chrono::seconds(std::min(record.age_s, kAgeMax));
    const auto [verdict, peer] = take_record(record.envelope, std::nullopt, age, now);
    if (verdict == RecordVerdict::forged) return distrust(from, "it answered with a forged record", now);
    if (!peer || !wanted.contains(*peer)) {
      return distrust(from, "it answered with a record that nobody asked for", now);
    }
  }
}

void Discovery::drop(StreamKey stream, Now now) {
  host_.service_reset(stream, now);
}

PeerBook::Added Discovery::take_record(ByteView envelope, std::optional<PeerId> expected, Duration age, Now now) {
  auto taken = book_.add(envelope, expected, age, now);
  switch (taken.verdict) {
    case RecordVerdict::newer:
      ++counters_.learned;
      changes_.insert(*taken.peer);
      host_.set_found_addresses(*taken.peer, book_.find(*taken.peer)->addresses, now);
      news(now);
      break;
    case RecordVerdict::outrun:
      host_.outrun_record(book_.own_seq(), now);
      break;
    case RecordVerdict::known:
    case RecordVerdict::expired:
      ++counters_.stale;
      break;
    case RecordVerdict::unwanted:
      ++counters_.unwanted;
      break;
    case RecordVerdict::too_often:
      ++counters_.too_often;
      break;
    case RecordVerdict::forged:
      ++counters_.forged;
      break;
  }
  return taken;
}

void Discovery::offered(const PeerId& from, const PeerId& peer, ByteView envelope, Now now) {
  if (!is_trusted(from, now)) {
    ++counters_.offers_ignored;
    return;
  }
  const auto taken = take_record(envelope, peer, Duration::zero(), now);
  if (taken.verdict == RecordVerdict::forged) distrust(from, "it offered a forged record", now);
}

void Discovery::distrust(const PeerId& peer, const std::string& why, Now now) {
  ++counters_.liars;
  distrusted_[peer] = now.instant + options_.distrust_time;
  if (notes_.size() == options_.notes_max) notes_.pop_front();
  notes_.push_back("member " + peer.text() + " is not asked for addresses for a while: " + why);
}

// Uniform in 75% to 125%.
Duration Discovery::jittered(Duration delay) {
  const auto random = entropy_.array<2>();
  const std::int64_t permille = 750 + (random[0] << 8 | random[1]) % 501;
  return delay * permille / 1000;
}

}  // namespace kms::net
