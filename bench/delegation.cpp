#include "bench/delegation.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "crypto/eip712.h"
#include "crypto/polynomial.h"

namespace kms::bench {

using namespace delegation;

namespace {

constexpr std::uint64_t kChain = 31337;

// Made once: a key of 4096 bits takes a second.
const Bytes& target_spki(RequestSize size) {
  static std::map<RequestSize, Bytes> made;
  Bytes& spki = made[size];
  if (spki.empty()) spki = crypto::RsaPrivateKey::generate(size == RequestSize::rsa_2048 ? 2048 : 4096).public_spki();
  return spki;
}

V0Authorisation make_authorisation(const crypto::NodeKey& gateway, RequestSize size, Entropy& entropy) {
  auto ephemeral = crypto::multiply_generator(crypto::SecretScalar::random(entropy)).point();
  V0Authorisation out;
  out.chain_id = kChain;
  out.ephemeral_pub_key = to_0x(ephemeral.bytes());
  out.target_pub_key = to_0x(target_spki(size));
  out.signature =
      gateway.sign(crypto::delegate_authorization_digest(out.chain_id, out.ephemeral_pub_key, out.target_pub_key))
          .bytes;
  return out;
}

}  // namespace

DelegationWorld::DelegationWorld(std::size_t members, std::uint16_t threshold, RequestSize size, Entropy& entropy)
    : entropy_(entropy), reply_key_(make_reply_key(entropy)) {
  std::vector<crypto::NodeKey> node_keys;
  for (std::size_t i = 0; i < members; ++i) node_keys.push_back(crypto::NodeKey::generate(entropy));
  std::sort(node_keys.begin(), node_keys.end(), [](const auto& a, const auto& b) { return a.node_id() < b.node_id(); });
  std::vector<crypto::Point> points;
  std::vector<crypto::SecretScalar> coefficients;
  for (const auto& key : node_keys) points.push_back(key.public_key());
  for (std::uint16_t i = 0; i < threshold; ++i) coefficients.push_back(crypto::SecretScalar::random(entropy));
  const crypto::SecretPolynomial polynomial(std::move(coefficients));

  dkg::KeyTable table{crypto::multiply_generator(polynomial.coefficient(0)).point(), {}};
  for (std::size_t i = 1; i <= members; ++i) {
    table.shares.push_back(crypto::multiply_generator(polynomial.evaluate(static_cast<Position>(i))));
  }
  auto committee = dkg::Committee::make(points).value();
  auto terms = dkg::Threshold::make(static_cast<std::uint32_t>(members), threshold).value();
  for (std::size_t i = 1; i <= members; ++i) {
    auto position = static_cast<Position>(i);
    keys_.push_back(std::make_shared<const ServingKey>(
        ServingKey{{}, {}, kChain, 0, {}, terms, committee, table, position, polynomial.evaluate(position)}));
    credentials_.push_back(std::make_shared<const Credentials>(Credentials{
        std::move(node_keys[i - 1]), crypto::Secret<32>::random(entropy), crypto::SecretScalar::random(entropy)}));
  }
  crypto::NodeKey gateway = crypto::NodeKey::generate(entropy);
  gateways_ = {gateway.address()};
  authorisation_ = make_authorisation(gateway, size, entropy);
}

DelegateRequest DelegationWorld::Admit::request(const dkg::KeyId& key) const {
  return {key, 0, job.authorisation, admitted().entry};
}

AdmitJob DelegationWorld::admit_job(std::size_t entry) const {
  AdmitJob job{authorisation_, {}, gateways_, keys_[entry], credentials_[entry], reply_key_, 1'700'000'000, {}};
  return job;
}

void DelegationWorld::run(AdmitJob job) {
  Job wrapped{0, std::move(job)};
  delegation::run(wrapped, entropy_);
}

DelegationWorld::Admit DelegationWorld::admit(std::size_t entry) {
  Job job{0, admit_job(entry)};
  delegation::run(job, entropy_);
  Admit out{std::move(std::get<AdmitJob>(job.work))};
  KMS_ASSERT(std::holds_alternative<AdmitJob::Admitted>(out.job.result));
  return out;
}

DelegationWorld::Answer DelegationWorld::answer(const Admit& admit, std::size_t member, SealingSecretPtr sealing) {
  Job job{0, AnswerJob{admit.request(admit.job.key->key),
                       gateways_,
                       keys_[member],
                       credentials_[member],
                       admit.job.credentials->node_key.public_key(),
                       std::move(sealing),
                       {}}};
  delegation::run(job, entropy_);
  auto& done = std::get<AnswerJob>(job.work);
  KMS_ASSERT(std::holds_alternative<SealedA>(done.result));
  return {std::get<SealedA>(done.result), done.sealing};
}

OpenJob DelegationWorld::open(const Admit& admit, const SealedA& sealed, OpeningSecretPtr opening) {
  Job job{0, OpenJob{sealed, admit.admitted().ephemeral, admit.job.key, reply_key_, std::move(opening), {}, {}}};
  delegation::run(job, entropy_);
  KMS_ASSERT(std::get<OpenJob>(job.work).point.has_value());
  return std::move(std::get<OpenJob>(job.work));
}

std::shared_ptr<const Quorum> DelegationWorld::quorum(const Admit& admit, const OpenJob& one,
                                                      const OpenJob& two) const {
  auto out = std::make_shared<Quorum>();
  auto& partials = out->partials;
  partials.push_back({admit.job.key->self, admit.admitted().own->clone()});
  for (const OpenJob* opened : {&one, &two}) partials.push_back({opened->sealed.index, opened->point->clone()});
  std::sort(partials.begin(), partials.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  std::vector<Position> positions;
  for (const Partial& partial : partials) positions.push_back(partial.index);
  out->weights = crypto::lagrange_coefficients(positions);
  return out;
}

FinishJob DelegationWorld::finish(const Admit& admit, std::shared_ptr<const Quorum> quorum) {
  Job job{0, FinishJob{std::move(quorum), admit.admitted().terms, admit.job.credentials, {}}};
  delegation::run(job, entropy_);
  KMS_ASSERT(std::get<FinishJob>(job.work).answer.has_value());
  return std::move(std::get<FinishJob>(job.work));
}

}  // namespace kms::bench
