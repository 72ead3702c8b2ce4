// Large objects: announced instead of gossiped, pulled, served.
#include "base/assert.h"
#include "node/node_core_impl.h"

namespace kms::node {

// What the ceremony lacks is pulled from one member after another instead of being asked of all; what is large is
// announced.
void NodeCore::Impl::send(const dkg::SlotId& slot, dkg::Envelope&& envelope, NodeEffects& to) {
  if (envelope.type == dkg::MessageType::fetch) {
    auto fetch = dkg::Fetch::parse(envelope.body);
    KMS_ASSERT(fetch.has_value());
    for (const dkg::ObjectId& id : fetch->hashes) to.pull.push_back({id, std::nullopt});
    return;
  }
  if (envelope.body.size() > options.gossiped_object_bytes_max) {
    if (auto id = streamed_object_id(envelope)) {
      shelf.put(*id, envelope.encode());
      dkg::HaveObjects announcement{slot.bytes, {*id}};
      outbox.add(Topic::ceremony, {}, dkg::wrap(announcement, self, terms.network));
      return;
    }
  }
  outbox.add(Topic::ceremony, {}, envelope);
}

bool NodeCore::Impl::holds(const dkg::ObjectId& id) const {
  return shelf.find(id) != nullptr || (epochs && epochs->find_object(id).has_value());
}

void NodeCore::Impl::receive_announcement(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects) {
  auto announced = dkg::HaveObjects::parse(item.body);
  // A released epoch needs nothing more of its ceremony.
  if (!announced || !epochs || author == self || !epochs->is_open(announced->scope)) return;
  for (const dkg::ObjectId& id : announced->hashes) {
    if (!holds(id)) effects.pull.push_back({id, author});
  }
}

std::optional<Bytes> NodeCore::find_object(const dkg::ObjectId& id) const {
  if (const Bytes* own = impl_->shelf.find(id)) return *own;
  if (!impl_->epochs) return std::nullopt;
  auto envelope = impl_->epochs->find_object(id);
  if (!envelope) return std::nullopt;
  return envelope->encode();
}

TakenObject NodeCore::take_object(const dkg::ObjectId& id, const dkg::NodeId& from, ByteView bytes, Now now) {
  TakenObject out;
  const NetworkTerms& terms = impl_->terms;
  auto envelope = named_object(id, bytes, terms.network, impl_->roster, from);
  if (!envelope) {
    // Whose signer has left the committee meanwhile cannot be checked any more, which is not the giver's fault.
    const auto unchecked = dkg::Envelope::parse(bytes);
    const bool is_signer_gone =
        unchecked && dkg::is_signed(unchecked->type) && !impl_->roster.contains(unchecked->sender);
    out.verdict = is_signer_gone ? ObjectVerdict::useless : ObjectVerdict::forged;
    return out;
  }
  if (!impl_->epochs) return out;
  Epochs& epochs = *impl_->epochs;
  if (epochs.wants(id)) {
    dkg::FetchReply reply{{to_bytes(bytes)}};
    impl_->apply(epochs.receive(dkg::wrap(reply, from, terms.network), from, now), out.effects, now);
    if (epochs.wants(id)) out.verdict = ObjectVerdict::useless;
  } else {
    impl_->apply(epochs.receive(*envelope, from, now), out.effects, now);
    const bool is_chain = envelope->type == dkg::MessageType::epoch_chain;
    if (is_chain && !epochs.newest()) out.verdict = ObjectVerdict::useless;
  }
  impl_->send_status(now);
  return out;
}

}  // namespace kms::node
