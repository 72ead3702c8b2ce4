#include "node/io/log.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace kms::node::io {
namespace {

TEST(Log, IsOneLineOfValidJsonWhateverTheTextHolds) {
  open_log(LogLevel::info, LogFormat::json);
  testing::internal::CaptureStderr();
  log(LogLevel::info, "from a peer: \xff\x1b[2J\n\"quoted\"");
  flush_log();
  const std::string line = testing::internal::GetCapturedStderr();
  open_log(LogLevel::info, LogFormat::text);
  EXPECT_TRUE(is_utf8(line));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_NE(line.find(R"(from a peer: )"
                      "\xef\xbf\xbd"
                      R"( [2J \"quoted\""})"),
            std::string::npos)
      << line;
}

}  // namespace
}  // namespace kms::node::io
