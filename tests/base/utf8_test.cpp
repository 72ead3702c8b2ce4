#include "base/utf8.h"

#include <gtest/gtest.h>

namespace kms {
namespace {

TEST(Utf8, TakesTheFirstAndLastCharacterOfEachLength) {
  for (std::string_view text : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(utf8_size(text), text.size()) << text;
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndWhatIsCutShort) {
  for (std::string_view text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
                                "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, ShowsOneHarmlessLine) {
  EXPECT_EQ(printable("a\nb\x1b[2J\x7f"), "a b [2J ");
  EXPECT_EQ(printable("\xc3\xa9\xff\xe2\x82"), "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(printable("\xc2\x9b"), " ");
}

}  // namespace
}  // namespace kms
