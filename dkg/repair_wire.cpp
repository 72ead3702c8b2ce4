// Bodies, hashes and signing digests of the repair messages.
#include "dkg/deal_rows.h"
#include "dkg/repair_messages.h"

namespace kms::dkg {
namespace {

constexpr std::size_t kDeltaBytesMax = 160 * 1024;
constexpr std::size_t kSigmaBytesMax = 8 * 1024;

void append_rows(crypto::Transcript& out, const std::vector<DealKey>& keys) {
  for (const DealKey& key : keys) {
    out.count(key.commitments.size());
    for (const crypto::Point& point : key.commitments) out.point(point);
    out.count(key.ciphertexts.size());
    for (const crypto::Scalar& scalar : key.ciphertexts) out.scalar(scalar);
  }
}

}  // namespace

Bytes RepairRequest::body() const {
  BodyWriter out;
  out.id(1, key_set);
  out.number(2, epoch);
  out.number(3, branch);
  out.id(4, transcript);
  out.number(5, index);
  out.point(6, target);
  out.bytes(7, pok.bytes());
  for (const RepairGiver& giver : givers) {
    BodyWriter item;
    item.number(1, giver.position);
    item.number(2, giver.number);
    item.point(3, giver.key);
    out.message(8, item);
  }
  out.hash(9, nonce);
  out.number(10, expiry);
  for (const Approval& approval : ticket) out.element(11, approval.body());
  return out.take();
}

Result<RepairRequest> RepairRequest::parse(ByteView body) {
  BodyReader in("RepairRequest", body, 64 * 1024);
  RepairRequest out{in.id_set<KeySetId>(1),
                    in.u32(2),
                    in.u32(3),
                    in.id_set<TranscriptHash>(4),
                    in.position(5),
                    in.point(6),
                    in.proof<crypto::SchnorrProof>(7),
                    {},
                    {},
                    0,
                    {}};
  for (ByteView item : in.repeated(8, kMembersMax, 64)) {
    BodyReader entry("RepairGiver", item, 64);
    RepairGiver giver{entry.position(1), entry.u32(2), entry.point(3)};
    auto done = entry.finish();
    if (!done) in.fail(8, done.error().message);
    in.check(out.givers.empty() || out.givers.back().position < giver.position, 8, "is not strictly increasing");
    in.check(giver.position != out.index, 8, "names the member that asks");
    out.givers.push_back(giver);
  }
  in.check(!out.givers.empty(), 8, "is missing");
  out.nonce = in.hash(9);
  in.check(out.nonce != Hash32{}, 9, "is missing");
  out.expiry = in.u64(10);
  for (ByteView item : in.repeated(11, kMembersMax, 512)) {
    auto approval = Approval::parse(item);
    if (!approval) {
      in.fail(11, approval.error().message);
      break;
    }
    in.check(approval->purpose == ApprovalPurpose::repair, 11, "holds an approval of another purpose");
    in.check(out.ticket.empty() || out.ticket.back().index < approval->index, 11, "is not strictly increasing");
    out.ticket.push_back(std::move(*approval));
  }
  return in.finish(std::move(out));
}

Rid RepairRequest::rid() const {
  crypto::Transcript out("KMS1/rid");
  out.id(key_set).u32(epoch).u32(branch).id(transcript).u16(index).point(target).bytes(pok.bytes());
  out.count(givers.size());
  for (const RepairGiver& giver : givers) out.u16(giver.position).u32(giver.number).point(giver.key);
  out.bytes(nonce).u64(expiry).count(ticket.size());
  for (const Approval& approval : ticket) {
    out.u16(approval.index).u64(approval.not_after).bytes(approval.signature.bytes);
  }
  return {out.hash()};
}

Hash32 RepairRequest::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("repair-request", network, sender).id(rid()).hash();
}

std::optional<std::size_t> RepairRequest::place_of(Position position) const {
  for (std::size_t at = 0; at < givers.size(); ++at) {
    if (givers[at].position == position) return at;
  }
  return std::nullopt;
}

Bytes RepairDelta::body() const {
  BodyWriter out;
  out.id(1, rid);
  out.number(2, giver);
  write_rows(out, 3, keys);
  out.point(4, ephemeral);
  out.bytes(5, pok.bytes());
  return out.take();
}

