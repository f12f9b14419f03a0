#include <forebay/s3/query_rules.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

std::optional<Failure> check(std::string_view text) {
  return check_parameters(http::parse_query(text).value());
}

TEST(QueryRules, NamesThatDecodeToSeveralAreRefused) {
  for (const auto* const text : {"acl%3D", "acl%3Dx=1", "a%26acl", "acl+", "+acl", "acl%20",
                                 "%09acl", "acl%00", "acl%7F", "AWSAccessKeyId%3DAK"}) {
    SCOPED_TRACE(text);
    ASSERT_TRUE(check(text));
    EXPECT_EQ(check(text)->code, ErrorCode::invalid_argument);
  }
  for (const auto* const text : {"", "acl", "prefix=a%3D%26+b", "x-amz-meta-a=%00", "a.b_c~d"})
    EXPECT_FALSE(check(text)) << text;
}

TEST(QueryRules, WhatDecidesIsThereOnce) {
  for (const auto* const text :
       {"versionId=a&versionId=a", "partNumber=1&x&partNumber=2", "uploadId=&uploadId",
        "response-expires=a&response-expires=b", "X-Amz-Date=1&X-Amz-Date=1",
        "Signature=a&Signature=b", "Expires=1&Expires=2"}) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(check(text));
    EXPECT_TRUE(has_repeated_parameter(http::parse_query(text).value()));
  }
  EXPECT_FALSE(check("prefix=a&prefix=b&versionId=1&versionid=2"));
}

TEST(QueryRules, TheNumberIsBounded) {
  std::string text = "a";
  for (std::size_t i = 1; i < kParametersMax; ++i)
    text += "&a";
  EXPECT_FALSE(check(text));
  EXPECT_TRUE(check(text + "&a"));
}

}  // namespace
}  // namespace forebay::s3
