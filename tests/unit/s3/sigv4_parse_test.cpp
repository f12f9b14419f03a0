#include <forebay/s3/sigv4.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

constexpr std::string_view kCredential =
    "AWS4-HMAC-SHA256 Credential=AKID/20130524/us-east-1/s3/aws4_request";
const std::string kAuthorization =
    std::string{kCredential} + ",SignedHeaders=host;x-amz-date, Signature=abc";
constexpr std::string_view kPresigned =
    "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3%2F"
    "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&"
    "X-Amz-Signature=abc";
constexpr sys_seconds kTime{std::chrono::seconds{1369353600}};  // 2013-05-24T00:00:00Z

http::RequestHead header_request(std::string authorization = kAuthorization) {
  http::RequestHead request{.method = "GET", .target = "/b/k", .headers = {}};
  request.headers.add("Host", "h");
  request.headers.add("X-Amz-Date", "20130524T000000Z");
  request.headers.add("X-Amz-Content-SHA256", std::string{kEmptyPayload});
  request.headers.add("Authorization", std::move(authorization));
  return request;
}

http::RequestHead presigned_request(std::string target = std::string{kPresigned}) {
  http::RequestHead request{.method = "GET", .target = std::move(target), .headers = {}};
  request.headers.add("Host", "h");
  return request;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result{text};
  const auto at = result.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return result.replace(at, from.size(), to);
}

