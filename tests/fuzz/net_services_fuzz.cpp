// net/: the messages of /kms/<network>/peers/1 and /objects/1 behind their lengths, and the book of peer records.
#include "net/object_exchange.h"
#include "net/peer_book.h"
#include "net/peers_wire.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::net;

namespace {

void check_peers(ByteView input) {
  if (auto request = PeersRequest::parse(input)) {
    KMS_ASSERT(request->held.size() <= PeersRequest::kHeldMax);
    auto again = PeersRequest::parse(request->encode());
    KMS_ASSERT(again && again->encode() == request->encode());
  }
  if (auto reply = PeersReply::parse(input)) {
    KMS_ASSERT(reply->records.size() <= PeersReply::kRecordsMax);
    for (const auto& record : reply->records) KMS_ASSERT(record.envelope.size() <= PeersReply::kEnvelopeBytesMax);
    auto again = PeersReply::parse(reply->encode());
    KMS_ASSERT(again && again->encode() == reply->encode());
  }
}

void check_objects(ByteView input) {
  if (auto name = parse_object_request(input)) {
    auto again = parse_object_request(encode_object_request(*name));
    KMS_ASSERT(again && *again == *name);
  }
  if (auto reply = parse_object_reply(input)) {
    KMS_ASSERT(reply->object.size() <= kObjectBytesMax);
    Bytes encoded = encode_object_reply(*reply);
    auto again = parse_object_reply(encoded);
    KMS_ASSERT(again && again->status == reply->status && equal(again->object, reply->object));
  }
}

// However a message is cut, it is the same message; what follows it is an error.
void check_frame(ByteView input, std::uint64_t seed) {
  constexpr std::size_t kBodyMax = 4096;
  LengthFrame whole(kBodyMax);
  bool whole_good = whole.feed(input).has_value();
  LengthFrame pieces(kBodyMax);
  bool pieces_good = true;
  fuzz::feed_in_pieces(input, seed, 40,
                       [&](ByteView piece) { pieces_good = pieces_good && pieces.feed(piece).has_value(); });
  KMS_ASSERT(pieces_good == whole_good);
  if (whole_good) KMS_ASSERT(pieces.is_complete() == whole.is_complete());
  if (whole_good && whole.is_complete()) {
    KMS_ASSERT(whole.body().size() <= kBodyMax && equal(pieces.body(), whole.body()));
    Bytes encoded = LengthFrame::encode(whole.body());
    KMS_ASSERT(equal(encoded, input));
  }
}

// Nobody gets into the book by bytes that its owner did not sign.
void check_book(ByteView input, std::uint64_t seed) {
  static const std::vector<Identity> identities = [] {
    sim::Random entropy(1);
    std::vector<Identity> made;
    for (int i = 0; i < 3; ++i) made.push_back(Identity::generate(entropy));
    return made;
  }();
  PeerBook book(identities[0].peer_id(), {});
  book.set_members({identities[1].peer_id(), identities[2].peer_id()});
  Now now{};
  KMS_ASSERT(book.add(input, std::nullopt, 0s, now).verdict != RecordVerdict::newer);
  KMS_ASSERT(book.entries().empty());
  const Identity& owner = identities[seed % 3];
  Bytes envelope = seal_envelope(owner, kPeerRecordDomain, kPeerRecordPayloadType, input);
  auto added = book.add(envelope, std::nullopt, 0s, now);
  bool taken = added.verdict == RecordVerdict::newer;
  KMS_ASSERT(book.entries().size() == (taken ? 1U : 0U));
  if (!taken) return;
  KMS_ASSERT(added.peer == owner.peer_id() && seed % 3 != 0);
  const auto* entry = book.find(owner.peer_id());
  KMS_ASSERT(entry != nullptr && entry->addresses.size() <= PeerBookOptions{}.addresses_max);
  KMS_ASSERT(book.add(envelope, owner.peer_id(), 0s, now).verdict == RecordVerdict::known);
}

}  // namespace

KMS_FUZZER(net_services) {
  fuzz::Input in(input);
  std::uint64_t seed = in.byte();
  ByteView rest = in.rest();
  check_peers(rest);
  check_objects(rest);
  check_frame(rest, seed);
  check_book(rest, seed);
}
