#include "http/text.hpp"

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

TEST(Text, TrimTakesSpacesAndTabsAtBothEnds) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, SplitListLeavesEmptyElementsOut) {
  EXPECT_EQ(split_list(" a ,,b,\t"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(split_list(" , ").empty());
  EXPECT_TRUE(split_list("").empty());
}

TEST(Text, ParseDecimalTakesDigitsOfSixtyFourBitsOnly) {
  EXPECT_EQ(parse_decimal("0"), 0u);
  EXPECT_EQ(parse_decimal("007"), 7u);
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615u);
  for (const auto* const bad : {"", "18446744073709551616", "+1", "-1", " 1", "1 ", "0x1", "1a"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(parse_decimal(bad), std::nullopt);
  }
}

TEST(Text, TokensHoldNoSeparator) {
  EXPECT_TRUE(is_token("x-amz_meta.1!"));
  for (const auto* const bad : {"", "a b", "a:", "a\t", "a/b", "\xc3\xa4", "(a)"}) {
    SCOPED_TRACE(bad);
    EXPECT_FALSE(is_token(bad));
  }
}

}  // namespace
}  // namespace forebay::http
