#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace kms {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assertion failed, this is a bug: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace kms
