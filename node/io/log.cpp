#include "node/io/log.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/utf8.h"

namespace kms::node::io {
namespace {

LogFormat format_in_use = LogFormat::text;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void open_log(LogLevel least, LogFormat format) {
  format_in_use = format;
  auto logger = std::make_shared<spdlog::logger>("kms", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(level_of(least));
  logger->flush_on(spdlog::level::info);
  bool json = format == LogFormat::json;
  // In JSON the message is quoted by `log`, so that no text can break the line.
  logger->set_pattern(
      json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})" : "%Y-%m-%d %H:%M:%S.%e %-7l %v",
      json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
  spdlog::set_default_logger(std::move(logger));
}

void log(LogLevel log_level, std::string_view text) {
  spdlog::logger* logger = spdlog::default_logger_raw();
  spdlog::level::level_enum level = level_of(log_level);
  if (!logger->should_log(level)) return;
  // Text may come from peers: a terminal must not act on it, and a line of JSON must stay one.
  std::string line = printable(text);
  if (format_in_use == LogFormat::json) line = boost::json::serialize(boost::json::string(line));
  logger->log(level, spdlog::string_view_t(line.data(), line.size()));
}

void flush_log() {
  spdlog::default_logger_raw()->flush();
}

}  // namespace kms::node::io
