// The one libsecp256k1 context of the process. Everything reads it, from any thread.
#pragma once

#include <secp256k1.h>

#include "base/entropy.h"

namespace kms::crypto {

// Blinds the multiplications by G against side channels. Programs call it once at start, before a second thread runs;
// without it everything works, unblinded.
void randomize_context(Entropy& entropy);

// For code in crypto/ only.
const secp256k1_context* context();

}  // namespace kms::crypto
