#include "net/object_exchange.h"

#include <algorithm>

namespace kms::net {

namespace {

constexpr std::size_t kRequestBytesMax = 64;

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
    host_.service_reset(finished->stream, now);
    broke_off(at, counters_.lost, now);
    return true;
  } else if (const auto* lost = std::get_if<ServiceGone>(&event)) {
    if (serving_.contains(lost->stream)) {
      end_serving(lost->stream);
      return true;
    }
    if (ending_.erase(lost->stream) > 0) return true;
    const auto at = transfers_.find(lost->stream);
    if (at == transfers_.end()) return false;
    broke_off(at, counters_.lost, now);
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
    host_.service_reset(stream, now);
    if (const auto at = transfers_.find(stream); at != transfers_.end()) broke_off(at, counters_.stalled, now);
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
  for (const auto& [name, pull] : pulls_) {
    if (pull.stream || pull.is_given) continue;
    consider(pull.ends_at);
    // What was due already waits for a place, not for time.
    for (const auto& [peer, source] : pull.sources) {
      if (!source.is_over && source.again_at > looked_at_) consider(source.again_at);
    }
  }
  return at;
}

}  // namespace kms::net
