// Bodies of Link and EpochChain.
#include "dkg/epoch.h"
#include "dkg/wire.h"

namespace kms::dkg {
namespace {

// m = 16 and n = 128: 69 KB of tables, a header of 48 KiB, certificates of 12 KiB each.
constexpr std::size_t kLinkBytesMax = 512 * 1024;
constexpr std::size_t kPartBytesMax = 48 * 1024;

Bytes table_bytes(const KeyTable& table) {
  Bytes out;
  append(out, table.public_key.bytes());
  for (const crypto::Element& share : table.shares) append(out, share.bytes());
  return out;
}

Result<KeyTable> parse_table(ByteView bytes, std::size_t members) {
  if (bytes.size() != 33 * (members + 1)) return error("a table has another size than its committee");
  auto key = crypto::Point::parse(bytes.first(33));
  if (!key) return key.error();
  KeyTable out{*key, {}};
  for (std::size_t i = 1; i <= members; ++i) {
    auto share = crypto::Element::parse(bytes.subspan(33 * i, 33));
    if (!share) return share.error();
    out.shares.push_back(*share);
  }
  return out;
}

void write_tail(BodyWriter& out, const Link& link) {
  for (const KeyTable& table : link.tables) out.element(8, table_bytes(table));
  for (const crypto::DleqProof& proof : link.import_proofs) out.element(9, proof.bytes());
  for (const Certificate& emergency : link.emergencies) out.element(10, emergency.body());
}

void read_tail(BodyReader& in, Link& link) {
  for (ByteView item : in.repeated(8, kKeysMax, 33 * (kMembersMax + 1))) {
    auto table = parse_table(item, link.header.members.size());
    if (!table) return in.fail(8, table.error().message);
    link.tables.push_back(std::move(*table));
  }
  for (ByteView item : in.repeated(9, kKeysMax, 64)) {
    auto proof = crypto::DleqProof::parse(item);
    if (!proof) return in.fail(9, proof.error().message);
    link.import_proofs.push_back(*proof);
  }
  for (ByteView item : in.repeated(10, kVoidsMax, kPartBytesMax)) {
    auto emergency = Certificate::parse(item);
    if (!emergency) return in.fail(10, emergency.error().message);
    link.emergencies.push_back(std::move(*emergency));
  }
  in.check(link.tables.size() == link.header.keys(), 8, "does not stand once for each key");
}

}  // namespace

Bytes Link::body() const {
  BodyWriter out;
  out.number(1, header.branch);
  out.element(2, header.body());
  write_list(out, 3, list);
  out.element(4, final.body());
  out.element(5, activation.body());
  if (fate) out.element(6, fate->body());
  for (const Certificate& voided : voids) out.element(7, voided.body());
  write_tail(out, *this);
  return out.take();
}

Result<Link> Link::parse(ByteView body) {
  BodyReader in("Link", body, kLinkBytesMax);
  std::uint32_t branch = in.u32(1);
  auto header = CeremonyHeader::parse(in.bytes(2, kPartBytesMax));
  if (!header) return header.error();
  DealList list = read_list(in, 3);
  auto final = Certificate::parse(in.bytes(4, kPartBytesMax));
  if (!final) return final.error();
  auto activation = Certificate::parse(in.bytes(5, kPartBytesMax));
  if (!activation) return activation.error();
  Link out{std::move(*header), std::move(list), std::move(*final), std::move(*activation), {}, {}, {}, {}};
  in.check(branch == out.header.branch, 1, "is not the header's branch");
  if (in.has(6)) {
    auto fate = Certificate::parse(in.bytes(6, kPartBytesMax));
    if (!fate) return fate.error();
    out.fate = std::move(*fate);
  }
  for (ByteView item : in.repeated(7, kVoidsMax, kPartBytesMax)) {
    auto voided = Certificate::parse(item);
    if (!voided) return voided.error();
    out.voids.push_back(std::move(*voided));
  }
  read_tail(in, out);
  return in.finish(std::move(out));
}

Bytes EpochChain::body() const {
  BodyWriter out;
  for (const Link& link : links) out.element(1, link.body());
  return out.take();
}

Result<EpochChain> EpochChain::parse(ByteView body) {
  static_assert(kBytesMax > kLinkBytesMax + 16);
  BodyReader in("EpochChain", body, kBytesMax);
  EpochChain out;
  for (ByteView item : in.repeated(1, kLinksMax, kLinkBytesMax)) {
    auto link = Link::parse(item);
    if (!link) return link.error();
    out.links.push_back(std::move(*link));
  }
  in.check(!out.links.empty(), 1, "is missing");
  return in.finish(std::move(out));
}

}  // namespace kms::dkg
