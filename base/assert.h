// KMS_ASSERT: our own bugs. Always on, in every build; never on input from others.
#pragma once

namespace kms {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define KMS_ASSERT(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::kms::assertion_failed(#condition, __FILE__, __LINE__))
