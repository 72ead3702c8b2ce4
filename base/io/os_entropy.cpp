#include "base/io/os_entropy.h"

#include <cerrno>
#include <sys/random.h>

#include "base/assert.h"

namespace kms::io {

void OsEntropy::fill(MutableByteView out) {
  while (!out.empty()) {
    ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      KMS_ASSERT(errno == EINTR);
      continue;
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace kms::io
