#include "net/io/p2p_peer/p2p_peer_options.h"

#include <gtest/gtest.h>

#include "net/io/p2p_peer/json_line.h"

namespace kms::net::io {
namespace {

std::string complaint(std::vector<std::string> arguments) {
  auto options = parse_p2p_peer_options(arguments);
  return options ? "" : options.error().message;
}

TEST(P2pPeerOptions, NamesTheOptionThatIsMissingOrWrong) {
  EXPECT_NE(complaint({"--mdns"}).find("--mdns"), std::string::npos);
  EXPECT_NE(complaint({"--stack", "v2"}).find("--stack"), std::string::npos);
  EXPECT_NE(complaint({"--key-type", "rsa"}).find("rsa"), std::string::npos);
  EXPECT_NE(complaint({"--expect"}).find("--expect needs a value"), std::string::npos);
  EXPECT_NE(complaint({"--expect", "-1"}).find("--expect"), std::string::npos);
  EXPECT_NE(complaint({"--expect-agent", "["}).find("--expect-agent"), std::string::npos);
  EXPECT_NE(complaint({"--publish", "x"}).find("--topic"), std::string::npos);
  EXPECT_NE(complaint({"--key", "00"}).find("32 bytes"), std::string::npos);
}

TEST(P2pPeerOptions, ListensOnAndDialsLoopbackOnly) {
  EXPECT_EQ(complaint({"--listen", "0"}), "");
  EXPECT_EQ(complaint({"--listen", "none"}), "");
  EXPECT_NE(complaint({"--listen", "/ip4/0.0.0.0/tcp/0"}), "");
  EXPECT_NE(complaint({"--dial", "/ip4/192.0.2.1/tcp/1"}), "");
  EXPECT_NE(complaint({"--dial", "/dns4/localhost/tcp/1"}), "");
}

TEST(JsonLine, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(JsonLine().text("a", "q\"\\\n\x01").number("b", -3).truth("c", true).take(),
            R"({"a":"q\"\\\u000a\u0001","b":-3,"c":true})");
  EXPECT_EQ(JsonLine::quoted("\xc3\xa9\xff"), "\"\xc3\xa9\\ufffd\"");
}

}  // namespace
}  // namespace kms::net::io
