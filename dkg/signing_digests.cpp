// What each message's signature covers (TRANSCRIPTS.md 6). Field order is the page's, not the wire's.
#include "dkg/messages.h"

namespace kms::dkg {
namespace {

template <class Enum>
std::uint8_t as_u8(Enum value) {
  return static_cast<std::uint8_t>(value);
}

}  // namespace

Hash32 PreKeyAnnounce::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("prekeys", network, sender);
  out.u8(as_u8(series)).id(key_set).u32(epoch).u32(branch).u32(first).count(prekeys.size());
  for (const SignedPrekey& prekey : prekeys) {
    out.point(prekey.key).bytes(prekey.pok.bytes()).bytes(prekey.psig.bytes);
  }
  return out.hash();
}

Hash32 Approval::approval_digest(const NetworkId& network) const {
  switch (purpose) {
    case ApprovalPurpose::reshare:
      return crypto::Transcript("KMS1/sig/approve")
          .id(network)
          .id(key_set)
          .u32(epoch)
          .u32(branch)
          .id(root)
          .id(members)
          .u16(threshold)
          .id(file)
          .u64(not_after)
          .hash();
    case ApprovalPurpose::voided:
      return crypto::Transcript("KMS1/sig/void")
          .id(network)
          .id(slot_id(key_set, epoch, branch))
          .id(sid)
          .id(transcript)
          .hash();
    case ApprovalPurpose::repair:
      break;
  }
  return crypto::Transcript("KMS1/sig/approve-repair")
      .id(network)
      .id(key_set)
      .u32(epoch)
      .id(transcript)
      .u16(subject)
      .u64(not_after)
      .hash();
}

Hash32 Complaint::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("complaint", network, sender);
  out.id(sid).u16(dealer).u16(receiver).id(deal).u32(kappa).point(shared).bytes(proof.bytes());
  return out.hash();
}

Hash32 Candidate::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("candidate", network, sender);
  out.id(slot).id(sid).u32(view).u32(round);
  append_list(out, list);
  return out.hash();
}

Hash32 Ready::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("ready", network, sender).id(slot).id(sid).id(transcript).u16(index).hash();
}

Hash32 Proposal::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("proposal", network, sender);
  out.u8(as_u8(instance)).id(slot).u32(view).id(sid).id(transcript);
  append_list(out, list);
  out.u8(fate ? as_u8(*fate) : std::uint8_t{0}).id(justification).u32(parent_view).id(parent_cert);
  out.count(null_certs.size());
  for (const CertificateId& cert : null_certs) out.id(cert);
  return out.hash();
}

ValueHash Proposal::value() const {
  return fate ? fate_hash(slot, sid, transcript, *fate) : value_hash(slot, sid, transcript, list);
}

Hash32 Vote::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("vote", network, sender);
  return out.u8(as_u8(instance)).id(slot).u32(view).u8(as_u8(kind)).id(value).hash();
}

Hash32 Active::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("active", network, sender);
  out.id(slot).id(transcript).u16(index).count(keys.size());
  for (const ActiveKey& key : keys) out.point(key.share).bytes(key.proof.bytes());
  return out.hash();
}

Hash32 Confirm::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("confirm", network, sender).id(slot).id(transcript).id(root).u16(index).hash();
}

Hash32 Emergency::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("emergency", network, sender).id(slot).id(sid).id(transcript).u16(index).hash();
}

Hash32 Erased::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("erased", network, sender).id(slot).id(transcript).hash();
}

}  // namespace kms::dkg
