#include "node/object_shelf.h"

namespace kms::node {

void ObjectShelf::put(const dkg::ObjectId& id, Bytes object) {
  if (object.size() > bytes_max_ || objects_.contains(id)) return;
  while (objects_.size() >= objects_max_ || bytes_ + object.size() > bytes_max_) {
    const auto oldest = objects_.find(order_.front());
    bytes_ -= oldest->second.size();
    objects_.erase(oldest);
    order_.pop_front();
  }
  bytes_ += object.size();
  objects_.emplace(id, std::move(object));
  order_.push_back(id);
}

const Bytes* ObjectShelf::find(const dkg::ObjectId& id) const {
  const auto at = objects_.find(id);
  return at == objects_.end() ? nullptr : &at->second;
}

std::optional<dkg::ObjectId> streamed_object_id(const dkg::Envelope& envelope) {
  switch (envelope.type) {
    case dkg::MessageType::deal:
    case dkg::MessageType::certificate:
    case dkg::MessageType::epoch_chain: {
      const auto message = dkg::parse_message(envelope);
      return message ? dkg::object_id(envelope, *message) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<dkg::Envelope> named_object(const dkg::ObjectId& id, ByteView bytes, const dkg::NetworkId& network,
                                          const std::map<dkg::NodeId, KnownNode>& members, const dkg::NodeId& from) {
  auto envelope = dkg::Envelope::parse(bytes);
  if (!envelope || envelope->network != network) return std::nullopt;
  const auto message = dkg::parse_message(*envelope);
  if (!message) return std::nullopt;
  const auto* value = std::get_if<dkg::Value>(&*message);
  const bool is_list = value != nullptr && dkg::id_cast<dkg::ObjectId>(value->transcript()) == id;
  if (!is_list && dkg::object_id(*envelope, *message) != id) return std::nullopt;
  if (!dkg::is_signed(envelope->type)) return envelope->sender == from ? std::optional(*envelope) : std::nullopt;
  const auto sender = members.find(envelope->sender);
  if (sender == members.end()) return std::nullopt;
  const bool is_signed_well = std::visit(
      [&](const auto& body) {
        if constexpr (requires { body.signing_digest(envelope->network, envelope->sender); }) {
          return dkg::verify_sender(*envelope, body, sender->second.key);
        } else {
          return false;
        }
      },
      *message);
  return is_signed_well ? std::optional(*envelope) : std::nullopt;
}

}  // namespace kms::node
