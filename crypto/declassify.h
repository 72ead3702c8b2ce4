// Marks the places where something computed from a secret becomes public: a product that is sent, a yes or no that
// the caller acts on. Does nothing in programs; tests/crypto/constant_time builds with KMS_CONSTANT_TIME_CHECK and
// lets valgrind report every branch or address that depends on a secret and has not passed here.
#pragma once

#include <cstddef>

#ifdef KMS_CONSTANT_TIME_CHECK
#include <valgrind/memcheck.h>
#endif

namespace kms::crypto {

inline void declassify([[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t size) {
#ifdef KMS_CONSTANT_TIME_CHECK
  (void)VALGRIND_MAKE_MEM_DEFINED(begin, size);
#endif
}

}  // namespace kms::crypto
