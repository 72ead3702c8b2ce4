// The expensive, pure steps of form A (PROTOCOL.md 5.1, 5.2) as values: NodeCore hands them out as compute effects and
// takes them back with their results filled in. A job touches nothing but itself and what it shares read-only, so it
// may run on any thread.
#pragma once

#include <memory>
#include <variant>

#include "node/delegation/messages.h"
#include "node/delegation/public_jobs.h"
#include "node/delegation/serving.h"

namespace kms::delegation {

// An entry's short-lived key that partials are sealed to; one per minute.
struct ReplyKey {
  crypto::SecretScalar secret;
  crypto::Point key;
};
using ReplyKeyPtr = std::shared_ptr<const ReplyKey>;
ReplyKeyPtr make_reply_key(Entropy& entropy);

// A responder's side of the ECDH with one reply key: U = uG and x(u * reply_key), cached while the reply key lives.
struct SealingSecret {
  ByteArray<33> reply_key{};
  ByteArray<33> u{};
  crypto::Secret<32> shared;
};
using SealingSecretPtr = std::shared_ptr<const SealingSecret>;

// The entry's side: x(reply_secret * U) for one member's U.
struct OpeningSecret {
  ByteArray<33> u{};
  crypto::Secret<32> shared;
};
using OpeningSecretPtr = std::shared_ptr<const OpeningSecret>;

// rh of a v0 request (TRANSCRIPTS.md 7, `req`): form A, RSA target, nonce and deadline zero.
Hash32 request_hash(const ServingKey& key, const Authorised& authorised);

// What a client of form A gets, both as 0x-prefixed lower-case hex, and who combined it.
struct V0Answer {
  std::string encrypted_shared_secret;
  std::string proof;
  crypto::Address entry = {};
};

struct Partial {
  Position index = 0;
  crypto::Secret<33> point;  // D_i, compressed
};

// Who gets an answer and how it is bound.
struct AnswerTerms {
  std::uint64_t chain_id = 0;
  Hash32 salt{};
  std::shared_ptr<const crypto::RsaPublicKey> target;
};

// Entry: checks the authorisation, computes the own partial and, if that is all it takes, the answer.
struct AdmitJob {
  Authorisation authorisation;
  Hash32 salt{};  // v0; of a v1 answer it is rh
  std::vector<crypto::Address> allowed;
  ServingKeyPtr key;
  CredentialsPtr credentials;
  ReplyKeyPtr reply_key;
  std::uint64_t issued_at = 0;

  struct Admitted {
    Hash32 rh{};
    crypto::Point ephemeral;  // K
    AnswerTerms terms;
    std::optional<crypto::Secret<33>> own;  // D_self, unless this node has no share
    Entry entry;                            // signed
    std::optional<V0Answer> answer;         // threshold 1 only
    std::optional<NonceUse> use = {};       // v1
  };
  std::variant<std::monostate, AuthorisationError, Admitted> result;
};

// Responder: verifies everything itself, never trusting the entry, and seals its partial.
struct AnswerJob {
  DelegateRequest request;
  std::vector<crypto::Address> allowed;
  ServingKeyPtr key;  // has a share
  CredentialsPtr credentials;
  crypto::Point entry_key;
  SealingSecretPtr sealing;  // null: made here, for the request's reply key

  std::variant<std::monostate, RefusalCode, SealedA> result;
  std::optional<NonceUse> use = {};  // v1: what the result may be sent for
};

// Entry: opens one sealed partial and verifies its proof before anything is combined.
struct OpenJob {
  SealedA sealed;
  crypto::Point ephemeral;  // K
  ServingKeyPtr key;
  ReplyKeyPtr reply_key;
  OpeningSecretPtr opening;  // null: made here

  std::optional<crypto::Secret<33>> point;  // the verified D_i; none: `fault` says why
  std::string fault;
};

// Exactly t verified partials, strictly increasing by index, and lambda_i(0) of each.
struct Quorum {
  std::vector<Partial> partials;
  std::vector<crypto::Scalar> weights;
};

// Entry: combines a quorum, encrypts x(sK) to the target and signs.
struct FinishJob {
  std::shared_ptr<const Quorum> quorum;
  AnswerTerms terms;
  CredentialsPtr credentials;

  std::optional<V0Answer> answer;  // none: the partials add up to infinity
};

// `id` is the machine's own; it comes back unchanged.
struct Job {
  std::uint64_t id = 0;
  std::variant<AdmitJob, AnswerJob, OpenJob, FinishJob, PartialJob, VerifyJob, CombineJob> work;
};
void run(Job& job, Entropy& entropy);

}  // namespace kms::delegation
