#include <forebay/http/message.hpp>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

TEST(Headers, NamesCompareWithoutCaseAndKeepTheirSpelling) {
  Headers headers;
  headers.add("X-Amz-Meta-A", "1");
  headers.add("x-amz-meta-a", "2");
  EXPECT_EQ(headers.get("X-AMZ-META-A"), "1");
  EXPECT_EQ(headers.count("x-amz-meta-a"), 2u);
  EXPECT_EQ(headers.begin()->name, "X-Amz-Meta-A");
  EXPECT_EQ(headers.get("x-amz-meta"), std::nullopt);
}

TEST(Headers, SetReplacesEveryFieldOfTheName) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.add("a", "3");
  headers.set("a", "4");
  EXPECT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers.get("A"), "4");
  EXPECT_EQ(headers.get("B"), "2");
}

TEST(Headers, RemoveTakesEveryFieldOfTheName) {
  Headers headers;
  headers.add("A", "1");
  headers.add("a", "2");
  headers.remove("A");
  EXPECT_EQ(headers.size(), 0u);
  EXPECT_EQ(headers.value_or_empty("A"), "");
}

TEST(Text, OnlyAsciiLettersFold) {
  EXPECT_TRUE(iequals("aZ[", "Az["));
  EXPECT_FALSE(iequals("[", "{"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_EQ(to_lower("AZ@[\xC4"), "az@[\xC4");
}

}  // namespace
}  // namespace forebay::http
