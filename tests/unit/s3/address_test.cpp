#include <forebay/s3/address.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

const std::vector<std::string> kDomains{"s3.example.com", "eu.s3.example.com", "Localhost"};

Outcome<Address> parse(std::string_view host, std::string_view target,
                       std::string_view method = "GET") {
  http::RequestHead request{
      .method = std::string{method}, .target = std::string{target}, .headers = {}};
  request.headers.add("Host", std::string{host});
  return parse_address(request, kDomains);
}

TEST(Address, PathStyleKeysAreDecodedOnceAndNeverNormalised) {
  struct Case {
    std::string_view target, bucket, key;
  };
  const Case cases[]{
      {"/", "", ""},
      {"/?list", "", ""},
      {"/bucket", "bucket", ""},
      {"/bucket/", "bucket", ""},
      {"/bucket?acl", "bucket", ""},
      {"/bucket/key", "bucket", "key"},
      {"/bucket/key?acl", "bucket", "key"},
      {"/bucket/a/b/", "bucket", "a/b/"},
      {"/bucket//", "bucket", "/"},
      {"/bucket//a//b", "bucket", "/a//b"},
      {"/bucket/./a/../b", "bucket", "./a/../b"},
      {"/bucket/..", "bucket", ".."},
      {"/bucket/%2e%2e/x", "bucket", "../x"},
      {"/bucket/a%20b", "bucket", "a b"},
      {"/bucket/a+b", "bucket", "a+b"},
      {"/bucket/a%2Bb", "bucket", "a+b"},
      {"/bucket/a%2Fb", "bucket", "a/b"},
      {"/bucket/%2F", "bucket", "/"},
      {"/bucket/a%252Fb", "bucket", "a%2Fb"},
      {"/bucket/a%3Fb?c", "bucket", "a?b"},
      {"/bucket/%C3%A4%E6%97%A5", "bucket", "\xc3\xa4\xe6\x97\xa5"},
      {"/bucket/%FF", "bucket", "\xff"},
      {"/b%75cket/key", "bucket", "key"},
      {"/Tenant:bucket_1.x/key", "Tenant:bucket_1.x", "key"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.target);
    const auto address = parse("127.0.0.1:9000", each.target);
    ASSERT_TRUE(address);
    EXPECT_EQ(address.value().bucket, each.bucket);
    EXPECT_EQ(address.value().key, each.key);
    EXPECT_FALSE(address.value().virtual_host);
  }
}

TEST(Address, TheHostMayHoldTheBucket) {
  struct Case {
    std::string_view host, bucket;
    bool virtual_host;
  };
  // The target is "/a/b": path-style gives bucket "a".
  const Case cases[]{
      {"bucket.s3.example.com", "bucket", true},
      {"bucket.s3.example.com:9000", "bucket", true},
      {"Bucket.S3.Example.COM.", "bucket", true},
      {"dotted.bucket.s3.example.com", "dotted.bucket", true},
      {"bucket.eu.s3.example.com", "bucket", true},
      {"bucket.localhost:80", "bucket", true},
      {"s3.example.com", "a", false},
      {"eu.s3.example.com:443", "a", false},
      {"localhost", "a", false},
      {".s3.example.com", "a", false},
      {"xs3.example.com", "a", false},
      {"bucket.s3.example.org", "a", false},
      {"bucket.s3.example.com.evil", "a", false},
      {"10.0.0.1:9000", "a", false},
      {"[::1]:9000", "a", false},
      {"", "a", false},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.host);
    const auto address = parse(each.host, "/a/b");
    ASSERT_TRUE(address);
    EXPECT_EQ(address.value().bucket, each.bucket);
    EXPECT_EQ(address.value().virtual_host, each.virtual_host);
    EXPECT_EQ(address.value().key, each.virtual_host ? "a/b" : "b");
  }
}

TEST(Address, TheLongestDomainWinsInAnyOrder) {
  const std::string longest = "eu.s3.example.com";
  const std::string shorter = "s3.example.com";
  http::RequestHead request{.method = "GET", .target = "/k", .headers = {}};
  request.headers.add("Host", "bucket.eu.s3.example.com");
  for (const auto& domains : {std::vector{longest, shorter}, std::vector{shorter, longest}})
    EXPECT_EQ(parse_address(request, domains).value().bucket, "bucket");
}

TEST(Address, VirtualHostKeysBeginBehindTheFirstSlash) {
  EXPECT_EQ(parse("b.localhost", "/").value(), (Address{"b", "", true}));
  EXPECT_EQ(parse("b.localhost", "//x").value(), (Address{"b", "/x", true}));
  EXPECT_EQ(parse("b.localhost", "/%2Fx").value(), (Address{"b", "/x", true}));
}

TEST(Address, TheServiceMayBeAskedForItsOptions) {
  EXPECT_EQ(parse("h", "*", "OPTIONS").value(), Address{});
  EXPECT_EQ(parse("h", "*").error().code, ErrorCode::invalid_uri);
}

