#include "base/io/system_clock.h"

namespace kms::io {

Now system_now() {
  using std::chrono::duration_cast;
  auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  auto wall = std::chrono::system_clock::now().time_since_epoch();
  Now now;
  now.instant = Instant(duration_cast<Duration>(monotonic));
  now.unix_ms = duration_cast<std::chrono::milliseconds>(wall).count();
  return now;
}

}  // namespace kms::io
