// Secret keys as people keep them in files: 64 hex digits on a line. No std::string holds the digits on the way.
#pragma once

#include "crypto/secret.h"

namespace kms::crypto {

// 64 digits of any case, with or without 0x, with spaces or line ends around them. The error never quotes the text.
Result<Secret<32>> parse_secret_hex(ByteView text);
// "0x", lower-case digits, a line end.
SecretBytes secret_hex_line(const Secret<32>& secret);

}  // namespace kms::crypto
