// What commands read: files, stdin, keys, and where the nodes are.
#pragma once

#include "cli/options.h"
#include "cli/report.h"
#include "cli/testnet_file.h"
#include "crypto/rsa_oaep.h"

namespace kms::cli::io {

// A file, or stdin for "-". Wiped when done, since it may be a text to encrypt.
Outcome<crypto::SecretBytes> read_input(const std::string& file, std::size_t bytes_max);
Outcome<crypto::SecretScalar> read_wallet_key(const std::string& file);
Outcome<crypto::RsaPrivateKey> read_rsa_key(const std::string& file);
Outcome<Testnet> read_testnet(const std::string& file);

struct Nodes {
  std::vector<sdk::NodeUrl> urls;  // 1 to 128
  std::optional<Testnet> testnet;
};
// Neither --node nor --testnet, or both, is a wrong command line.
Outcome<Nodes> find_nodes(const Where& where);

}  // namespace kms::cli::io