TEST(ParseAuthorization, ReadsTheHeaderForm) {
  auto request = header_request();
  request.headers.add("x-amz-security-token", "token");
  const auto parsed = parse_authorization(request);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& authorization = parsed.value();
  EXPECT_EQ(authorization.kind, Authorization::Kind::header);
  EXPECT_EQ(authorization.access_key, "AKID");
  EXPECT_EQ(authorization.date, "20130524");
  EXPECT_EQ(authorization.region, "us-east-1");
  EXPECT_EQ(authorization.signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
  EXPECT_EQ(authorization.signature, "abc");
  EXPECT_EQ(authorization.timestamp, kTime);
  EXPECT_EQ(authorization.payload_hash, kEmptyPayload);
  EXPECT_EQ(authorization.session_token, "token");
}

TEST(ParseAuthorization, ReadsThePresignedForm) {
  const auto parsed = parse_authorization(
      presigned_request(std::string{kPresigned} + "&X-Amz-Security-Token=t%2F"));
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& authorization = parsed.value();
  EXPECT_EQ(authorization.kind, Authorization::Kind::presigned);
  EXPECT_EQ(authorization.access_key, "AKID");
  EXPECT_EQ(authorization.timestamp, kTime);
  EXPECT_EQ(authorization.expires, std::chrono::hours{24});
  EXPECT_EQ(authorization.signed_headers, std::vector<std::string>{"host"});
  EXPECT_EQ(authorization.payload_hash, kUnsignedPayload);
  EXPECT_EQ(authorization.session_token, "t/");
}

TEST(ParseAuthorization, AccessKeysMayHoldSlashes) {
  const auto parsed =
      parse_authorization(header_request(replaced(kAuthorization, "AKID", "AK/I/D")));
  EXPECT_EQ(parsed.value().access_key, "AK/I/D");
}

TEST(ParseAuthorization, TheDateMayBePlain) {
  for (const auto* const date : {"Fri, 24 May 2013 00:00:00 GMT", "20130524T000000Z"}) {
    SCOPED_TRACE(date);
    auto request = header_request();
    request.headers.remove("x-amz-date");
    request.headers.add("Date", date);
    EXPECT_EQ(parse_authorization(request).value().timestamp, kTime);
    // x-amz-date wins where both are there.
    request.headers.add("x-amz-date", "20130524T000001Z");
    EXPECT_EQ(parse_authorization(request).value().timestamp, kTime + std::chrono::seconds{1});
  }
}

TEST(ParseAuthorization, NamesTheScheme) {
  EXPECT_EQ(auth_scheme(header_request()), AuthScheme::sigv4_header);
  EXPECT_EQ(auth_scheme(presigned_request()), AuthScheme::sigv4_presigned);
  EXPECT_EQ(auth_scheme(presigned_request("/b/k?versionId=1")), AuthScheme::anonymous);
  EXPECT_EQ(auth_scheme(presigned_request("/b/k?AWSAccessKeyId=a&Expires=1&Signature=b")),
            AuthScheme::sigv2);
  EXPECT_EQ(auth_scheme(presigned_request("/b/k?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256")),
            AuthScheme::sigv4a);
  EXPECT_EQ(auth_scheme(header_request("AWS AKID:abc=")), AuthScheme::sigv2);
  EXPECT_EQ(auth_scheme(header_request("Bearer x")), AuthScheme::unsupported);
  EXPECT_EQ(auth_scheme(header_request("AWS4-ECDSA-P256-SHA256 Credential=x")), AuthScheme::sigv4a);
  EXPECT_EQ(auth_scheme(header_request("")), AuthScheme::unsupported);
  auto both = header_request();
  both.target = kPresigned;
  EXPECT_EQ(auth_scheme(both), AuthScheme::ambiguous);
  auto twice = header_request();
  twice.headers.add("authorization", kAuthorization);
  EXPECT_EQ(auth_scheme(twice), AuthScheme::ambiguous);
}

TEST(ParseAuthorization, OtherSchemesAreRefusedAsAwsDoes) {
  const auto code = [](const http::RequestHead& request) {
    return parse_authorization(request).error().code;
  };
  EXPECT_EQ(code(header_request("AWS4-ECDSA-P256-SHA256 Credential=x")),
            ErrorCode::not_implemented);
  EXPECT_EQ(code(header_request("AWS AKID:abc=")), ErrorCode::invalid_request);
  EXPECT_EQ(code(header_request("Bearer x")), ErrorCode::invalid_argument);
  EXPECT_EQ(code(presigned_request("/b/k?a=%")), ErrorCode::invalid_uri);
  auto both = header_request();
  both.target = kPresigned;
  EXPECT_EQ(code(both), ErrorCode::invalid_argument);
}

TEST(ParseAuthorization, NoneAtAllIsAnonymous) {
  const auto parsed = parse_authorization(presigned_request("/b/k"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed.value().kind, Authorization::Kind::anonymous);
  auto garbled = presigned_request("/b/k");
  garbled.headers.add("x-amz-content-sha256", "none");
  EXPECT_EQ(parse_authorization(garbled).error().code, ErrorCode::invalid_argument);
}

struct Malformed {
  std::string_view name, from, to;
  std::string_view message;  ///< What the answer must contain.
};

TEST(ParseAuthorization, MalformedHeadersAreRefused) {
  const Malformed cases[]{
      {"no credential", "Credential=AKID/20130524/us-east-1/s3/aws4_request,", "",
       "requires three components"},
      {"no signature", ", Signature=abc", "", "requires three components"},
      {"no signed headers", "SignedHeaders=host;x-amz-date,", "", "requires three components"},
      {"empty signature", "Signature=abc", "Signature=", "requires three components"},
      {"unknown component", "Signature=abc", "Sig=abc", "component \"Sig=abc\" is malformed"},
      {"component twice", "Signature=abc", "Signature=abc,Signature=abc", "is malformed"},
      {"no equals", "Signature=abc", "Signature", "is malformed"},
      {"short scope", "/us-east-1", "", "expecting"},
      {"no access key", "AKID/", "/", "expecting"},
      {"short date", "20130524", "2013052", "expecting"},
      {"no digits", "20130524", "2013052x", "expecting"},
      {"service", "/s3/", "/ec2/", "incorrect service \"ec2\""},
      {"terminator", "aws4_request", "aws5_request", "incorrect terminal \"aws5_request\""},
      {"other day", "20130524", "20130525", "Invalid credential date \"20130525\""},
      {"empty signed header", "host;x-amz-date", "host;;x-amz-date", "SignedHeaders"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const auto parsed =
        parse_authorization(header_request(replaced(kAuthorization, each.from, each.to)));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::authorization_header_malformed);
    EXPECT_NE(parsed.error().message.find(each.message), std::string::npos)
        << parsed.error().message;
  }
}

TEST(ParseAuthorization, MalformedQueriesAreRefused) {
  const Malformed cases[]{
      {"no credential", "X-Amz-Credential=", "x=", "requires the X-Amz-Algorithm"},
      {"no date", "X-Amz-Date=", "x=", "requires the X-Amz-Algorithm"},
      {"no expiry", "X-Amz-Expires=", "x=", "requires the X-Amz-Algorithm"},
      {"no signed headers", "X-Amz-SignedHeaders=", "x=", "requires the X-Amz-Algorithm"},
      {"no signature", "X-Amz-Signature=", "x=", "requires the X-Amz-Algorithm"},
      {"no algorithm", "X-Amz-Algorithm=", "x=", "requires the X-Amz-Algorithm"},
      {"short scope", "%2Fs3", "", "the Credential is mal-formed"},
      {"service", "%2Fs3", "%2Fiam", "incorrect service \"iam\""},
      {"other day", "AKID%2F20130524", "AKID%2F20130523", "Invalid credential date"},
      {"date form", "20130524T000000Z", "2013-05-24T00:00:00Z", "ISO8601 Long Format"},
      {"negative expiry", "86400", "-1", "must be non-negative"},
      {"expiry no number", "86400", "1h", "should be a number"},
      {"expiry of a minus", "86400", "-", "should be a number"},
      {"long expiry", "86400", "604801", "less than a week"},
      {"huge expiry", "86400", "99999999999999999999", "less than a week"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const auto parsed =
        parse_authorization(presigned_request(replaced(kPresigned, each.from, each.to)));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::authorization_query_parameters_error);
    EXPECT_NE(parsed.error().message.find(each.message), std::string::npos)
        << parsed.error().message;
  }
  EXPECT_TRUE(parse_authorization(presigned_request(replaced(kPresigned, "86400", "604800"))));
}

TEST(ParseAuthorization, HeaderRequestsNeedDateAndPayloadHash) {
  for (const auto* const bad :
       {"", "20130524", "20130524T0000000", "2013-05-24T00:00:00Z", "20130524T240000Z",
        "20130524T006000Z", "20130524T000060Z", "20131324T000000Z", "20130230T000000Z",
        "Fri, 24 May 2013 00:00:00 GMT"}) {
    SCOPED_TRACE(bad);
    auto request = header_request();
    request.headers.set("x-amz-date", bad);
    EXPECT_EQ(parse_authorization(request).error().code, ErrorCode::access_denied);
  }
  auto dateless = header_request();
  dateless.headers.remove("x-amz-date");
  EXPECT_EQ(parse_authorization(dateless).error().code, ErrorCode::access_denied);
  auto twice = header_request();
  twice.headers.add("x-amz-date", "20130524T000000Z");
  EXPECT_EQ(parse_authorization(twice).error().code, ErrorCode::access_denied);
  auto hashless = header_request();
  hashless.headers.remove("x-amz-content-sha256");
  EXPECT_EQ(parse_authorization(hashless).error().code, ErrorCode::invalid_request);
  auto two_hashes = header_request();
  two_hashes.headers.add("x-amz-content-sha256", std::string{kEmptyPayload});
  EXPECT_EQ(parse_authorization(two_hashes).error().code, ErrorCode::invalid_request);
  auto garbled = header_request();
  garbled.headers.set("x-amz-content-sha256", "GIBBERISH");
  const auto failure = parse_authorization(garbled).error();
  EXPECT_EQ(failure.code, ErrorCode::invalid_argument);
  EXPECT_EQ(failure.fields.back(),
            (std::pair<std::string, std::string>{"ArgumentValue", "GIBBERISH"}));
}

TEST(ParseAuthorization, PresignedPayloadHashesCountOnlyWhereSigned) {
  auto request = presigned_request();
  request.headers.add("x-amz-content-sha256", std::string{kEmptyPayload});
  EXPECT_EQ(parse_authorization(request).value().payload_hash, kUnsignedPayload);
  request.target =
      replaced(request.target, "SignedHeaders=host", "SignedHeaders=host%3Bx-amz-content-sha256");
  EXPECT_EQ(parse_authorization(request).value().payload_hash, kEmptyPayload);
  const auto in_query = presigned_request(std::string{kPresigned} +
                                          "&X-Amz-Content-Sha256=" + std::string{kEmptyPayload});
  EXPECT_EQ(parse_authorization(in_query).value().payload_hash, kEmptyPayload);
}

TEST(ParseAuthorization, NoTruncationOfTheHeaderIsTakenForLess) {
  for (std::size_t length = 0; length < kAuthorization.size(); ++length) {
    const auto parsed = parse_authorization(header_request(kAuthorization.substr(0, length)));
    // Only the signature itself may be shorter: it then fails to verify.
    if (parsed) {
      EXPECT_GE(length, kAuthorization.size() - 2) << kAuthorization.substr(0, length);
    }
  }
}

TEST(PayloadMode, NamesEveryForm) {
  struct Case {
    std::string_view value;
    PayloadMode expected;
  };
  const std::string upper = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
  const Case cases[]{
      {"", PayloadMode::absent},
      {kEmptyPayload, PayloadMode::sha256},
      {upper, PayloadMode::sha256},
      {"UNSIGNED-PAYLOAD", PayloadMode::unsigned_payload},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PayloadMode::streaming_signed},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PayloadMode::streaming_signed_trailer},
      {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", PayloadMode::streaming_unsigned_trailer},
      {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", PayloadMode::streaming_other},
      {"unsigned-payload", PayloadMode::malformed},
      {kEmptyPayload.substr(1), PayloadMode::malformed},
      {"g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", PayloadMode::malformed},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.value);
    EXPECT_EQ(payload_mode(each.value), each.expected);
  }
}

TEST(AmzDate, RoundTrips) {
  EXPECT_EQ(format_amz_date(kTime), "20130524T000000Z");
  for (int i = 0; i < 1000; ++i) {
    const auto time = kTime + std::chrono::seconds{i * 40009};
    EXPECT_EQ(parse_amz_date(format_amz_date(time)), time);
  }
}

}  // namespace
}  // namespace forebay::s3
