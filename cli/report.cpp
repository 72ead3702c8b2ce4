#include "cli/report.h"

#include "base/assert.h"

namespace kms::cli {

void throw_exception_from_error(const Failure&, const boost::source_location&) {
  KMS_ASSERT(!"an outcome was used without looking whether it is a failure");
  __builtin_unreachable();
}

}  // namespace kms::cli
