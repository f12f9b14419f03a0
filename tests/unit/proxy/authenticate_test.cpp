#include "proxy/authenticate.hpp"

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

origin::Caller caller_of(std::vector<origin::CallerKey::Grant> grants) {
  auto key = std::make_shared<origin::CallerKey>();
  key->allow = std::move(grants);
  return {std::move(key), {}};
}

bool allowed(const origin::Caller& caller, const char* bucket, s3::Operation operation,
             const http::Headers& headers = {}, const http::Query& query = {}) {
  s3::Address address;
  address.bucket = bucket;
  return authorize(caller, address, operation, headers, query).has_value();
}

TEST(Authorize, AnEmptyListAllowsEveryBucketAndTheService) {
  const origin::Caller caller = caller_of({});
  EXPECT_TRUE(allowed(caller, "any", s3::Operation::put_object));
  EXPECT_TRUE(allowed(caller, "", s3::Operation::list_buckets));
}

TEST(Authorize, AListNamesBucketsAndWhatMayBeDoneThere) {
  const origin::Caller caller = caller_of({{"train-*", true}, {"scratch", false}});
  EXPECT_TRUE(allowed(caller, "train-1", s3::Operation::get_object));
  EXPECT_FALSE(allowed(caller, "train-1", s3::Operation::put_object));
  EXPECT_TRUE(allowed(caller, "scratch", s3::Operation::put_object));
  EXPECT_FALSE(allowed(caller, "other", s3::Operation::get_object));
  EXPECT_FALSE(allowed(caller, "", s3::Operation::list_buckets));
}

TEST(Authorize, ACopyMayReadOnlyWhereTheListAllows) {
  const origin::Caller caller = caller_of({{"mine*", false}});
  for (const auto& [source, expected] :
       {std::pair{"mine/key", true}, std::pair{"/mine/key", true}, std::pair{"theirs/key", false},
        std::pair{"/theirs/key", false}, std::pair{"%74heirs/key", false},
        std::pair{"/%2Ftheirs/key", false}, std::pair{"%zz/key", false},
        std::pair{"mine-x://host/theirs/key", false}, std::pair{"mine:theirs/key", false},
        std::pair{"mine?x/key", false}, std::pair{"mine-2/key", true}}) {
    SCOPED_TRACE(source);
    http::Headers headers;
    headers.add("X-Amz-Copy-Source", source);
    EXPECT_EQ(allowed(caller, "mine", s3::Operation::copy_object, headers), expected);
    const http::Query query{{"x-amz-copy-source", source, false}};
    EXPECT_EQ(allowed(caller, "mine", s3::Operation::copy_object, {}, query), expected);
  }
}

}  // namespace
}  // namespace forebay::proxy
