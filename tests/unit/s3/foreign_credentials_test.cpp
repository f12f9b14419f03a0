#include <forebay/s3/claimed_signature.hpp>
#include <forebay/s3/foreign_credentials.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

http::RequestHead get(std::string target, std::initializer_list<http::Headers::Field> fields = {}) {
  http::RequestHead request{.method = "GET", .target = std::move(target), .headers = {}};
  request.headers.add("Host", "h");
  for (const auto& field : fields)
    request.headers.add(field.name, field.value);
  return request;
}

http::Query query_of(const http::RequestHead& request) {
  return http::parse_query(http::split_target(request.target).query.value_or("")).value();
}

std::string foreign(const http::RequestHead& request, bool is_signed) {
  return foreign_credentials(request, query_of(request), is_signed).value_or("");
}

TEST(ForeignCredentials, AreFoundInEverySpelling) {
  for (const auto* const name :
       {"x-amz-signature", "X-AMZ-SIGNATURE", "x-amz-credential", "X-Amz-credential",
        "x_amz_signature", "awsaccesskeyid", "AWSAccessKeyID", "signature", "temp_url_sig",
        "TEMP_URL_SIG", "temp-url-expires", "X-Auth-Token", "X-Goog-Signature", "GoogleAccessId",
        "OSSAccessKeyId", "WebIdentityToken", "rgwx-uid", "RGWX_bucket-instance"}) {
    SCOPED_TRACE(name);
    const auto request = get(std::string{"/b/k?"} + name + "=x");
    EXPECT_EQ(foreign(request, false), name);
    EXPECT_EQ(foreign(request, true), name) << "beside a signature, too";
  }
  for (const auto* const name : {"X-Auth-Token", "x-auth-token", "X-Auth-User", "X-Auth-Key",
                                 "X-Storage-Token", "X-Service-Token", "x-oss-security-token"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(foreign(get("/b/k", {{name, "x"}}), false), name);
    EXPECT_EQ(foreign(get("/b/k", {{name, "x"}}), true), name);
  }
}

TEST(ForeignCredentials, PartsOfAnAuthorisationAreForeignWithoutIt) {
  for (const auto* const name : {"X-Amz-Signature", "X-Amz-Security-Token", "AWSAccessKeyId",
                                 "X-Amz-Expires", "x-amz-security-token"}) {
    const auto request = get(std::string{"/b/k?"} + name + "=x");
    EXPECT_EQ(foreign(request, false), name);
    EXPECT_EQ(foreign(request, true), "");
  }
  EXPECT_EQ(foreign(get("/b/k", {{"x-amz-security-token", "t"}}), false), "x-amz-security-token");
  EXPECT_EQ(foreign(get("/b/k", {{"x-amz-security-token", "t"}}), true), "");
  EXPECT_EQ(foreign(get("/b/k?versionId=1&prefix=a&Expires=1", {{"Cookie", "c"}}), false), "");
}

constexpr const char* kAuthorization =
    "AWS4-HMAC-SHA256 Credential=AK/20130524/r/s3/aws4_request, "
    "SignedHeaders=host;if-none-match;range, Signature=00";

std::optional<ClaimedSignature> claimed(const http::RequestHead& request) {
  return claimed_signature(request, query_of(request));
}

TEST(ClaimedSignature, SaysWhoAndWhatIsBound) {
  const auto by_header = claimed(get("/b/k", {{"Authorization", kAuthorization},
                                              {"x-amz-date", "20130524T000000Z"},
                                              {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}));
  ASSERT_TRUE(by_header);
  EXPECT_EQ(by_header->access_key, "AK");
  EXPECT_TRUE(by_header->covers("range") && by_header->covers("if-none-match"));
  EXPECT_FALSE(by_header->covers("if-match"));
  const auto by_query = claimed(get(
      "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20130524%2Fr%2Fs3%2F"
      "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=9&X-Amz-SignedHeaders=host%3Brange&"
      "X-Amz-Signature=00"));
  ASSERT_TRUE(by_query);
  EXPECT_TRUE(by_query->covers("range"));
  EXPECT_EQ(claimed(get("/b/k", {{"Authorization", "AWS AK:sig"}}))->access_key, "AK");
  EXPECT_EQ(claimed(get("/b/k"))->access_key, "");
}

TEST(ClaimedSignature, DoubtIsNoClaim) {
  for (const auto* const target :
       {"/b/k?x-amz-signature=a", "/b/k?X-Amz-Signature=a", "/b/k?AWSAccessKeyId=A",
        "/b/k?AWSAccessKeyId=A&Signature=s&Expires=1&X-Amz-Signature=s",
        "/b/k?AWSAccessKeyId=A&AWSAccessKeyId=B&Signature=s&Expires=1", "/b/k?temp_url_sig=a"})
    EXPECT_FALSE(claimed(get(target))) << target;
  EXPECT_FALSE(claimed(get("/b/k", {{"Authorization", "Basic abc"}})));
  EXPECT_FALSE(claimed(get("/b/k", {{"Authorization", "AWS :sig"}})));
  EXPECT_FALSE(claimed(
      get("/b/k?AWSAccessKeyId=A&Signature=s&Expires=1", {{"Authorization", kAuthorization}})));
}

}  // namespace
}  // namespace forebay::s3
