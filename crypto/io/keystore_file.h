// node.key on disk.
#pragma once

#include "crypto/keystore.h"

namespace kms::crypto::io {

// Makes new secrets and their file: mode 0600, complete or absent whatever happens, never over an existing file.
Result<NodeSecrets> create_node_key_file(const std::string& path, ByteView passphrase, Entropy& entropy);
// The same with given secrets.
Result<void> write_node_key_file(const std::string& path, const NodeSecrets& secrets, ByteView passphrase,
                                 Entropy& entropy);
// A missing file, another kind of file, damage and a wrong passphrase are told apart.
Result<NodeSecrets> open_node_key_file(const std::string& path, ByteView passphrase);

}  // namespace kms::crypto::io
