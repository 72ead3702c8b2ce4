// Bodies of the messages that surround a ceremony: prekeys, approvals, objects, complaints, evidence, status.
#include "base/assert.h"
#include "dkg/messages.h"
#include "dkg/wire.h"

namespace kms::dkg {
namespace {

constexpr std::size_t kObjectBytesMax = 192 * 1024;

}  // namespace

Bytes PreKeyAnnounce::body() const {
  BodyWriter out;
  out.number(1, series);
  out.id(2, key_set);
  out.number(3, epoch);
  out.number(4, branch);
  out.number(5, first);
  for (const SignedPrekey& prekey : prekeys) {
    BodyWriter item;
    item.point(1, prekey.key);
    item.bytes(2, prekey.pok.bytes());
    item.signature(3, prekey.psig);
    out.message(6, item);
  }
  return out.take();
}

std::optional<std::uint32_t> PreKeyAnnounce::epoch_of(ByteView body) {
  BodyReader in("PreKeyAnnounce", body, kBodyBytesMax);
  in.enumeration(1, Series::ceremony, Series::repair);
  in.id_set<KeySetId>(2);
  const auto epoch = in.u32(3);
  return in.has_failed() ? std::nullopt : std::optional(epoch);
}

Result<PreKeyAnnounce> PreKeyAnnounce::parse(ByteView body) {
  BodyReader in("PreKeyAnnounce", body, kBodyBytesMax);
  PreKeyAnnounce out;
  out.series = in.enumeration(1, Series::ceremony, Series::repair);
  out.key_set = in.id_set<KeySetId>(2);
  out.epoch = in.u32(3);
  out.branch = in.u32(4);
  out.first = in.u32(5);
  in.check(out.first % kWindow == 0, 5, "is no multiple of 8");
  for (ByteView item : in.repeated(6, kWindow, 256)) {
    BodyReader entry("Prekey", item, 256);
    SignedPrekey next{entry.point(1), entry.proof<crypto::SchnorrProof>(2), entry.signature(3)};
    auto done = entry.finish();
    if (!done) in.fail(6, done.error().message);
    out.prekeys.push_back(next);
  }
  in.check(out.prekeys.size() == kWindow, 6, "does not stand exactly 8 times");
  return in.finish(std::move(out));
}

Bytes Approval::body() const {
  BodyWriter out;
  out.number(1, purpose);
  out.id(2, key_set);
  out.number(3, epoch);
  out.number(4, branch);
  out.id(5, root);
  out.id(6, members);
  out.number(7, threshold);
  out.id(8, file);
  out.id(9, sid);
  out.id(10, transcript);
  out.number(11, subject);
  out.number(12, not_after);
  out.number(13, index);
  out.signature(14, signature);
  return out.take();
}

Result<Approval> Approval::parse(ByteView body) {
  BodyReader in("Approval", body, 512);
  Approval out;
  out.purpose = in.enumeration(1, ApprovalPurpose::reshare, ApprovalPurpose::repair);
  out.key_set = in.id_set<KeySetId>(2);
  out.epoch = in.u32(3);
  out.branch = in.u32(4);
  out.root = in.id<Root>(5);
  out.members = in.id<CommitteeHash>(6);
  out.threshold = in.u16(7, kMembersMax);
  out.file = in.id<FileHash>(8);
  out.sid = in.id<Sid>(9);
  out.transcript = in.id<TranscriptHash>(10);
  out.subject = in.u16(11, kMembersMax);
  out.not_after = in.u64(12);
  out.index = in.position(13);
  out.signature = in.signature(14);
  bool is_reshare = out.purpose == ApprovalPurpose::reshare;
  bool is_void = out.purpose == ApprovalPurpose::voided;
  bool is_repair = out.purpose == ApprovalPurpose::repair;
  in.check(is_reshare == (out.threshold != 0), 7, "belongs to RESHARE, and only there");
  in.check(is_reshare == !is_zero(out.members), 6, "belongs to RESHARE, and only there");
  in.check(is_reshare == !is_zero(out.file), 8, "belongs to RESHARE, and only there");
  in.check(is_reshare || is_zero(out.root), 5, "belongs to RESHARE only");
  in.check(is_void == !is_zero(out.sid), 9, "belongs to VOID, and only there");
  in.check(is_reshare == is_zero(out.transcript), 10, "belongs to VOID and REPAIR, and only there");
  in.check(is_repair == (out.subject != 0), 11, "belongs to REPAIR, and only there");
  in.check(!is_void || out.not_after == 0, 12, "does not belong to VOID");
  in.check(!is_repair || out.branch == 0, 4, "does not belong to REPAIR");
  return in.finish(std::move(out));
}

Bytes HaveObjects::body() const {
  BodyWriter out;
  out.hash(1, scope);
  for (const ObjectId& hash : hashes) out.element(2, hash.bytes);
  return out.take();
}

Result<HaveObjects> HaveObjects::parse(ByteView body) {
  BodyReader in("HaveObjects", body, 4096);
  HaveObjects out{in.hash(1), in.ids<ObjectId>(2, kHashesMax)};
  return in.finish(std::move(out));
}

Bytes Fetch::body() const {
  BodyWriter out;
  for (const ObjectId& hash : hashes) out.element(1, hash.bytes);
  return out.take();
}

Result<Fetch> Fetch::parse(ByteView body) {
  BodyReader in("Fetch", body, 4096);
  Fetch out{in.ids<ObjectId>(1, kHashesMax)};
  in.check(!out.hashes.empty(), 1, "is missing");
  return in.finish(std::move(out));
}

Bytes FetchReply::body() const {
  BodyWriter out;
  for (const Bytes& object : objects) out.element(1, object);
  return out.take();
}

Result<FetchReply> FetchReply::parse(ByteView body) {
  BodyReader in("FetchReply", body, 256 * 1024);
  FetchReply out;
  for (ByteView object : in.repeated(1, kObjectsMax, kObjectBytesMax)) out.objects.push_back(to_bytes(object));
  return in.finish(std::move(out));
}

Bytes Complaint::body() const {
  BodyWriter out;
  out.id(1, sid);
  out.number(2, dealer);
  out.number(3, receiver);
  out.id(4, deal);
  out.number(5, kappa);
  out.point(6, shared);
  out.bytes(7, proof.bytes());
  return out.take();
}

Result<Complaint> Complaint::parse(ByteView body) {
  BodyReader in("Complaint", body, 512);
  Complaint out{in.id_set<Sid>(1),
                in.position(2),
                in.position(3),
                in.id_set<DealHash>(4),
                static_cast<std::uint32_t>(in.number(5, kKeysMax)),
                in.point(6),
                in.proof<crypto::DleqProof>(7)};
  in.check(out.kappa != 0, 5, "names no key");
  return in.finish(std::move(out));
}

Bytes Equivocation::body() const {
  BodyWriter out;
  out.number(1, kind);
  out.bytes(2, signed_a);
  out.bytes(3, signed_b);
  return out.take();
}

Result<Equivocation> Equivocation::parse(ByteView body) {
  BodyReader in("Equivocation", body, 256 * 1024);
  Equivocation out;
  out.kind = in.enumeration(1, EquivocationKind::deal, EquivocationKind::prekey);
  out.signed_a = to_bytes(in.bytes(2, kObjectBytesMax));
  out.signed_b = to_bytes(in.bytes(3, kObjectBytesMax));
  in.check(!out.signed_a.empty() && !out.signed_b.empty(), 2, "needs two messages");
  return in.finish(std::move(out));
}

Bytes NodeStatus::body() const {
  BodyWriter out;
  for (const Entry& entry : entries) {
    BodyWriter item;
    item.id(1, entry.key_set);
    item.number(2, entry.epoch);
    item.number(3, entry.branch);
    item.id(4, entry.transcript);
    item.number(5, entry.state);
    item.number(6, entry.view);
    item.number(7, entry.attempt);
    item.number(8, entry.prekey_next);
    out.message(1, item);
  }
  return out.take();
}

Result<NodeStatus> NodeStatus::parse(ByteView body) {
  BodyReader in("NodeStatus", body, 8192);
  NodeStatus out;
  for (ByteView item : in.repeated(1, kEntriesMax, 128)) {
    BodyReader entry("NodeStatus.Entry", item, 128);
    out.entries.push_back({entry.id_set<KeySetId>(1), entry.u32(2), entry.u32(3), entry.id<TranscriptHash>(4),
                           entry.u32(5), entry.u32(6), entry.u32(7), entry.u32(8)});
    auto done = entry.finish();
    if (!done) in.fail(1, done.error().message);
  }
  return in.finish(std::move(out));
}

}  // namespace kms::dkg
