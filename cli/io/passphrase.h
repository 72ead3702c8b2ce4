// Where a passphrase comes from: a file, the environment, or a person at the terminal; never the command line.
#pragma once

#include <string>

#include "cli/report.h"

namespace kms::cli::io {

// For a new file: asked for twice if a person types it. Line ends at the end of a file are not part of it, as in the
// node. Takes KMS_KEYSTORE__PASSPHRASE out of the process's environment.
Outcome<crypto::SecretBytes> new_passphrase(const std::string& file, const std::string& purpose);

}  // namespace kms::cli::io
