// Body and sid of a header.
#include "dkg/header.h"

#include "base/assert.h"
#include "dkg/wire.h"

namespace kms::dkg {
namespace {

// 128 members of 227 bytes, 128 approvals of 71, and what is fixed.
constexpr std::size_t kHeaderBytesMax = 48 * 1024;

HeaderMember parse_member(BodyReader& in, ByteView item) {
  BodyReader entry("CeremonyHeader.Member", item, 256);
  HeaderMember out{{entry.id_set<NodeId>(1), entry.point(2)}, std::nullopt};
  if (entry.has(3)) {
    out.prekey = SignedPrekey{entry.point(3), entry.proof<crypto::SchnorrProof>(4), entry.signature(5)};
  }
  auto done = entry.finish();
  if (!done) in.fail(18, done.error().message);
  return out;
}

std::vector<HeaderMember> read_members(BodyReader& in) {
  std::vector<HeaderMember> out;
  std::vector<Member> members;
  for (ByteView item : in.repeated(18, kMembersMax, 256)) {
    out.push_back(parse_member(in, item));
    members.push_back(out.back().member);
    if (!in.is_good()) return {};
  }
  auto committee = Committee::from_sorted(std::move(members));
  if (!committee) in.fail(18, committee.error().message);
  return out;
}

std::vector<Label> read_labels(BodyReader& in) {
  std::uint64_t count = in.number(6, kKeysMax);
  std::vector<Label> out;
  for (ByteView item : in.repeated(7, kKeysMax, 28)) {
    in.check(item.size() == 28, 7, "is not 28 bytes");
    if (item.size() == 28) out.push_back(Label::parse(to_array<28>(item)));
  }
  in.check(!out.empty() && out.size() == count, 7, "does not stand m times");
  return out;
}

std::optional<OldEpoch> read_old(BodyReader& in) {
  auto committee = in.id<CommitteeHash>(13);
  std::uint16_t n = in.u16(14, kMembersMax);
  std::uint16_t t = in.u16(15, kMembersMax);
  auto transcript = in.id<TranscriptHash>(16);
  auto root = in.id<Root>(17);
  bool none = is_zero(committee) && n == 0 && t == 0 && is_zero(transcript) && is_zero(root);
  if (none) return std::nullopt;
  auto threshold = Threshold::make(n, t);
  if (!threshold) {
    in.fail(15, threshold.error().message);
    return std::nullopt;
  }
  in.check(!is_zero(committee) && !is_zero(transcript) && !is_zero(root), 13, "describes half an old epoch");
  return OldEpoch{committee, *threshold, transcript, root};
}

void check_form(BodyReader& in, const CeremonyHeader& header, const std::vector<std::uint32_t>& absent) {
  bool is_first = header.kind == Kind::dkg || header.kind == Kind::import;
  in.check(is_first == (header.epoch == 0), 8, "does not fit the kind");
  in.check(is_first == !header.old.has_value(), 13, "does not fit the kind");
  in.check(!is_first || header.branch == 0, 9, "does not fit the kind");
  in.check((header.branch > 0) == !is_zero(header.void_cert), 10, "does not fit the branch");
  in.check(!header.emergency || header.kind == Kind::reshare, 4, "belongs to a RESHARE");
  in.check(!is_first || header.approvals.empty(), 24, "does not fit the kind");
  in.check(!is_first || (header.kind == Kind::import) == (header.terms.origin == Origin::imported), 2,
           "does not fit the kind");
  std::size_t deciders = header.old ? header.old->threshold.n() : header.members.size();
  in.check(header.initiator <= deciders, 12, "is no member of the deciding committee");
  if (header.kind == Kind::import) {
    bool solo = header.members.size() == 1 && !header.members[0].prekey;
    in.check(solo && header.attempt == 0 && header.registry_ref.empty(), 18, "does not fit an IMPORT");
  }
  std::vector<std::uint32_t> without_prekey;
  for (Position position : header.absent()) without_prekey.push_back(position);
  in.check(absent == without_prekey, 19, "does not list exactly the members without a prekey");
}

}  // namespace

const crypto::Point& generator_of(Base base) {
  return base == Base::h ? crypto::Point::second_generator() : crypto::Point::generator();
}

Committee CeremonyHeader::committee() const {
  std::vector<Member> out;
  for (const HeaderMember& entry : members) out.push_back(entry.member);
  auto committee = Committee::from_sorted(std::move(out));
  KMS_ASSERT(committee.has_value());
  return *committee;
}

std::vector<Position> CeremonyHeader::absent() const {
  std::vector<Position> out;
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto position = static_cast<Position>(i + 1);
    if (is_absent(position)) out.push_back(position);
  }
  return out;
}