TEST(Address, RefusesWhatDoesNotDecode) {
  for (const auto* const target :
       {"/b/%", "/b/%2", "/b/%zz", "/%/k", "/b/a%", "b/k", "", "http://h/b/k"}) {
    SCOPED_TRACE(target);
    const auto address = parse("h", target);
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().code, ErrorCode::invalid_uri);
  }
}

TEST(Address, RefusesBucketsThatServersReadDifferently) {
  for (const auto* const target : {"/a%2Fb/k", "/a%00/k", "//k", "/./k", "/../k", "/%2e%2e/k",
                                   "/a%20b/k", "/%C3%A4/k", "/a%5Cb/k", "/a*/k"}) {
    SCOPED_TRACE(target);
    const auto address = parse("h", target);
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().code, ErrorCode::invalid_bucket_name);
  }
}

TEST(Address, ArnsAreBucketsThatHoldSlashes) {
  const auto address =
      parse("h", "/arn%3Aaws%3As3%3Aus-west-2%3A123456789012%3Aaccesspoint%2Fap/dir/key").value();
  EXPECT_EQ(address.bucket, "arn:aws:s3:us-west-2:123456789012:accesspoint/ap");
  EXPECT_EQ(address.key, "dir/key");
  EXPECT_EQ(path_style(address),
            "/arn%3Aaws%3As3%3Aus-west-2%3A123456789012%3Aaccesspoint%2Fap/dir/key");
  EXPECT_EQ(parse("h", "/a%2Fb/key").error().code, ErrorCode::invalid_bucket_name);
}

TEST(Address, KnowsNamesThatOnlyLeadToABucket) {
  for (const char* name :
       {"arn:aws:s3:us-west-2:1:accesspoint/ap", "my-ap-abc123-s3alias", "my-lambda-abc--ol-s3",
        "ap-123.s3-accesspoint.us-west-2", "ol-123.s3-object-lambda.us-west-2",
        "ap-123.op-1.s3-outposts.us-west-2"})
    EXPECT_TRUE(is_indirect(name)) << name;
  for (const char* name : {"bucket", "s3alias", "my.bucket", "ol-s3", "my-arn"})
    EXPECT_FALSE(is_indirect(name)) << name;
}

TEST(Address, KeysAreDecodedWhateverTheirLength) {
  const std::string longest(kMaxKeyBytes, 'k');
  EXPECT_EQ(parse("h", "/b/" + longest).value().key, longest);
  EXPECT_EQ(parse("b.localhost", "/" + longest).value().key, longest);
  EXPECT_EQ(parse("h", "/b/" + longest + "k").value().key.size(), kMaxKeyBytes + 1);
  std::string encoded = "/b/";
  for (std::size_t i = 0; i < kMaxKeyBytes; ++i)
    encoded += "%C3";
  EXPECT_EQ(parse("h", encoded).value().key.size(), kMaxKeyBytes);
}

TEST(Address, EveryTruncationOfATargetIsRefusedOrAPrefix) {
  const std::string whole = "/bucket/a%20%C3%A4/b";
  const auto full = parse("h", whole).value();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(whole.substr(0, length));
    const auto address = parse("h", whole.substr(0, length));
    if (!address) {
      EXPECT_EQ(address.error().code, ErrorCode::invalid_uri);
      continue;
    }
    EXPECT_TRUE(full.bucket.starts_with(address.value().bucket));
    EXPECT_TRUE(full.key.starts_with(address.value().key));
  }
}

TEST(Address, PathStyleIsWhatParseReads) {
  for (const auto& address :
       {Address{}, Address{"bucket", "", false}, Address{"bucket", "/a//b/../c", false},
        Address{"bucket", "a b+c%2F?#\xc3\xa4", false}}) {
    SCOPED_TRACE(path_style(address));
    EXPECT_EQ(parse("h", path_style(address)).value(), address);
  }
  EXPECT_EQ(path_style({"bucket", "a b/c", true}), "/bucket/a%20b/c");
}

TEST(Address, OnlySomeHostsMeanTheSameToEveryServer) {
  const std::vector<std::string> domains{"s3.test"};
  for (const auto* const certain : {"127.0.0.1:9000", "[::1]:9000", "localhost", "node:80",
                                    "s3.test", "bucket.s3.test:80", "a.b.s3.test"})
    EXPECT_TRUE(is_certain_host(certain, domains)) << certain;
  for (const auto* const doubtful : {"evil.other.test", "S3.test", "bucket.S3.TEST", "s3.test.",
                                     "Bucket.s3.test", "bucket.s3.test.", "xs3.test"})
    EXPECT_FALSE(is_certain_host(doubtful, domains)) << doubtful;
  EXPECT_FALSE(is_certain_host("evil.s3.test", {}));
}

}  // namespace
}  // namespace forebay::s3
