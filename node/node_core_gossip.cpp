// What members say in batches: to the ceremony, to the responder, to the collector.
#include "node/node_core_impl.h"

namespace kms::node {

void NodeCore::Impl::receive_item(Topic topic, const Origin& origin, const dkg::Envelope& item, NodeEffects& effects,
                                  Now now) {
  if (item.network != terms.network) {
    ++items_refused;
    return;
  }
  switch (topic) {
    case Topic::ceremony:
      return receive_ceremony(origin, item, effects, now);
    case Topic::requests:
      return receive_request(origin.author, item, effects, now);
    case Topic::partials:
      return receive_partial(origin.author.node, item, effects, now);
    case Topic::public_partials:
      return receive_public_partial(origin.author.node, item, effects, now);
  }
}

void NodeCore::Impl::receive_ceremony(const Origin& origin, const dkg::Envelope& item, NodeEffects& effects, Now now) {
  const dkg::NodeId& author = origin.author.node;
  // What carries no signature of its own stands by the author of its batch.
  bool stands_alone = dkg::is_signed(item.type);
  if (!stands_alone && item.sender != author) {
    ++items_refused;
    return;
  }
  if (item.type == dkg::MessageType::node_status) {
    if (is_status_old(author, origin.seqno)) return;
    note_status(author, item, effects);
  }
  if (item.type == dkg::MessageType::have_objects) receive_announcement(author, item, effects);
  if (epochs) apply(epochs->receive(item, author, now), effects, now);
}

// An entry that hears no early learns at once that this member will not answer.
void NodeCore::Impl::refuse_entry(const dkg::NodeId& entry, const Hash32& rh, delegation::RefusalCode code) {
  ++items_refused;
  if (!position) return;
  delegation::Refusal refusal;
  refusal.rh = rh;
  refusal.index = *position;
  refusal.code = code;
  outbox.add(Topic::partials, entry, dkg::wrap(refusal, self, terms.network));
}

void NodeCore::Impl::receive_request(const dkg::Member& author, const dkg::Envelope& item, NodeEffects& effects,
                                     Now now) {
  const dkg::NodeId& from = author.node;
  if (item.sender != from) {
    ++items_refused;
    return;
  }
  if (item.type == delegation::DelegateRequest::kType) {
    auto request = delegation::DelegateRequest::parse(item.body);
    if (!request) {
      ++items_refused;
      return;
    }
    bool listed = entries.contains(from);
    if (!options.form_a || !listed) {
      refuse_entry(from, request->entry.rh,
                   listed ? delegation::RefusalCode::form_off : delegation::RefusalCode::entry);
      return;
    }
    auto key = find_serving(request->key, request->entry.transcript);
    if (!key || key->self == 0) return;  // without a part in that epoch there is nothing to say
    const auto& allowed = gateways(key->chain_id);
    apply(responder.receive(author, std::move(*request), allowed, std::move(key), now), effects);
  } else if (item.type == delegation::PublicRequest::kType) {
    auto request = delegation::PublicRequest::parse(item.body);
    auto key = request ? find_serving(request->key, request->transcript) : nullptr;
    if (!key) {
      ++items_refused;
      return;
    }
    const auto& allowed = gateways(key->chain_id);
    apply(board.receive(author, std::move(*request), allowed, std::move(key), now), effects);
  } else if (item.type == delegation::Need::kType) {
    auto need = delegation::Need::parse(item.body);
    if (!need) return;
    apply(responder.receive(from, *need, now), effects);
    apply(board.receive(from, *need, now), effects);
  } else if (item.type == delegation::Done::kType) {
    auto done = delegation::Done::parse(item.body);
    if (!done) return;
    apply(responder.receive(from, *done), effects);
    apply(board.receive(from, *done), effects);
  } else {
    ++items_refused;
  }
}

void NodeCore::Impl::receive_partial(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects,
                                     Now now) {
  if (item.sender != author) {
    ++items_refused;
    return;
  }
  if (item.type == delegation::SealedA::kType) {
    auto sealed = delegation::SealedA::parse(item.body);
    if (sealed) apply(collector.receive(author, *sealed, now), effects);
  } else if (item.type == delegation::Refusal::kType) {
    auto refusal = delegation::Refusal::parse(item.body);
    if (refusal) apply(collector.receive(author, *refusal, now), effects);
  } else {
    ++items_refused;
  }
}

// Of forms B and C. Whether a partial is any good is judged when a client waits for it.
void NodeCore::Impl::receive_public_partial(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects,
                                            Now now) {
  const auto take = [&](delegation::PublicPartial partial, const dkg::TranscriptHash& transcript) {
    if (auto key = find_serving(transcript)) {
      apply(board.receive(author, std::move(partial), std::move(key), now), effects);
    }
  };
  if (item.sender != author) {
    ++items_refused;
  } else if (item.type == delegation::PartialB::kType) {
    auto partial = delegation::PartialB::parse(item.body);
    if (!partial || !item.signature) return;
    partial->signature = *item.signature;
    const dkg::TranscriptHash transcript = partial->transcript;
    take(std::move(*partial), transcript);
  } else if (item.type == delegation::PartialC::kType) {
    auto partial = delegation::PartialC::parse(item.body);
    if (partial) take(*partial, partial->transcript);
  } else if (item.type == delegation::Refusal::kType) {
    auto refusal = delegation::Refusal::parse(item.body);
    if (refusal) apply(board.receive(author, *refusal, now), effects);
  } else {
    ++items_refused;
  }
}

}  // namespace kms::node
