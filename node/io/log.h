// The process log on stderr: lines for people, or one JSON object a line. spdlog stays in the .cpp.
#pragma once

#include <string_view>

namespace kms::node::io {

enum class Severity { trace, debug, info, warn, error };
enum class LogShape { text, json };

void open_log(Severity least, LogShape shape);
// `text` is one sentence without secrets.
void log(Severity severity, std::string_view text);
// Before the process ends.
void flush_log();

}  // namespace kms::node::io
