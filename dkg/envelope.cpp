#include "dkg/envelope.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/transcript.h"
#include "dkg/wire.h"

namespace kms::dkg {
namespace {

constexpr std::size_t kHeadBytesMax = 512;
constexpr std::size_t kEnvelopeBytesMax = std::max(Envelope::kBodyBytesMax, Envelope::kChainBytesMax) + kHeadBytesMax;

template <class M>
Result<Message> parse_as(ByteView body) {
  auto parsed = M::parse(body);
  if (!parsed) return parsed.error();
  return Message(std::move(*parsed));
}

}  // namespace

Bytes Envelope::encode() const {
  KMS_ASSERT(signature.has_value() == is_signed(type));
  BodyWriter out;
  out.number(1, kVersion);
  out.id(2, network);
  out.number(3, type);
  out.id(4, sender);
  out.bytes(5, body);
  if (signature) out.signature(6, *signature);
  return out.take();
}

Result<Envelope> Envelope::parse(ByteView bytes) {
  BodyReader in("Envelope", bytes, kEnvelopeBytesMax);
  Envelope out;
  std::uint32_t version = in.u32(1);
  in.check(version == kVersion, 1, "is a version this node does not speak");
  out.network = in.id_set<NetworkId>(2);
  auto type = message_type(in.u32(3));
  in.check(type.has_value(), 3, "is no type this node knows");
  if (type) out.type = *type;
  out.sender = in.id_set<NodeId>(4);
  out.body = to_bytes(in.bytes(5, body_bytes_max(out.type)));
  in.check(in.has(6) == is_signed(out.type), 6, "stands with signed types, and only there");
  if (in.has(6)) out.signature = in.signature(6);
  if (auto done = in.finish(); !done) return done.error();
  if (!equal(out.encode(), bytes)) return error("Envelope is not in canonical form");
  return out;
}

Bytes Batch::encode() const {
  KMS_ASSERT(!items.empty() && items.size() <= kItemsMax);
  BodyWriter out;
  for (const Envelope& item : items) out.element(1, item.encode());
  Bytes encoded = out.take();
  KMS_ASSERT(encoded.size() <= kBytesMax);
  return encoded;
}

Result<Batch> Batch::parse(ByteView bytes) {
  BodyReader in("Batch", bytes, kBytesMax);
  Batch out;
  for (ByteView item : in.repeated(1, kItemsMax, kEnvelopeBytesMax)) {
    auto envelope = Envelope::parse(item);
    if (!envelope) return envelope.error();
    out.items.push_back(std::move(*envelope));
  }
  in.check(!out.items.empty(), 1, "is missing");
  if (auto done = in.finish(); !done) return done.error();
  if (!equal(out.encode(), bytes)) return error("Batch is not in canonical form");
  return out;
}

Result<Message> parse_message(const Envelope& envelope) {
  ByteView body = envelope.body;
  switch (envelope.type) {
    case MessageType::prekey_announce:
      return parse_as<PreKeyAnnounce>(body);
    case MessageType::approval:
      return parse_as<Approval>(body);
    case MessageType::ceremony_header:
      return parse_as<CeremonyHeader>(body);
    case MessageType::deal:
      return parse_as<Deal>(body);
    case MessageType::have_objects:
      return parse_as<HaveObjects>(body);
    case MessageType::fetch:
      return parse_as<Fetch>(body);
    case MessageType::fetch_reply:
      return parse_as<FetchReply>(body);
    case MessageType::complaint:
      return parse_as<Complaint>(body);
    case MessageType::equivocation:
      return parse_as<Equivocation>(body);
    case MessageType::candidate:
      return parse_as<Candidate>(body);
    case MessageType::ready:
      return parse_as<Ready>(body);
    case MessageType::certificate:
      return parse_as<Certificate>(body);
    case MessageType::proposal:
      return parse_as<Proposal>(body);
    case MessageType::vote:
      return parse_as<Vote>(body);
    case MessageType::active:
      return parse_as<Active>(body);
    case MessageType::confirm:
      return parse_as<Confirm>(body);
    case MessageType::emergency:
      return parse_as<Emergency>(body);
    case MessageType::epoch_chain:
      return parse_as<EpochChain>(body);
    case MessageType::erased:
      return parse_as<Erased>(body);
    case MessageType::value:
      return parse_as<Value>(body);
    case MessageType::node_status:
      return parse_as<NodeStatus>(body);
    case MessageType::repair_request:
      return parse_as<RepairRequest>(body);
    case MessageType::repair_delta:
      return parse_as<RepairDelta>(body);
    case MessageType::repair_sigma:
      return parse_as<RepairSigma>(body);
    case MessageType::repair_complaint:
      return parse_as<RepairComplaint>(body);
    case MessageType::blame:
    case MessageType::delegate_request:
    case MessageType::sealed_a:
    case MessageType::partial_b:
    case MessageType::partial_c:
    case MessageType::combined_c:
    case MessageType::need:
    case MessageType::done:
    case MessageType::refusal:
    case MessageType::public_request:
      break;
  }
  return error(std::string(name_of(envelope.type)) + " is no message of a ceremony");
}

std::optional<ObjectId> object_id(const Envelope& envelope, const Message& message) {
  return std::visit(
      [&envelope](const auto& body) -> std::optional<ObjectId> {
        using M = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<M, Deal> || std::is_same_v<M, Value> || std::is_same_v<M, RepairDelta> ||
                      std::is_same_v<M, RepairSigma>) {
          return id_cast<ObjectId>(body.hash());
        } else if constexpr (std::is_same_v<M, CeremonyHeader>) {
          return id_cast<ObjectId>(body.sid());
        } else if constexpr (std::is_same_v<M, RepairRequest>) {
          return id_cast<ObjectId>(body.rid());
        } else if constexpr (std::is_same_v<M, Certificate>) {
          return id_cast<ObjectId>(body.id());
        } else if constexpr (std::is_same_v<M, EpochChain>) {
          return ObjectId{crypto::Transcript("KMS1/chain").bytes(envelope.body).hash()};
        } else if constexpr (requires { body.signing_digest(envelope.network, envelope.sender); }) {
          return ObjectId{body.signing_digest(envelope.network, envelope.sender)};
        } else {
          return std::nullopt;
        }
      },
      message);
}

}  // namespace kms::dkg
