// kmsctl keygen: makes key files. None is ever overwritten, all have mode 0600.
#pragma once

#include "cli/options.h"
#include "cli/report.h"

namespace kms::cli::io {

// FOLDER/node.key, sealed; makes the folder (0700) if it is missing. Asks for the passphrase twice on the terminal if
// neither a file nor KMS_KEYSTORE__PASSPHRASE(_FILE) gives it.
Outcome<Report> run(const KeygenNode& options, Entropy& entropy);
// A secp256k1 key in hex: for a response wallet or a gateway.
Outcome<Report> run(const KeygenWallet& options, Entropy& entropy);
// A requester's key, PKCS#8 PEM.
Outcome<Report> run(const KeygenRsa& options, Entropy& entropy);

}  // namespace kms::cli::io
