// The giving half of ObjectExchange.
#include "net/object_exchange.h"

namespace kms::net {

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
