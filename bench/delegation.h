// A committee with a key, and the jobs of form A on it: what the benchmarks put real payloads and real work from.
#pragma once

#include <memory>
#include <vector>

#include "node/delegation/jobs.h"

namespace kms::bench {

enum class RequestSize { rsa_2048, rsa_4096 };  // of the requester's key, which is most of a request

class DelegationWorld {
 public:
  // Members 0 .. n - 1 stand for positions 1 .. n.
  DelegationWorld(std::size_t members, std::uint16_t threshold, RequestSize size, Entropy& entropy);

  struct Admit {
    delegation::AdmitJob job;
    const delegation::AdmitJob::Admitted& admitted() const {
      return std::get<delegation::AdmitJob::Admitted>(job.result);
    }
    delegation::DelegateRequest request(const dkg::KeyId& key) const;
  };
  delegation::AdmitJob admit_job(std::size_t entry) const;
  Admit admit(std::size_t entry);
  void run(delegation::AdmitJob job);

  struct Answer {
    delegation::SealedA sealed;
    delegation::SealingSecretPtr sealing;
  };
  Answer answer(const Admit& admit, std::size_t member, delegation::SealingSecretPtr sealing);
  delegation::OpenJob open(const Admit& admit, const delegation::SealedA& sealed, delegation::OpeningSecretPtr opening);
  // For t = 3: the entry's own and the two opened ones.
  std::shared_ptr<const delegation::Quorum> quorum(const Admit& admit, const delegation::OpenJob& one,
                                                   const delegation::OpenJob& two) const;
  delegation::FinishJob finish(const Admit& admit, std::shared_ptr<const delegation::Quorum> quorum);

  const delegation::ServingKeyPtr& key(std::size_t member) const { return keys_[member]; }
  const crypto::NodeKey& node_key(std::size_t member) const { return credentials_[member]->node_key; }

 private:
  Entropy& entropy_;
  std::vector<delegation::CredentialsPtr> credentials_;  // by position
  std::vector<delegation::ServingKeyPtr> keys_;
  std::vector<crypto::Address> gateways_;
  delegation::V0Authorisation authorisation_;
  delegation::ReplyKeyPtr reply_key_;
};

}  // namespace kms::bench
