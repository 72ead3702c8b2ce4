// Small files: read with a bound, written so that they are complete or absent.
#pragma once

#include <string>

#include "crypto/secret.h"

namespace kms::crypto::io {

// A missing or unreadable file, a folder, and one over `bytes_max` are errors that name the path. Wiped when done,
// since files may hold secrets.
Result<SecretBytes> read_file(const std::string& path, std::size_t bytes_max);

// A new file of mode 0600, on disk when this returns; never over an existing one, and never half written.
Result<void> write_new_file(const std::string& path, ByteView content);

}  // namespace kms::crypto::io
