// node/delegation: the bodies of form A's messages (first byte: which), and the check of an authorisation.
#include "crypto/eip712.h"
#include "node/delegation/messages.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::delegation;

namespace {

template <class M>
void check_body(ByteView body) {
  auto message = M::parse(body);
  if (!message) return;
  KMS_ASSERT(equal(message->body(), body));
  if constexpr (std::is_same_v<M, DelegateRequest>) {
    message->entry.signing_digest(dkg::NetworkId());
    if (const auto* v0 = std::get_if<V0Authorisation>(&message->authorisation)) {
      KMS_ASSERT(v0->target_pub_key.size() <= kKeyStringBytesMax);
      KMS_ASSERT(!check(*v0, {crypto::Address()}));
    } else {
      KMS_ASSERT(std::get<V1Authorisation>(message->authorisation).target.size() <= kTargetBytesMax);
    }
  }
}

// Whoever signed is allowed, so that the keys behind the signature are looked at, too.
void check_keys(fuzz::Input in) {
  static const crypto::NodeKey gateway = [] {
    sim::Random entropy(1);
    return crypto::NodeKey::generate(entropy);
  }();
  V0Authorisation authorisation;
  authorisation.chain_id = in.byte();
  authorisation.ephemeral_pub_key = as_text(in.take(in.byte()));
  authorisation.target_pub_key = as_text(in.rest());
  Hash32 digest = crypto::delegate_authorization_digest(authorisation.chain_id, authorisation.ephemeral_pub_key,
                                                        authorisation.target_pub_key);
  authorisation.signature = gateway.sign(digest).bytes;
  KMS_ASSERT(!check(authorisation, {}));
  auto authorised = check(authorisation, {gateway.address()});
  if (authorised) {
    KMS_ASSERT(authorised->requester == gateway.address() && authorised->auth_digest == digest);
    KMS_ASSERT(equal(authorised->ephemeral.bytes(), *parse_hex(authorisation.ephemeral_pub_key)));
  } else {
    KMS_ASSERT(authorised.error().fault != AuthorisationFault::unauthorised);
    KMS_ASSERT(authorised.error().message.size() < 400);
  }
}

}  // namespace

KMS_FUZZER(node_delegation) {
  fuzz::Input in(input);
  switch (in.byte() % 6) {
    case 0:
      return check_body<DelegateRequest>(in.rest());
    case 1:
      return check_body<SealedA>(in.rest());
    case 2:
      return check_body<Need>(in.rest());
    case 3:
      return check_body<delegation::Done>(in.rest());
    case 4:
      return check_body<delegation::Refusal>(in.rest());
    default:
      check_keys(in);
  }
}
