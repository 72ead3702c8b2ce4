// net/: identify messages, their streams, peer records and envelopes.
#include "net/identify.h"
#include "net/peer_record.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::net;

namespace {

bool is_printable(const std::optional<std::string>& text) {
  return !text || std::all_of(text->begin(), text->end(), [](char c) { return c >= 32 && c < 127; });
}

void check_bounds(const Identify& message) {
  KMS_ASSERT(!message.listen_addresses || message.listen_addresses->size() <= kIdentifyAddressesMax);
  KMS_ASSERT(!message.protocols || message.protocols->size() <= kIdentifyProtocolsMax);
  KMS_ASSERT(is_printable(message.protocol_version) && is_printable(message.agent_version));
  KMS_ASSERT(!message.agent_version || message.agent_version->size() <= kIdentifyTextMax);
}

void check_identify(ByteView input) {
  auto message = parse_identify(input);
  if (!message) return;
  check_bounds(*message);
  if (auto encoded = encode_identify(*message)) {
    auto again = parse_identify(*encoded);
    KMS_ASSERT(again && encode_identify(*again).value() == *encoded);
  }
  Identify known = *message;
  apply_identify_push(known, std::move(*message));
  check_bounds(known);
}

void check_stream(ByteView input, std::uint64_t seed) {
  IdentifyReader reader;
  bool good = true;
  fuzz::feed_in_pieces(input, seed, 300, [&](ByteView piece) { good = good && reader.feed(piece).has_value(); });
  if (!good) return;
  auto merged = reader.finish();
  IdentifyReader whole;
  KMS_ASSERT(whole.feed(input).has_value() && whole.finish().has_value() == merged.has_value());
  if (merged) check_bounds(*merged);
}

void check_records(ByteView input) {
  static const Identity identity = [] {
    sim::Random entropy(1);
    return Identity::generate(entropy);
  }();
  if (auto record = parse_peer_record(input)) {
    KMS_ASSERT(record->addresses.size() <= kPeerRecordAddressesMax);
    auto again = parse_peer_record(encode_peer_record(*record));
    KMS_ASSERT(again && again->peer == record->peer && again->seq == record->seq);
    KMS_ASSERT(again->addresses == record->addresses);
  }
  KMS_ASSERT(!verify_peer_record(input, identity.peer_id()));
  Bytes envelope = seal_envelope(identity, kPeerRecordDomain, kPeerRecordPayloadType, input);
  auto opened = open_envelope(envelope, kPeerRecordDomain, kPeerRecordPayloadType);
  KMS_ASSERT(opened ? equal(opened->payload, input) : envelope.size() > kEnvelopeBytesMax);
  if (auto record = verify_peer_record(envelope, identity.peer_id())) KMS_ASSERT(record->peer == identity.peer_id());
}

}  // namespace

KMS_FUZZER(net_identify) {
  fuzz::Input in(input);
  std::uint64_t seed = in.byte();
  ByteView rest = in.rest();
  check_identify(rest);
  check_stream(rest, seed);
  check_records(rest);
}
