// The process log on stderr: lines for people, or one JSON object a line. spdlog stays in the .cpp.
#pragma once

#include <string_view>

#include "node/log_level.h"

namespace kms::node::io {

void open_log(LogLevel least, LogFormat format);
// `text` is one sentence without secrets.
void log(LogLevel level, std::string_view text);
// Before the process ends.
void flush_log();

}  // namespace kms::node::io
