// kms-node import: the key of a single-node KMS becomes epoch 0 of a network (PROTOCOL.md 12).
#pragma once

#include <string>
#include <vector>

#include "node/io/startup.h"

namespace kms::node::io {

struct ImportOptions {
  StartOptions start;
  // Where the keys are: FILE, CHAIN=FILE, or - for stdin. Chains that nobody names here come from the environment, as
  // nox-kms has them: NOX_KMS_CHAINS__<id>__ECC_KEY or .._FILE.
  std::vector<std::string> keys;
};

// Where one key is: which chain's, and in which file ("-": stdin).
struct KeyPlace {
  std::uint64_t chain_id = 0;
  std::string file;
};
// Of the network's chains, each at most once. FILE alone is for a network of one chain.
Result<std::vector<KeyPlace>> parse_key_places(const std::vector<std::string>& texts,
                                               const std::vector<std::uint64_t>& chains);
// 64 digits of hex, with or without 0x. The file must belong to nobody else: mode 0600 or less. An error says what is
// wrong with it and never shows it: another length, no digits, zero, or not below the order of the curve.
Result<crypto::SecretScalar> read_key(const std::string& file);
Result<crypto::SecretScalar> parse_key(ByteView text);

// Writes epoch 0 into the node's store and prints the public keys. The node must not run. Gives the process's exit
// code: 1 if nothing was imported, and why is in the log.
int run_import(const ImportOptions& options);

}  // namespace kms::node::io
