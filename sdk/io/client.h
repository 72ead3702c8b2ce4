// A client of a threshold KMS network (docs/SDK.md): encrypts to the network's key, has secrets delegated by whichever
// nodes answer, checks what they say, and decrypts. One call at a time; several threads take a Client each.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "crypto/rsa_oaep.h"
#include "sdk/delegation.h"
#include "sdk/network_description.h"

namespace kms {

struct ClientOptions {
  // A node that has not answered after this long is not waited for alone any more: the next one is asked, too.
  std::chrono::milliseconds hedge_delay{100};
  std::chrono::milliseconds node_limit{5'000};  // for one node's answer
  std::chrono::milliseconds limit{15'000};      // for a whole call, in which nodes are asked again and again
};

struct Misbehaviour {
  enum class Kind {
    silent,   // no connection, no answer in time, or half an answer
    refused,  // any status but 200
    lied,     // an answer that is malformed, not signed by the network's signer, or opens nothing
  };
  sdk::NodeUrl node;
  Kind kind = Kind::silent;
  std::string text;  // for people
};
std::string_view name_of(Misbehaviour::Kind kind);

class Client {
 public:
  struct Delegated {
    sdk::Delegated delegation;
    sdk::NodeUrl node;                     // whose answer it is
    std::vector<Misbehaviour> misbehaved;  // others that were asked first, or meanwhile
  };
  struct Opened {
    crypto::SecretBytes text;
    sdk::NodeUrl node;
    std::vector<Misbehaviour> misbehaved;
  };
  struct Health {
    sdk::NodeUrl node;
    std::uint64_t answered = 0, silent = 0, refused = 0, lied = 0;  // since the client was made
  };

  // An error if the description has no node or too many.
  static Result<Client> make(NetworkDescription network, ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  // Gives up questions that were not answered yet.
  ~Client();

  const NetworkDescription& network() const;
  // The pinned one. Without a pin all nodes are asked once: those that answer have to agree, and it is pinned from then
  // on.
  Result<crypto::Point> public_key();
  // At most sdk::kPlaintextBytesMax.
  Result<sdk::Ciphertext> encrypt(ByteView text);

  // For a gateway: a delegation to the requester with this RSA key (SPKI). The answer counts once its proof is the
  // signer's; whether it opens the ciphertext only the requester can tell.
  Result<Delegated> delegate(const sdk::Ciphertext& ciphertext, const crypto::SecretScalar& gateway_key,
                             ByteView requester_spki);
  // For who holds both keys: an answer counts once it has opened the ciphertext, so a node that lies costs one more
  // question and is named.
  Result<Opened> open(const sdk::Ciphertext& ciphertext, const crypto::SecretScalar& gateway_key,
                      const crypto::RsaPrivateKey& requester);

  std::vector<Health> health() const;

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kms
