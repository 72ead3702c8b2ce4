#include "crypto/sealing.h"

#include <stdexcept>

#include <argon2.h>

#include "base/assert.h"
#include "crypto/aead.h"

namespace kms::crypto {
namespace {

constexpr std::string_view kMagic = "KMSSEAL1";
constexpr std::size_t kHeaderBytes = 8 + 4 + 4 + 16;
constexpr std::uint32_t kMemoryKibMin = 8;  // Argon2's own minimum for one lane
constexpr std::uint32_t kMemoryKibMax = 1024 * 1024;
constexpr std::uint32_t kIterationsMax = 16;

void append_u32(Bytes& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint32_t read_u32(ByteView bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[i];
  return value;
}

Bytes bound_context(ByteView header, ByteView context) {
  Bytes out = to_bytes(header);
  append(out, context);
  return out;
}

}  // namespace

Secret<32> derive_key(ByteView passphrase, const PassphraseParameters& parameters) {
  KMS_ASSERT(parameters.memory_kib >= kMemoryKibMin && parameters.memory_kib <= kMemoryKibMax);
  KMS_ASSERT(parameters.iterations >= 1 && parameters.iterations <= kIterationsMax);
  Secret<32> out;
  // libargon2 wipes its blocks before it frees them; at 64 MiB malloc maps them, so free returns them to the system.
  const int status =
      argon2id_hash_raw(parameters.iterations, parameters.memory_kib, 1, passphrase.data(), passphrase.size(),
                        parameters.salt.data(), parameters.salt.size(), out.expose_mutable().data(), 32);
  if (status == ARGON2_MEMORY_ALLOCATION_ERROR) {
    throw std::runtime_error("Argon2id needs " + std::to_string(parameters.memory_kib / 1024) +
                             " MiB of memory for a moment and the system refused it: free some or raise the limit");
  }
  KMS_ASSERT(status == ARGON2_OK);
  return out;
}

Bytes SealingKey::seal(ByteView plaintext, ByteView context, Entropy& entropy) const {
  const auto nonce = entropy.array<kAeadNonceBytes>();
  Bytes out = to_bytes(nonce);
  append(out, aead_seal(key_.expose(), nonce, context, plaintext));
  return out;
}

Result<SecretBytes> SealingKey::open(ByteView sealed, ByteView context) const {
  if (sealed.size() < kAeadNonceBytes + kAeadTagBytes) {
    return error("the sealed box is cut short: " + std::to_string(sealed.size()) + " bytes");
  }
  return aead_open(key_.expose(), sealed.first(kAeadNonceBytes), context, sealed.subspan(kAeadNonceBytes));
}

Bytes seal_with_passphrase(ByteView plaintext, ByteView passphrase, ByteView context, Entropy& entropy) {
  PassphraseParameters parameters;
  parameters.salt = entropy.array<16>();
  Bytes out = to_bytes(as_bytes(kMagic));
  append_u32(out, parameters.memory_kib);
  append_u32(out, parameters.iterations);
  append(out, parameters.salt);
  const SealingKey key(derive_key(passphrase, parameters));
  append(out, key.seal(plaintext, bound_context(out, context), entropy));
  return out;
}

Result<SecretBytes> open_with_passphrase(ByteView sealed, ByteView passphrase, ByteView context) {
  if (sealed.size() < kHeaderBytes + kAeadNonceBytes + kAeadTagBytes) {
    return error("the sealed record is cut short: " + std::to_string(sealed.size()) + " bytes");
  }
  const ByteView header = sealed.first(kHeaderBytes);
  if (as_text(header.first(kMagic.size())) != kMagic) {
    return error("not a record sealed by this version: it does not start with KMSSEAL1");
  }
  PassphraseParameters parameters;
  parameters.memory_kib = read_u32(header.subspan(8));
  parameters.iterations = read_u32(header.subspan(12));
  parameters.salt = to_array<16>(header.subspan(16));
  if (parameters.memory_kib < kMemoryKibMin || parameters.memory_kib > kMemoryKibMax || parameters.iterations < 1 ||
      parameters.iterations > kIterationsMax) {
    return error("the sealed record asks for Argon2id with " + std::to_string(parameters.memory_kib) + " KiB and " +
                 std::to_string(parameters.iterations) + " iterations; at most " + std::to_string(kMemoryKibMax) +
                 " KiB and " + std::to_string(kIterationsMax) + " are accepted: the file is damaged or forged");
  }
  const SealingKey key(derive_key(passphrase, parameters));
  auto plaintext = key.open(sealed.subspan(kHeaderBytes), bound_context(header, context));
  if (!plaintext) return error("the record does not open: wrong passphrase, or the file is damaged");
  return plaintext;
}

}  // namespace kms::crypto