Result<RepairDelta> RepairDelta::parse(ByteView body) {
  BodyReader in("RepairDelta", body, kDeltaBytesMax);
  auto rid = in.id_set<Rid>(1);
  auto giver = in.position(2);
  auto keys = read_rows(in, 3);
  in.check(!keys.empty() && keys[0].commitments.size() == keys[0].ciphertexts.size(), 3, "has rows of two sizes");
  auto ephemeral = in.point(4);
  auto pok = in.proof<crypto::SchnorrProof>(5);
  return in.finish(RepairDelta{rid, giver, std::move(keys), ephemeral, pok});
}

DeltaHash RepairDelta::hash() const {
  crypto::Transcript out("KMS1/delta-id");
  out.id(rid).u16(giver).point(ephemeral);
  append_rows(out, keys);
  return {out.bytes(pok.bytes()).hash()};
}

Hash32 RepairDelta::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("repair-delta", network, sender).id(rid).u16(giver).id(hash()).hash();
}

Bytes RepairSigma::body() const {
  BodyWriter out;
  out.id(1, rid);
  out.number(2, giver);
  out.point(3, ephemeral);
  for (const crypto::Scalar& scalar : ciphertexts) out.element(4, scalar.bytes());
  out.bytes(5, pok.bytes());
  for (const DeltaHash& delta : deltas) out.element(6, delta.view());
  return out.take();
}

Result<RepairSigma> RepairSigma::parse(ByteView body) {
  BodyReader in("RepairSigma", body, kSigmaBytesMax);
  RepairSigma out{in.id_set<Rid>(1), in.position(2), in.point(3), {}, {}, {}};
  for (ByteView item : in.repeated(4, kKeysMax, 32)) {
    auto scalar = crypto::Scalar::parse(item);
    if (!scalar) {
      in.fail(4, scalar.error().message);
      break;
    }
    out.ciphertexts.push_back(*scalar);
  }
  in.check(!out.ciphertexts.empty(), 4, "is missing");
  out.pok = in.proof<crypto::SchnorrProof>(5);
  for (ByteView item : in.repeated(6, kMembersMax, 32)) {
    if (item.size() != 32) {
      in.fail(6, "has an entry of " + std::to_string(item.size()) + " bytes, not 32");
      break;
    }
    out.deltas.push_back({to_array<32>(item)});
  }
  in.check(!out.deltas.empty(), 6, "is missing");
  return in.finish(std::move(out));
}

SigmaHash RepairSigma::hash() const {
  crypto::Transcript out("KMS1/sigma-id");
  out.id(rid).u16(giver).point(ephemeral).count(deltas.size());
  for (const DeltaHash& delta : deltas) out.id(delta);
  out.count(ciphertexts.size());
  for (const crypto::Scalar& scalar : ciphertexts) out.scalar(scalar);
  return {out.bytes(pok.bytes()).hash()};
}

Hash32 RepairSigma::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("repair-sigma", network, sender).id(rid).u16(giver).id(hash()).hash();
}

Bytes RepairComplaint::body() const {
  BodyWriter out;
  out.number(1, kind);
  out.id(2, rid);
  out.number(3, giver);
  out.number(4, accuser);
  out.hash(5, object);
  out.number(6, kappa);
  out.point(7, shared);
  out.bytes(8, proof.bytes());
  return out.take();
}

Result<RepairComplaint> RepairComplaint::parse(ByteView body) {
  BodyReader in("RepairComplaint", body, 512);
  RepairComplaint out{in.enumeration(1, RepairFault::delta, RepairFault::sigma),
                      in.id_set<Rid>(2),
                      in.position(3),
                      in.position(4),
                      in.hash(5),
                      static_cast<std::uint32_t>(in.number(6, kKeysMax)),
                      in.point(7),
                      in.proof<crypto::DleqProof>(8)};
  in.check(out.kappa != 0, 6, "names no key");
  in.check(out.object != Hash32{}, 5, "is missing");
  return in.finish(std::move(out));
}

Hash32 RepairComplaint::signing_digest(const NetworkId& network, const NodeId& sender) const {
  auto out = signing_transcript("repair-complaint", network, sender);
  out.u8(static_cast<std::uint8_t>(kind)).id(rid).u16(giver).u16(accuser).bytes(object).u32(kappa);
  return out.point(shared).bytes(proof.bytes()).hash();
}

}  // namespace kms::dkg
