#include "cli/node_identity.h"

#include "base/base58.h"

namespace kms::cli {

std::string peer_id_of(const crypto::Point& public_key) {
  // Identity multihash (00, 37 bytes) of PublicKey{ Type = secp256k1 (08 02), Data = 33 bytes (12 21) }.
  Bytes multihash = {0x00, 0x25, 0x08, 0x02, 0x12, 0x21};
  append(multihash, public_key.bytes());
  return encode_base58(multihash);
}

NodeIdentity identity_of(const crypto::Point& public_key) {
  return {peer_id_of(public_key), to_0x(public_key.bytes()), crypto::address_of(public_key).hex(),
          to_0x(crypto::node_id_of(public_key))};
}

std::string member_block(const crypto::Point& public_key) {
  return "[[member]]\n"
         "key = \"" +
         to_0x(public_key.bytes()) +
         "\"\n"
         "# name = \"alpha\"                            what operators call it\n"
         "# addresses = [\"/ip4/203.0.113.7/tcp/9000\"]  where others dial it\n";
}

}  // namespace kms::cli
