// What kms-node import takes for a key, and from where.
#include "node/io/import.h"

#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "temporary_folder.h"

namespace kms::node::io {
namespace {

using testing::HasSubstr;

constexpr const char* kKey = "c43d85348f58410c27ddf71808e440ea70bc64af3f7d488be9171dbab2ce042a";
constexpr const char* kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "accepted" : result.error().message;
}
std::string refusal_of(const std::string& text) {
  return refusal(parse_key(as_bytes(text)));
}

TEST(ImportedKey, IsHexWithAndWithoutItsPrefixAndLineEnd) {
  for (const std::string& text : {std::string(kKey), "0x" + std::string(kKey), "  0x" + std::string(kKey) + "\r\n"}) {
    const auto key = parse_key(as_bytes(text));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(to_hex(key->expose()), kKey);
  }
}

TEST(ImportedKey, WhatIsNoneIsRefusedForItsReasonAndNotShown) {
  const std::string order(kOrder);
  EXPECT_THAT(refusal_of(std::string(64, '0')), HasSubstr("zero"));
  EXPECT_THAT(refusal_of(order), HasSubstr("not below the order"));
  EXPECT_THAT(refusal_of(std::string(64, 'f')), HasSubstr("not below the order"));
  EXPECT_EQ(refusal_of(order.substr(0, 63) + "0"), "accepted") << "the order less one";
  EXPECT_THAT(refusal_of(std::string(kKey).substr(1)), HasSubstr("found 63 characters"));
  EXPECT_THAT(refusal_of(kKey + std::string("00")), HasSubstr("found 66 characters"));
  EXPECT_THAT(refusal_of(""), HasSubstr("found 0 characters"));
  EXPECT_THAT(refusal_of(std::string(63, '1') + "g"), HasSubstr("another character"));
  EXPECT_EQ(refusal_of(std::string(kKey).substr(1)).find("43d85348"), std::string::npos);
}

TEST(ImportedKey, AFileThatOthersMayReadIsRefused) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "ecc-key";
  std::ofstream(path) << kKey << "\n";
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_THAT(refusal(read_key(path)), HasSubstr("chmod 600 " + path)) << mode;
  }
  for (const mode_t mode : {0600u, 0400u}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_EQ(refusal(read_key(path)), "accepted") << mode;
  }
  EXPECT_THAT(refusal(read_key(path + "-missing")), HasSubstr("ecc-key-missing"));
  std::ofstream(path) << "0x1234\n";
  EXPECT_THAT(refusal(read_key(path)), testing::AllOf(HasSubstr(path), HasSubstr("found 4 characters")));
}

TEST(ImportedKey, PlacesNameTheirChainUnlessThereIsOnlyOne) {
  const auto alone = parse_key_places({"a.key"}, {31337});
  ASSERT_TRUE(alone);
  EXPECT_EQ((*alone)[0].chain_id, 31337u);
  EXPECT_EQ((*alone)[0].file, "a.key");
  const auto odd = parse_key_places({"folder=1/a.key"}, {31337});
  ASSERT_TRUE(odd);
  EXPECT_EQ((*odd)[0].file, "folder=1/a.key");
  const auto both = parse_key_places({"2=-", "1=a=b"}, {1, 2});
  ASSERT_TRUE(both);
  EXPECT_EQ((*both)[0].file, "-");
  EXPECT_EQ((*both)[1].file, "a=b");
  EXPECT_THAT(refusal(parse_key_places({"a.key"}, {1, 2})), HasSubstr("write --key CHAIN=FILE"));
  EXPECT_THAT(refusal(parse_key_places({"3=a.key"}, {1, 2})), HasSubstr("no chain 3"));
  EXPECT_THAT(refusal(parse_key_places({"1=a", "1=b"}, {1, 2})), HasSubstr("stands twice"));
  EXPECT_THAT(refusal(parse_key_places({"1=-", "2=-"}, {1, 2})), HasSubstr("stdin can be read once"));
}

}  // namespace
}  // namespace kms::node::io
