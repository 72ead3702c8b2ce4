// Body, hash and signing digest of a Deal.
#include "base/assert.h"
#include "dkg/deal_rows.h"

namespace kms::dkg {
namespace {

// m = 16, n' = t' = 128 is 133 KB of commitments and ciphertexts.
constexpr std::size_t kDealBytesMax = 160 * 1024;

Bytes joined(const std::vector<crypto::Point>& points) {
  Bytes out;
  out.reserve(33 * points.size());
  for (const crypto::Point& point : points) append(out, point.bytes());
  return out;
}

Bytes joined(const std::vector<crypto::Scalar>& scalars) {
  Bytes out;
  out.reserve(32 * scalars.size());
  for (const crypto::Scalar& scalar : scalars) append(out, scalar.bytes());
  return out;
}

Result<DealKey> parse_key(ByteView item) {
  BodyReader in("Deal.PerKey", item, 128 * 65 + 16);
  ByteView points = in.bytes(1, 33 * kMembersMax);
  ByteView scalars = in.bytes(2, 32 * kMembersMax);
  in.check(!points.empty() && points.size() % 33 == 0, 1, "is no row of points");
  in.check(!scalars.empty() && scalars.size() % 32 == 0, 2, "is no row of scalars");
  auto done = in.finish();
  if (!done) return done.error();
  DealKey out;
  for (; !points.empty(); points = points.subspan(33)) {
    auto point = crypto::Point::parse(points.first(33));
    if (!point) return point.error();
    out.commitments.push_back(*point);
  }
  for (; !scalars.empty(); scalars = scalars.subspan(32)) {
    auto scalar = crypto::Scalar::parse(scalars.first(32));
    if (!scalar) return scalar.error();
    out.ciphertexts.push_back(*scalar);
  }
  return out;
}

}  // namespace

void write_rows(BodyWriter& out, std::uint32_t field, const std::vector<DealKey>& keys) {
  for (const DealKey& key : keys) {
    BodyWriter item;
    item.bytes(1, joined(key.commitments));
    item.bytes(2, joined(key.ciphertexts));
    out.message(field, item);
  }
}

std::vector<DealKey> read_rows(BodyReader& in, std::uint32_t field) {
  std::vector<DealKey> out;
  for (ByteView item : in.repeated(field, kKeysMax, 128 * 65 + 16)) {
    auto key = parse_key(item);
    if (!key) {
      in.fail(field, key.error().message);
      break;
    }
    in.check(out.empty() || (out[0].commitments.size() == key->commitments.size() &&
                             out[0].ciphertexts.size() == key->ciphertexts.size()),
             field, "has keys of different sizes");
    out.push_back(std::move(*key));
  }
  in.check(!out.empty(), field, "is missing");
  return out;
}

Bytes Deal::body() const {
  BodyWriter out;
  out.id(1, sid);
  out.number(2, dealer);
  out.point(3, ephemeral);
  write_rows(out, 4, keys);
  out.scalar(5, challenge);
  for (const crypto::Scalar& response : responses) out.element(6, response.bytes());
  out.scalar(7, ephemeral_response);
  return out.take();
}

Result<Deal> Deal::parse(ByteView body) {
  BodyReader in("Deal", body, kDealBytesMax);
  Deal out{in.id_set<Sid>(1), in.position(2), in.point(3), {}, {}, {}, {}};
  out.keys = read_rows(in, 4);
  out.challenge = in.scalar(5);
  for (ByteView item : in.repeated(6, kKeysMax, 32)) {
    auto response = crypto::Scalar::parse(item);
    if (!response) {
      in.fail(6, response.error().message);
      break;
    }
    out.responses.push_back(*response);
  }
  out.ephemeral_response = in.scalar(7);
  in.check(out.keys.size() == out.responses.size(), 6, "does not stand once for each key");
  return in.finish(std::move(out));
}

Hash32 Deal::core() const {
  crypto::Transcript transcript("KMS1/core");
  transcript.id(sid).u16(dealer).point(ephemeral);
  for (const DealKey& key : keys) {
    transcript.count(key.commitments.size());
    for (const crypto::Point& point : key.commitments) transcript.point(point);
    transcript.count(key.ciphertexts.size());
    for (const crypto::Scalar& scalar : key.ciphertexts) transcript.scalar(scalar);
  }
  return transcript.hash();
}

DealHash Deal::hash() const {
  crypto::Transcript transcript("KMS1/deal");
  transcript.bytes(core()).scalar(challenge).count(responses.size());
  for (const crypto::Scalar& response : responses) transcript.scalar(response);
  return {transcript.scalar(ephemeral_response).hash()};
}

Hash32 Deal::signing_digest(const NetworkId& network, const NodeId& sender) const {
  return signing_transcript("deal", network, sender).id(sid).u16(dealer).id(hash()).hash();
}

}  // namespace kms::dkg
