// net/: multiaddrs, PeerIds, public keys. Values written anew are equal, byte forms are canonical.
#include "net/base32.h"
#include "net/multiaddr.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::net;

namespace {

void check_address(const Multiaddr& address) {
  KMS_ASSERT(!address.parts().empty() && address.parts().size() <= Multiaddr::kPartsMax);
  auto from_bytes = Multiaddr::parse(address.bytes());
  KMS_ASSERT(from_bytes && *from_bytes == address);
  auto from_text = Multiaddr::parse_text(address.text());
  KMS_ASSERT(from_text ? *from_text == address : address.text().size() > Multiaddr::kTextMax);
  auto target = tcp_target_of(address);
  KMS_ASSERT(!target || !target->host.empty());
  if (auto peer = address.peer_id()) {
    KMS_ASSERT(address.with_peer_id(*peer) == address);
    // An address may end in two ids, of which only the last is taken off and put on again.
    bool one = address.parts().size() > 1 && !address.without_peer_id().peer_id();
    if (one) KMS_ASSERT(address.without_peer_id().with_peer_id(*peer) == address);
  }
}

void check_peer_id(const PeerId& id) {
  auto from_bytes = PeerId::parse(id.bytes());
  auto from_text = PeerId::parse_text(id.text());
  auto from_cid = PeerId::parse_text(id.cid());
  KMS_ASSERT(from_bytes && *from_bytes == id && from_text && *from_text == id && from_cid && *from_cid == id);
  if (auto key = id.public_key()) KMS_ASSERT(id.matches(*key));
}

}  // namespace

KMS_FUZZER(net_address) {
  if (auto address = Multiaddr::parse(input)) {
    check_address(*address);
    KMS_ASSERT(equal(address->bytes(), input));
  }
  if (auto address = Multiaddr::parse_text(as_text(input))) check_address(*address);
  if (auto id = PeerId::parse(input)) {
    KMS_ASSERT(equal(id->bytes(), input));
    check_peer_id(*id);
  }
  if (auto id = PeerId::parse_text(as_text(input))) check_peer_id(*id);
  if (auto key = PublicKey::parse(input)) {
    auto again = PublicKey::parse(key->encoded());
    KMS_ASSERT(again && *again == *key && key->encoded().size() <= PublicKey::kEncodedBytesMax);
    KMS_ASSERT(!key->verify(as_bytes("message"), input));
    check_peer_id(PeerId::of(*key));
  }
}
