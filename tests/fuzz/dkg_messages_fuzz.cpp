// dkg/: the body of every ceremony message (first byte: its type). What parses is canonical, and what can be asked of
// it without knowing the ceremony does not depend on how it came.
#include "dkg/envelope.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::dkg;

namespace {

const crypto::NodeKey& node_key() {
  static const crypto::NodeKey key = [] {
    sim::Random entropy(1);
    return crypto::NodeKey::generate(entropy);
  }();
  return key;
}

void check_header(const CeremonyHeader& header) {
  KMS_ASSERT(!header.members.empty() && header.members.size() <= kMembersMax && header.keys() >= 1);
  Committee committee = header.committee();
  KMS_ASSERT(committee.size() == header.members.size() && header.threshold.n() == committee.size());
  KMS_ASSERT(header.absent().size() <= committee.size());
  NetworkId network;
  check_terms(header, header.terms, std::nullopt, header.void_cert);
  check_threshold(header, LowerThreshold::refused);
  check_genesis(header, committee, header.threshold, header.file);
  check_expiry(header, 0);
  if (header.old) KMS_ASSERT(!check_old_epoch(header, *header.old));
  check_members(header, network);
  check_own_prekey(header, 1, std::nullopt);
  if (header.old) check_approvals(header, network, committee);
}

void check_certificate(const Certificate& certificate) {
  KMS_ASSERT(!certificate.signatures.empty());
  auto committee = Committee::make({node_key().public_key()}).value();
  KMS_ASSERT(!verify(certificate, NetworkId(), Electorate{committee, 1}));
  fate_of(certificate);
}

void check_chain(const EpochChain& chain) {
  for (const Link& link : chain.links) {
    KMS_ASSERT(!link.tables.empty() && link.tables.size() <= kKeysMax);
    verify_link(link, NetworkId(), nullptr);
  }
}

// Nobody's signature is on what the fuzzer writes.
template <class M>
void check_message(const M& message, const Envelope& envelope) {
  KMS_ASSERT(equal(message.body(), envelope.body));
  if constexpr (requires { message.signing_digest(envelope.network, envelope.sender); }) {
    Envelope sealed = seal(message, node_key(), envelope.network);
    KMS_ASSERT(verify_sender(sealed, message, node_key().public_key()));
    KMS_ASSERT(!verify_sender(envelope, message, node_key().public_key()));
  }
  if constexpr (std::is_same_v<M, CeremonyHeader>) check_header(message);
  if constexpr (std::is_same_v<M, Certificate>) check_certificate(message);
  if constexpr (std::is_same_v<M, EpochChain>) check_chain(message);
}

}  // namespace

KMS_FUZZER(dkg_messages) {
  fuzz::Input in(input);
  auto type = message_type(in.byte());
  if (!type) return;
  Envelope envelope;
  envelope.type = *type;
  envelope.body = to_bytes(in.rest());
  auto message = parse_message(envelope);
  if (!message) {
    KMS_ASSERT(!message.error().message.empty() && message.error().message.size() < 400);
    return;
  }
  std::visit([&](const auto& body) { check_message(body, envelope); }, *message);
  auto id = object_id(envelope, *message);
  KMS_ASSERT(id == object_id(envelope, *message));
}
