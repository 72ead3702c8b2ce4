#include "crypto/keystore.h"

#include <algorithm>

namespace kms::crypto {
namespace {

constexpr std::string_view kMagic = "KMSNODE1";
constexpr std::size_t kHeaderBytes = 8 + 33;
constexpr std::size_t kSecretsBytes = 3 * 32;
constexpr std::size_t kSealedBytesMax = 1024;

// The header is bound to the record: a public key swapped in from elsewhere does not open.
Bytes context_of(ByteView header) {
  Bytes out = to_bytes(as_bytes("kms node key"));
  append(out, header);
  return out;
}

Result<void> check_header(ByteView file) {
  const std::string_view start = as_text(file.first(std::min<std::size_t>(file.size(), kMagic.size())));
  if (start != kMagic) {
    if (start.size() == kMagic.size() && start.substr(0, 7) == kMagic.substr(0, 7)) {
      return error("it has version \"" + std::string(1, start[7] > ' ' && start[7] <= '~' ? start[7] : '?') +
                   "\", this program reads version \"1\"; use the program that wrote it");
    }
    return error("it is not a node key file; kmsctl keygen makes one");
  }
  if (file.size() < kHeaderBytes || file.size() > kSealedBytesMax) {
    return error("it is damaged: " + std::to_string(file.size()) + " bytes; restore it from a backup");
  }
  return {};
}

}  // namespace

NodeSecrets NodeSecrets::generate(Entropy& entropy) {
  return {NodeKey::generate(entropy), Secret<32>::random(entropy), SealingKey::random(entropy)};
}

Bytes seal_node_secrets(const NodeSecrets& secrets, ByteView passphrase, Entropy& entropy) {
  Bytes file = to_bytes(as_bytes(kMagic));
  append(file, secrets.key.public_key().bytes());
  SecretBytes plaintext(kSecretsBytes);
  std::memcpy(plaintext.expose_mutable().data(), secrets.key.expose().expose().data(), 32);
  std::memcpy(plaintext.expose_mutable().data() + 32, secrets.node_secret.expose().data(), 32);
  std::memcpy(plaintext.expose_mutable().data() + 64, secrets.store_key.expose().expose().data(), 32);
  append(file, seal_with_passphrase(plaintext.expose(), passphrase, context_of(file), entropy));
  return file;
}

Result<NodeSecrets> open_node_secrets(ByteView file, ByteView passphrase) {
  if (auto header = check_header(file); !header) return header.error();
  auto opened = open_with_passphrase(file.subspan(kHeaderBytes), passphrase, context_of(file.first(kHeaderBytes)));
  if (!opened) return opened.error();
  if (opened->size() != kSecretsBytes) return error("it is damaged: its record has the wrong size");
  auto scalar = SecretScalar::parse(opened->expose().first(32));
  if (!scalar) return error("it is damaged: its key is no scalar");
  auto key = NodeKey::from_secret(std::move(*scalar));
  if (!key) return key.error();
  if (!equal(key->public_key().bytes(), file.subspan(kMagic.size(), 33))) {
    return error("it is damaged: its public key is not that of its secret key");
  }
  return NodeSecrets{std::move(*key), Secret<32>::copy_of(opened->expose().subspan(32, 32)),
                     SealingKey(Secret<32>::copy_of(opened->expose().subspan(64, 32)))};
}

Result<Point> public_key_in(ByteView file) {
  if (auto header = check_header(file); !header) return header.error();
  auto key = Point::parse(file.subspan(kMagic.size(), 33));
  if (!key) return error("it is damaged: its public key is no point");
  return key;
}

}  // namespace kms::crypto
