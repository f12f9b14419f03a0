#include <forebay/s3/sigv2.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr sys_seconds kBefore{std::chrono::seconds{1'175'139'000}};

http::RequestHead request(std::string method, std::string target) {
  http::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  head.headers.add("Host", "awsexamplebucket1.us-west-1.s3.amazonaws.com");
  return head;
}

/// The example of "Query string request authentication alternative" (Amazon S3 User Guide).
http::RequestHead example() {
  return request("GET",
                 "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620&"
                 "Signature=" +
                     http::percent_encode(signature_v2(
                         kSecret, "GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg")));
}

TEST(SigV2, SignsAsTheExampleDoes) {
  // "Object GET" of "Signing and authenticating REST requests".
  EXPECT_EQ(signature_v2(kSecret,
                         "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/"
                         "puppy.jpg"),
            "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
}

TEST(SigV2, AcceptsWhatWasSignedUntilItExpires) {
  const auto head = example();
  const auto parsed = parse_authorization(head);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed.value().kind, Authorization::Kind::presigned_v2);
  EXPECT_EQ(parsed.value().access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_FALSE(verify_v2(head, parsed.value(), kSecret, "awsexamplebucket1", kBefore));
  const auto late = verify_v2(head, parsed.value(), kSecret, "awsexamplebucket1",
                              parsed.value().timestamp + std::chrono::seconds{1});
  ASSERT_TRUE(late);
  EXPECT_EQ(late->code, ErrorCode::access_denied);
}

TEST(SigV2, EverythingSignedIsBinding) {
  const auto good = example();
  const auto authorization = parse_authorization(good).value();
  const auto code = [&](const http::RequestHead& head, std::string_view secret,
                        std::string_view bucket) {
    const auto failure = verify_v2(head, authorization, secret, bucket, kBefore);
    return failure ? info(failure->code).name : "";
  };
  EXPECT_EQ(code(good, kSecret, "awsexamplebucket1"), "");
  EXPECT_EQ(code(good, "other", "awsexamplebucket1"), "SignatureDoesNotMatch");
  EXPECT_EQ(code(good, kSecret, "another"), "SignatureDoesNotMatch");
  auto head = good;
  head.method = "PUT";
  EXPECT_EQ(code(head, kSecret, "awsexamplebucket1"), "SignatureDoesNotMatch");
  head = good;
  head.headers.add("x-amz-acl", "public-read");
  EXPECT_EQ(code(head, kSecret, "awsexamplebucket1"), "SignatureDoesNotMatch");
  head = good;
  head.headers.add("Content-Type", "text/plain");
  EXPECT_EQ(code(head, kSecret, "awsexamplebucket1"), "SignatureDoesNotMatch");
  head = good;
  head.target += "&acl";
  EXPECT_EQ(code(head, kSecret, "awsexamplebucket1"), "SignatureDoesNotMatch");
  head = good;
  head.target += "&prefix=a&x-id=GetObject";
  EXPECT_EQ(code(head, kSecret, "awsexamplebucket1"), "");
}

TEST(SigV2, NothingButWhatIsHarmlessStaysUnsigned) {
  const auto good = example();
  const auto authorization = parse_authorization(good).value();
  for (const std::string added :
       {"other=1", "acl%3D", "policy%3D", "policyStatus", "X-Amz-Acl=public-read", "append", "ACL",
        "encryption", "x-amz-acl%3Aa=b", "content-type%0A=x"}) {
    SCOPED_TRACE(added);
    auto head = good;
    head.target += "&" + added;
    const auto failure = verify_v2(head, authorization, kSecret, "awsexamplebucket1", kBefore);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, ErrorCode::access_denied);
  }
}

TEST(SigV2, OneStringToSignHasOneReading) {
  // Signed for each of two parameters, and read as one whose value holds the second.
  const auto verified = [](const std::string& signed_resource, const std::string& query) {
    const std::string text = "GET\n\n\n1175139620\n/bucket/key?" + signed_resource;
    http::RequestHead head{.method = "GET", .target = "/bucket/key?" + query, .headers = {}};
    head.headers.add("Host", "h");
    head.target += "&AWSAccessKeyId=AK&Expires=1175139620&Signature=" +
                   http::percent_encode(signature_v2(kSecret, text));
    return !verify_v2(head, parse_authorization(head).value(), kSecret, "", kBefore);
  };
  EXPECT_TRUE(verified("uploadId=1&versionId=2", "uploadId=1&versionId=2"));
  EXPECT_FALSE(verified("uploadId=1&versionId=2", "uploadId=1%26versionId=2"));
  EXPECT_FALSE(verified("uploadId=1&versions", "uploadId=1%26versions"));
  EXPECT_TRUE(verified("response-content-disposition=a&b", "response-content-disposition=a%26b"));
  EXPECT_FALSE(verified("versionId=a\nb", "versionId=a%0Ab"));
}

TEST(SigV2, ReadsFieldsThatTheUrlCarries) {
  const std::string text =
      "GET\n\n\n1175139620\nx-amz-security-token:TOKEN\n/bucket/a%20b?response-content-type=a/b&"
      "versionId=v";
  const auto head =
      request("GET",
              "/bucket/a%20b?versionId=v&response-content-type=a%2Fb&AWSAccessKeyId=AK&"
              "Expires=1175139620&x-amz-security-token=TOKEN&Signature=" +
                  http::percent_encode(signature_v2(kSecret, text)));
  const auto parsed = parse_authorization(head);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed.value().session_token, "TOKEN");
  EXPECT_FALSE(verify_v2(head, parsed.value(), kSecret, "", kBefore));
}

TEST(SigV2, RefusesWhatIsIncomplete) {
  for (const char* target :
       {"/b/k?AWSAccessKeyId=AK&Signature=x", "/b/k?AWSAccessKeyId=AK&Expires=1&Signature=",
        "/b/k?Signature=x&Expires=1", "/b/k?AWSAccessKeyId=AK&Signature=x&Expires=never",
        "/b/k?AWSAccessKeyId=AK&Signature=x&Expires=-5"}) {
    SCOPED_TRACE(target);
    const auto parsed = parse_authorization(request("GET", target));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::access_denied);
  }
}

TEST(SigV2, IsPresignedAnewByVersion4UntilItExpires) {
  const auto authorization = parse_authorization(example()).value();
  const auto params = presign_params(authorization, kBefore);
  EXPECT_EQ(params.timestamp, kBefore);
  EXPECT_EQ(params.expires, std::chrono::seconds{620});
  auto eternal = authorization;
  eternal.timestamp = kBefore + std::chrono::hours{24 * 365};
  EXPECT_EQ(presign_params(eternal, kBefore).expires, kMaxExpires);
}

}  // namespace
}  // namespace forebay::s3
