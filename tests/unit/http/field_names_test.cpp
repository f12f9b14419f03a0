#include <forebay/http/field_names.hpp>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

Headers make_headers(std::initializer_list<Headers::Field> fields) {
  Headers headers;
  for (const auto& field : fields)
    headers.add(field.name, field.value);
  return headers;
}

TEST(FieldNames, FoldToWhatTheMostGenerousServerReads) {
  EXPECT_EQ(fold_name("X_Amz.Copy-Source"), "x-amz-copy-source");
  EXPECT_TRUE(folds_to("X_Amz.Copy-Source", "x-amz-copy-source"));
  EXPECT_FALSE(folds_to("X_Amz.Copy-Sourc", "x-amz-copy-source"));
  EXPECT_FALSE(folds_to("x-amz-copy-source2", "x-amz-copy-source"));
}

TEST(FieldNames, WhatFoldsToADecisiveFieldIsRefused) {
  for (const auto* const name :
       {"x_amz_copy_source", "X_AMZ_ACL", "x-amz_acl", "x.amz.acl", "x_amz_meta_a", "Content_Type",
        "content_length", "if_match", "If.None.Match", "range_", "_range", "authorization.",
        "Author_ization", "host_", "x_auth_token", "transfer_encoding", "x_forwarded_for",
        "expect'", "x_object_meta_a"}) {
    const bool decisive = is_decisive(fold_name(name));
    SCOPED_TRACE(name);
    EXPECT_EQ(check_names(make_headers({{"Host", "h"}, {name, "v"}})),
              decisive ? std::optional{Refusal::folded_name} : std::nullopt);
  }
  for (const auto* const name : {"x_amz_copy_source", "content_length", "if_match", "x_auth_token"})
    EXPECT_TRUE(is_decisive(fold_name(name))) << name;
}

TEST(FieldNames, OtherOddNamesAreLeftOut) {
  auto headers =
      make_headers({{"X_Trace", "1"}, {"X-Trace", "2"}, {"x-amz-meta-my_key", "3"}, {"a.b", "4"}});
  for (const auto* const name : {"X-Goog-Meta-A", "x-rgw-quota", "X-Minio-Source-Etag",
                                 "X-Object-Meta-A", "x-container-read", "X-Copy-From"})
    headers.add(name, "v");
  remove_ambiguous_names(headers);
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.value_or_empty("X-Trace"), "2");
  EXPECT_EQ(headers.value_or_empty("x-amz-meta-my_key"), "3");
}

TEST(FieldNames, MetadataMayHoldOtherCharactersButOnce) {
  EXPECT_EQ(check_names(make_headers({{"x-amz-meta-my_key", "1"}, {"X-Amz-Meta-my.other", "2"}})),
            std::nullopt);
  EXPECT_EQ(check_names(make_headers({{"x-amz-meta-my_key", "1"}, {"x-amz-meta-my-key", "2"}})),
            Refusal::folded_name);
  EXPECT_EQ(check_names(make_headers({{"x-amz-meta-my_key", "1"}, {"X-Amz-Meta-My_Key", "2"}})),
            std::nullopt)
      << "the same name twice is one field";
}

TEST(FieldNames, FieldsOfWhichOneCountsAreThereOnce) {
  for (const auto* const name :
       {"Content-Type", "content-md5", "Authorization", "x-amz-copy-source", "Date", "Expect"})
    EXPECT_EQ(check_names(make_headers({{name, "a"}, {name, "a"}})), Refusal::repeated_field)
        << name;
  EXPECT_EQ(check_names(make_headers({{"Accept", "a"}, {"accept", "b"}})), std::nullopt);
}

TEST(FieldNames, NumberAndSizeAreBounded) {
  Headers many;
  for (std::size_t i = 0; i < kFieldsMax; ++i)
    many.add("X-" + std::to_string(i), "v");
  EXPECT_EQ(check_names(many), std::nullopt);
  many.add("X-One-More", "v");
  EXPECT_EQ(check_names(many), Refusal::too_many_fields);
  EXPECT_EQ(check_names(make_headers({{std::string(kFieldNameMax, 'x'), "v"}})), std::nullopt);
  EXPECT_EQ(check_names(make_headers({{std::string(kFieldNameMax + 1, 'x'), "v"}})),
            Refusal::field_size);
  EXPECT_EQ(check_names(make_headers({{"x", std::string(kFieldValueMax + 1, 'v')}})),
            Refusal::field_size);
}

}  // namespace
}  // namespace forebay::http
