// PEM of unencrypted PKCS#8 keys (RFC 7468), the form that other tools read and write.
#pragma once

#include "crypto/secret.h"

namespace kms::crypto {

// "-----BEGIN PRIVATE KEY-----", lines of 64 characters, the end line.
SecretBytes pkcs8_to_pem(ByteView der);
// A file with a PKCS#8 key: PEM (one block, text around it is skipped) or bare DER. Encrypted, PKCS#1 and public keys
// are errors that say how to convert them; no error quotes the content. At most 16 KiB.
Result<SecretBytes> pkcs8_in(ByteView file);

}  // namespace kms::crypto
