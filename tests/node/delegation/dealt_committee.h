// A committee whose key was dealt in the test process, for tests of what comes after a ceremony.
#pragma once

#include <random>
#include <set>

#include "crypto/ecies.h"
#include "crypto/eip712.h"
#include "crypto/rsa_oaep.h"
#include "node/delegation/replay_window.h"
#include "node/delegation/serving.h"

namespace kms::test {

// Deterministic; not for anything but tests.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : engine_(seed) {}
  void fill(MutableByteView out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

// Whose public half is the target of requests. Made once: that takes a tenth of a second.
inline const crypto::RsaPrivateKey& requester_key() {
  static const crypto::RsaPrivateKey key = crypto::RsaPrivateKey::generate(2048);
  return key;
}

struct DealtCommittee {
  static constexpr std::uint64_t kChain = 31337;

  DealtCommittee(std::size_t n, std::size_t t, std::uint64_t seed) : entropy(seed) {
    std::vector<crypto::Point> keys;
    for (std::size_t i = 0; i < n; ++i) {
      auto key = crypto::NodeKey::generate(entropy);
      keys.push_back(key.public_key());
      credentials.push_back(std::make_shared<const delegation::Credentials>(delegation::Credentials{
          std::move(key), crypto::Secret<32>::random(entropy), crypto::SecretScalar::random(entropy)}));
    }
    committee.emplace(*dkg::Committee::make(keys));
    threshold.emplace(*dkg::Threshold::make(static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(t)));
    std::sort(credentials.begin(), credentials.end(),
              [](const auto& a, const auto& b) { return a->node_id() < b->node_id(); });
    std::vector<crypto::SecretScalar> coefficients;
    for (std::size_t k = 0; k < t; ++k) coefficients.push_back(crypto::SecretScalar::random(entropy));
    polynomial.emplace(std::move(coefficients));
    tables.push_back(table_of(n));
  }

  // New shares of the same key: the next epoch.
  void refresh() {
    std::vector<crypto::SecretScalar> coefficients;
    coefficients.push_back(polynomial->coefficient(0).clone());
    for (std::size_t k = 1; k < threshold->t(); ++k) coefficients.push_back(crypto::SecretScalar::random(entropy));
    polynomial.emplace(std::move(coefficients));
    tables[0] = table_of(threshold->n());
    ++epoch;
  }

  dkg::KeyTable table_of(std::size_t n) const {
    dkg::KeyTable table{crypto::multiply_generator(polynomial->coefficient(0)).point(), {}};
    for (std::size_t i = 1; i <= n; ++i) {
      table.shares.push_back(crypto::multiply_generator(polynomial->evaluate(static_cast<crypto::Position>(i))));
    }
    return table;
  }

  delegation::ServingKeyPtr serving(dkg::Position self) {
    return std::make_shared<const delegation::ServingKey>(delegation::ServingKey{
        dkg::NetworkId{crypto::sha256(as_bytes("network"))}, dkg::KeyId{crypto::sha256(as_bytes("key"))}, kChain, epoch,
        dkg::TranscriptHash{crypto::sha256(as_bytes(epoch == 0 ? "T" : "T" + std::to_string(epoch)))}, *threshold,
        *committee, tables[0], self, polynomial->evaluate(self)});
  }

  const dkg::Member& member(dkg::Position position) const { return committee->at(position); }
  std::set<dkg::NodeId> nodes(const std::set<dkg::Position>& positions) const {
    std::set<dkg::NodeId> out;
    for (const dkg::Position position : positions) out.insert(committee->at(position).node);
    return out;
  }
  crypto::Address gateway() const { return crypto::address_of(crypto::multiply_generator(gateway_key).point()); }

  // A request as a gateway signs it.
  delegation::V0Authorisation authorise(const crypto::Point& ephemeral, const crypto::RsaPrivateKey& target) const {
    delegation::V0Authorisation out;
    out.chain_id = kChain;
    out.ephemeral_pub_key = to_0x(ephemeral.bytes());
    out.target_pub_key = to_0x(target.public_spki());
    Hash32 digest = crypto::delegate_authorization_digest(kChain, out.ephemeral_pub_key, out.target_pub_key);
    out.signature = crypto::sign_recoverable(gateway_key, digest).bytes;
    return out;
  }

  delegation::ReplayWindow& replay_of(dkg::Position position) {
    return replays.try_emplace(position, delegation::ReplayLimits{}).first->second;
  }

  SeededEntropy entropy;
  std::uint32_t epoch = 0;
  std::map<dkg::Position, delegation::ReplayWindow> replays;
  std::vector<delegation::CredentialsPtr> credentials;  // by position - 1
  std::optional<dkg::Committee> committee;
  std::optional<dkg::Threshold> threshold;
  std::optional<crypto::SecretPolynomial> polynomial;
  std::vector<dkg::KeyTable> tables;
  crypto::SecretScalar gateway_key = crypto::SecretScalar::random(entropy);
};

}  // namespace kms::test
