// What strangers are refused for, in the log and limited by kind and reason (node/log_limit.h), since strangers have
// many names.
#pragma once

#include "node/log_limit.h"

namespace kms::node::io {

class RefusalLog {
 public:
  // `kind`: one of a few names of ours; `detail` may hold text of the stranger.
  void note(const std::string& kind, const std::string& from, const std::string& detail);

 private:
  LogLimit limit_;
};

}  // namespace kms::node::io
