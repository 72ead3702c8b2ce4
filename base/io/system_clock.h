// The machine's clocks as one Now.
#pragma once

#include "base/time.h"

namespace kms::io {

Now system_now();

}  // namespace kms::io
