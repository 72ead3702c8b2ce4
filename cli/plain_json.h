// A decrypted text as JSON, without a detour through strings that are not wiped.
#pragma once

#include "crypto/secret.h"

namespace kms::cli {

// {"text":".."} if the bytes are UTF-8, else {"hex":"0x.."}; with a line end.
crypto::SecretBytes plain_json(ByteView plain);

}  // namespace kms::cli
