#include "crypto/io/keystore_file.h"

#include "crypto/io/file.h"

namespace kms::crypto::io {
namespace {

constexpr std::size_t kFileBytesMax = 4096;

}  // namespace

Result<NodeSecrets> create_node_key_file(const std::string& path, ByteView passphrase, Entropy& entropy) {
  NodeSecrets secrets = NodeSecrets::generate(entropy);
  if (auto written = write_node_key_file(path, secrets, passphrase, entropy); !written) return written.error();
  return secrets;
}

Result<void> write_node_key_file(const std::string& path, const NodeSecrets& secrets, ByteView passphrase,
                                 Entropy& entropy) {
  if (passphrase.empty()) return error("the passphrase for " + path + " is empty; choose one");
  return write_new_file(path, seal_node_secrets(secrets, passphrase, entropy));
}

Result<NodeSecrets> open_node_key_file(const std::string& path, ByteView passphrase) {
  auto file = read_file(path, kFileBytesMax);
  if (!file) return file.error();
  auto secrets = open_node_secrets(file->expose(), passphrase);
  if (!secrets) return error("cannot open the node key " + path + ": " + secrets.error().message);
  return secrets;
}

}  // namespace kms::crypto::io
