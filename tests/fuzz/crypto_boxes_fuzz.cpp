// crypto/ and node/: sealed boxes, ECIES ciphertexts, passphrase records and the node key file. Nothing that the fuzzer
// makes opens; what we sealed opens to what was sealed, and no more once a byte of it changed.
#include "crypto/aead.h"
#include "crypto/ecies.h"
#include "crypto/keystore.h"
#include "crypto/sealing.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::crypto;

namespace {

// Argon2 with the memory that a record asks for would be all the fuzzer does; what stands before it is tested.
bool asks_for_much(ByteView record) {
  return record.size() >= 16 && record[8] == 0 && record[9] == 0 && record[10] == 0 ? record[11] > 64 || record[15] > 2
                                                                                    : record.size() >= 48;
}

void check_sealed_by_us(fuzz::Input in, ByteView plaintext) {
  sim::Random entropy(in.number());
  const SealingKey key = SealingKey::random(entropy);
  Bytes box = key.seal(plaintext, as_bytes("context"), entropy);
  KMS_ASSERT(box.size() == plaintext.size() + kAeadNonceBytes + kAeadTagBytes);
  auto opened = key.open(box, as_bytes("context"));
  KMS_ASSERT(opened && equal(opened->expose(), plaintext) && !key.open(box, as_bytes("contexT")));
  std::uint8_t change = static_cast<std::uint8_t>(1u << (in.byte() % 8));
  box[in.word() % box.size()] ^= change;
  KMS_ASSERT(!key.open(box, as_bytes("context")));
}

void check_ecies(ByteView input) {
  sim::Random entropy(3);
  SecretScalar secret = SecretScalar::random(entropy);
  EciesCiphertext foreign{to_array<33>(Bytes(33, 2)), to_array<12>(Bytes(12, 1)), to_bytes(input)};
  KMS_ASSERT(!ecies_decrypt(entropy.array<32>(), foreign));
  EciesCiphertext ours = ecies_encrypt(multiply_generator(secret).point(), input, entropy);
  auto shared = ecdh_x(secret, Point::parse(ours.ephemeral).value());
  auto plaintext = ecies_decrypt(shared.expose(), ours);
  KMS_ASSERT(plaintext && equal(plaintext->expose(), input));
}

}  // namespace

KMS_FUZZER(crypto_boxes) {
  sim::Random entropy(2);
  Secret<32> key = Secret<32>::random(entropy);
  if (input.size() >= 12) KMS_ASSERT(!aead_open(key.expose(), input.first(12), {}, input.subspan(12)));
  KMS_ASSERT(!SealingKey(std::move(key)).open(input, {}));
  if (!asks_for_much(input)) KMS_ASSERT(!open_with_passphrase(input, as_bytes("passphrase"), {}));

  constexpr std::size_t kFileHeader = 8 + 33;
  if (auto point = public_key_in(input)) KMS_ASSERT(equal(point->bytes(), input.subspan(8, 33)));
  if (input.size() < kFileHeader || !asks_for_much(input.subspan(kFileHeader))) {
    KMS_ASSERT(!open_node_secrets(input, as_bytes("passphrase")));
  }
  check_sealed_by_us(fuzz::Input(input), input.subspan(std::min<std::size_t>(input.size(), 7)));
  check_ecies(input);
}
