// Noise's CipherState and SymmetricState with 25519, ChaChaPoly and SHA256 (Noise specification, revision 34, section
// 5).
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "crypto/secret.h"

struct evp_cipher_ctx_st;

namespace kms::net {

inline constexpr std::size_t kNoiseTagBytes = 16;

// One ChaCha20-Poly1305 key with its counter. The cipher context holds the only copy of the key, is reused for every
// message and wiped with it.
class NoiseCipher {
 public:
  enum class Direction { encrypt, decrypt };
  NoiseCipher(const crypto::Secret<32>& key, Direction direction);

  // Appends ciphertext and tag to `out`. An error only when the counter is used up (2^64 - 1 messages).
  Result<void> seal(ByteView associated, ByteView plaintext, Bytes& out);
  // Appends the plaintext; on an error `out` is as before.
  Result<void> open(ByteView associated, ByteView sealed, Bytes& out);
  // Counts a message that the other direction of the same key took.
  void skip_message() { ++counter_; }

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  Result<void> start_message(ByteView associated);

  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
  std::uint64_t counter_ = 0;
};

// A key pair of X25519, drawn or given.
class NoiseKeyPair {
 public:
  explicit NoiseKeyPair(crypto::Secret<32> secret);
  static NoiseKeyPair random(Entropy& entropy) { return NoiseKeyPair(crypto::Secret<32>::random(entropy)); }
  const ByteArray<32>& public_key() const { return public_key_; }
  // An error when the result is all zeros (a public key of small order).
  Result<crypto::Secret<32>> agree(ByteView public_key32) const;

 private:
  crypto::Secret<32> secret_;
  ByteArray<32> public_key_;
};

// Chaining key, handshake hash and the current key. Starts with the protocol's name and the prologue, which is empty in
// libp2p.
class NoiseSymmetric {
 public:
  explicit NoiseSymmetric(ByteView prologue = {});
  void mix_hash(ByteView bytes);
  void mix_key(const crypto::Secret<32>& shared);
  // With a key: ciphertext and tag, without: the bytes as they are; mixes what was appended into the hash.
  void encrypt_and_hash(ByteView plaintext, Bytes& out);
  Result<Bytes> decrypt_and_hash(ByteView sealed);
  const Hash32& hash() const { return hash_; }
  // The two transport keys: first of the initiator, then of the responder as sender. Ends this state.
  std::pair<crypto::Secret<32>, crypto::Secret<32>> split();

 private:
  std::pair<crypto::Secret<32>, crypto::Secret<32>> derive(ByteView input);

  Hash32 hash_{};
  crypto::Secret<32> chaining_key_;
  // One key for both directions with one counter, as Noise has it before the split: both count every message.
  std::optional<NoiseCipher> encrypt_;
  std::optional<NoiseCipher> decrypt_;
};

}  // namespace kms::net