Bytes CeremonyHeader::body() const {
  BodyWriter out;
  out.number(1, kind);
  out.number(2, terms.origin);
  out.number(3, terms.decider);
  out.number(4, emergency ? 1u : 0u);
  out.id(5, terms.key_set);
  out.number(6, terms.labels.size());
  for (const Label& label : terms.labels) out.element(7, label.bytes());
  out.number(8, epoch);
  out.number(9, branch);
  out.id(10, void_cert);
  out.number(11, attempt);
  out.number(12, initiator);
  if (old) {
    out.id(13, old->committee);
    out.number(14, old->threshold.n());
    out.number(15, old->threshold.t());
    out.id(16, old->transcript);
    out.id(17, old->root);
  }
  for (const HeaderMember& entry : members) {
    BodyWriter item;
    item.id(1, entry.member.node);
    item.point(2, entry.member.key);
    if (entry.prekey) {
      item.point(3, entry.prekey->key);
      item.bytes(4, entry.prekey->pok.bytes());
      item.signature(5, entry.prekey->psig);
    }
    out.message(18, item);
  }
  std::vector<std::uint32_t> missing;
  for (Position position : absent()) missing.push_back(position);
  out.numbers(19, missing);
  out.number(20, threshold.t());
  out.number(21, base());
  out.id(22, file);
  out.number(23, not_after);
  write_signatures(out, 24, approvals);
  out.bytes(25, registry_ref);
  return out.take();
}

Result<CeremonyHeader> CeremonyHeader::parse(ByteView body) {
  BodyReader in("CeremonyHeader", body, kHeaderBytesMax);
  auto solo = Threshold::make(1, 1);
  KMS_ASSERT(solo.has_value());
  CeremonyHeader out{.terms = {},
                     .void_cert = {},
                     .old = {},
                     .members = {},
                     .threshold = *solo,
                     .file = {},
                     .approvals = {},
                     .registry_ref = {}};
  out.kind = in.enumeration(1, Kind::dkg, Kind::import);
  out.terms.origin = in.enumeration(2, Origin::generated, Origin::imported);
  out.terms.decider = in.enumeration(3, Decider::simplex, Decider::contract);
  out.emergency = in.number(4, 1) == 1;
  out.terms.key_set = in.id_set<KeySetId>(5);
  out.terms.labels = read_labels(in);
  out.epoch = in.u32(8);
  out.branch = in.u32(9);
  out.void_cert = in.id<CertificateId>(10);
  out.attempt = in.u32(11);
  out.initiator = in.position(12);
  out.old = read_old(in);
  out.members = read_members(in);
  auto absent = in.numbers(19, kMembersMax, kMembersMax);
  std::uint16_t t_new = in.u16(20, kMembersMax);
  in.check(in.enumeration(21, Base::g, Base::h) == out.base(), 21, "does not fit the kind");
  out.file = in.id<FileHash>(22);
  out.not_after = in.u64(23);
  out.approvals = read_signatures(in, 24);
  out.registry_ref = to_bytes(in.bytes(25, kRegistryRefBytesMax));
  if (auto done = in.finish(); !done) return done.error();
  auto threshold = Threshold::make(static_cast<std::uint32_t>(out.members.size()), t_new);
  if (!threshold) return threshold.error();
  out.threshold = *threshold;
  check_form(in, out, absent);
  return in.finish(std::move(out));
}

Sid CeremonyHeader::sid() const {
  crypto::Transcript out("KMS1/sid");
  auto u8 = [&out](auto value) { out.u8(static_cast<std::uint8_t>(value)); };
  u8(kind);
  u8(terms.origin);
  u8(terms.decider);
  u8(emergency ? 1 : 0);
  out.id(terms.key_set).count(terms.labels.size());
  for (const Label& label : terms.labels) out.bytes(label.bytes());
  out.u32(epoch).u32(branch).id(void_cert).u32(attempt).u16(initiator);
  out.id(old ? old->committee : CommitteeHash{});
  out.u16(old ? old->threshold.n() : std::uint16_t{0}).u16(old ? old->threshold.t() : std::uint16_t{0});
  out.id(old ? old->transcript : TranscriptHash{}).id(old ? old->root : Root{});
  out.count(members.size());
  for (const HeaderMember& entry : members) {
    out.id(entry.member.node).point(entry.member.key);
    if (entry.prekey) {
      out.point(entry.prekey->key).bytes(entry.prekey->pok.bytes()).bytes(entry.prekey->psig.bytes);
    } else {
      out.element({}).bytes({}).bytes({});
    }
  }
  auto missing = absent();
  out.count(missing.size());
  for (Position position : missing) out.u16(position);
  out.u16(threshold.t());
  u8(base());
  out.id(file).u64(not_after).count(approvals.size());
  for (const IndexedSignature& entry : approvals) out.u16(entry.index).bytes(entry.signature.bytes);
  return {out.bytes(registry_ref).hash()};
}

Hash32 CeremonyHeader::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("header", network, sender).id(sid()).hash();
}

}  // namespace kms::dkg
