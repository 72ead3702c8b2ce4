// The envelope every message travels in, and batches of them (PROTOCOL.md 5.6 and 6). Used by ceremonies and by
// delegation, whose bodies are node/delegation's.
#pragma once

#include <variant>

#include "dkg/epoch.h"
#include "dkg/repair_messages.h"

namespace kms::dkg {

struct Envelope {
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kBodyBytesMax = 256 * 1024;
  // Of an EpochChain, which a batch need not hold: large objects go over streams of their own (PROTOCOL.md 6).
  static constexpr std::size_t kChainBytesMax = EpochChain::kBytesMax;
  static constexpr std::size_t body_bytes_max(MessageType type) {
    return type == MessageType::epoch_chain ? kChainBytesMax : kBodyBytesMax;
  }
  NetworkId network;
  MessageType type = MessageType::ready;
  NodeId sender;
  Bytes body;
  std::optional<Signature> signature;  // present iff is_signed(type)
  Bytes encode() const;
  // Version 1, a known type, a body of at most body_bytes_max, a signature where the type has one and only there;
  // canonical.
  static Result<Envelope> parse(ByteView bytes);
};

struct Batch {
  static constexpr std::size_t kItemsMax = 64;
  static constexpr std::size_t kBytesMax = 256 * 1024;
  std::vector<Envelope> items;  // 1 to 64
  Bytes encode() const;         // asserts both limits
  // An item that does not parse spoils the batch; what its body holds is judged later, item by item.
  static Result<Batch> parse(ByteView bytes);
};

// A signed message of this node; M::kType is a signed type.
template <class M>
Envelope seal(const M& message, const crypto::NodeKey& node, const NetworkId& network) {
  NodeId sender{node.node_id()};
  return Envelope{network, M::kType, sender, message.body(), node.sign(message.signing_digest(network, sender))};
}
// An unsigned one: the batch's author stands for it, or it proves itself.
template <class M>
Envelope wrap(const M& message, const NodeId& sender, const NetworkId& network) {
  return Envelope{network, M::kType, sender, message.body(), std::nullopt};
}

// Verifies the sender's signature on a message parsed from this envelope; `key` is the sender's registered key.
template <class M>
bool verify_sender(const Envelope& envelope, const M& message, const crypto::Point& key) {
  return envelope.signature && envelope.sender.bytes == crypto::node_id_of(key) &&
         crypto::verify(key, *envelope.signature, message.signing_digest(envelope.network, envelope.sender));
}

// Ceremony messages, by type.
using Message =
    std::variant<PreKeyAnnounce, Approval, CeremonyHeader, Deal, HaveObjects, Fetch, FetchReply, Complaint,
                 Equivocation, Candidate, Ready, Certificate, Proposal, Vote, Active, Confirm, Emergency, EpochChain,
                 Erased, Value, NodeStatus, RepairRequest, RepairDelta, RepairSigma, RepairComplaint>;
// An error for a type that is not a ceremony's or for a body that does not parse.
Result<Message> parse_message(const Envelope& envelope);
// The id under which an object is announced and fetched (TRANSCRIPTS.md 6, "Object ids"): dh, sid, certificate id,
// h(x), dhash, shash, rid, the hash of an EpochChain's body, else the signature digest. Nothing for messages that are
// no objects (HaveObjects, Fetch, NodeStatus, ..).
std::optional<ObjectId> object_id(const Envelope& envelope, const Message& message);

}  // namespace kms::dkg
