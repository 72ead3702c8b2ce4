#include "net/noise_payload.h"

#include <optional>

#include "base/proto_wire.h"

namespace kms::net {
namespace {

using Type = ProtoReader::Type;

Bytes signed_bytes(ByteView static_key32) {
  Bytes out = to_bytes(as_bytes(kNoiseSignaturePrefix));
  append(out, static_key32);
  return out;
}

// False if malformed. A list over a limit counts as not sent: the muxer is negotiated afterwards then.
bool read_extensions(ByteView bytes, std::vector<std::string>& muxers) {
  bool within_limits = true;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->number != 2 || field->type != Type::bytes) continue;
    within_limits = within_limits && muxers.size() < kNoiseMuxersMax && field->bytes.size() <= kNoiseMuxerNameMax;
    if (within_limits) muxers.emplace_back(as_text(field->bytes));
  }
  if (!within_limits) muxers.clear();
  return !reader.is_malformed();
}

}  // namespace

Bytes make_noise_payload(const Identity& identity, ByteView static_key32, const std::vector<std::string>& muxers) {
  ProtoWriter writer;
  writer.bytes(1, identity.public_key().encoded());
  writer.bytes(2, identity.sign(signed_bytes(static_key32)));
  if (!muxers.empty()) {
    ProtoWriter extensions;
    for (const std::string& muxer : muxers) extensions.text(2, muxer);
    writer.message(4, extensions);
  }
  return writer.take();
}

Result<NoisePayload> parse_noise_payload(ByteView bytes) {
  std::optional<ByteView> key, signature, extensions;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->type != Type::bytes) continue;
    if (field->number == 1) key = field->bytes;
    if (field->number == 2) signature = field->bytes;
    if (field->number == 4) extensions = field->bytes;
  }
  if (reader.is_malformed()) return error("noise: the handshake payload is malformed");
  if (!key || !signature) return error("noise: the handshake payload lacks the identity key or its signature");
  NoisePayload payload{to_bytes(*key), to_bytes(*signature), {}};
  if (extensions && !read_extensions(*extensions, payload.muxers)) {
    return error("noise: the extensions of the handshake payload are malformed");
  }
  return payload;
}

Result<PublicKey> verify_noise_payload(const NoisePayload& payload, ByteView static_key32) {
  auto key = PublicKey::parse(payload.identity_key);
  if (!key) return error("noise: " + key.error().message);
  if (!key->verify(signed_bytes(static_key32), payload.identity_signature)) {
    return error("noise: the identity's signature over the static key is wrong");
  }
  return key;
}

}  // namespace kms::net
