#include <forebay/s3/error.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

TEST(S3Error, CodesCarryTheStatusAwsGives) {
  struct Case {
    ErrorCode code;
    std::string_view name;
    int status;
  };
  const Case cases[]{
      {ErrorCode::access_denied, "AccessDenied", 403},
      {ErrorCode::authorization_header_malformed, "AuthorizationHeaderMalformed", 400},
      {ErrorCode::bad_digest, "BadDigest", 400},
      {ErrorCode::internal_error, "InternalError", 500},
      {ErrorCode::invalid_access_key_id, "InvalidAccessKeyId", 403},
      {ErrorCode::invalid_range, "InvalidRange", 416},
      {ErrorCode::invalid_uri, "InvalidURI", 400},
      {ErrorCode::method_not_allowed, "MethodNotAllowed", 405},
      {ErrorCode::missing_content_length, "MissingContentLength", 411},
      {ErrorCode::no_such_key, "NoSuchKey", 404},
      {ErrorCode::not_implemented, "NotImplemented", 501},
      {ErrorCode::not_modified, "NotModified", 304},
      {ErrorCode::precondition_failed, "PreconditionFailed", 412},
      {ErrorCode::request_time_too_skewed, "RequestTimeTooSkewed", 403},
      {ErrorCode::service_unavailable, "ServiceUnavailable", 503},
      {ErrorCode::signature_does_not_match, "SignatureDoesNotMatch", 403},
      {ErrorCode::slow_down, "SlowDown", 503},
      {ErrorCode::xamz_content_sha256_mismatch, "XAmzContentSHA256Mismatch", 400},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(info(each.code).name, each.name);
    EXPECT_EQ(Failure{each.code}.status(), each.status);
    EXPECT_FALSE(Failure{each.code}.message.empty());
  }
}

TEST(S3Error, WritesTheBodyAwsWrites) {
  const Failure failure{ErrorCode::invalid_argument, "No good", {{"ArgumentName", "a<b"}}};
  EXPECT_EQ(to_xml(failure, "/bucket/a&b", "00000000000000FF"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>InvalidArgument</Code>"
            "<Message>No good</Message><ArgumentName>a&lt;b</ArgumentName>"
            "<Resource>/bucket/a&amp;b</Resource><RequestId>00000000000000FF</RequestId></Error>");
}

TEST(S3Error, NothingInAResourceBreaksTheBody) {
  struct Case {
    std::string_view name, resource, written;
  };
  const std::string nul("a\0b", 3);
  const Case cases[]{
      {"element", "</Resource><Code>x</Code>", "&lt;/Resource&gt;&lt;Code&gt;x&lt;/Code&gt;"},
      {"entity", "&amp;", "&amp;amp;"},
      {"CDATA end", "]]>", "]]&gt;"},
      {"NUL", nul,
       "a\xef\xbf\xbd"
       "b"},
      {"control", "a\x01\x1f", "a\xef\xbf\xbd\xef\xbf\xbd"},
      {"line feed", "a\nb", "a\nb"},
      {"two bytes", "\xc3\xa4", "\xc3\xa4"},
      {"three bytes", "\xe2\x82\xac", "\xe2\x82\xac"},
      {"four bytes", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
      {"cut sequence", "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"stray continuation", "\x80", "\xef\xbf\xbd"},
      {"overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"overlong, three bytes", "\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"above the last", "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"noncharacter", "\xef\xbf\xbf", "\xef\xbf\xbd"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const auto xml = to_xml(Failure{ErrorCode::no_such_key}, each.resource, "1");
    EXPECT_NE(xml.find("<Resource>" + std::string{each.written} + "</Resource>"), std::string::npos)
        << xml;
    EXPECT_EQ(error_field(xml, "Code"), "NoSuchKey");
  }
}

TEST(S3Error, ReadsTheCodeOfAnOriginsBody) {
  EXPECT_EQ(error_field("<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code></Error>", "Code"),
            "SlowDown");
  EXPECT_EQ(error_field("<Error><Message>m</Message><Code>A&amp;B</Code></Error>", "Code"), "A&B");
  for (const auto* const bad : {"", "<", "not xml", "<Error/>", "<Error><Code/></Error>",
                                "<Code>x</Code>", "<Error><Code>x</Error>", "{}"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(error_field(bad, "Code"), std::nullopt);
  }
}

TEST(S3Error, EveryTruncationOfABodyHasNoCodeOrTheRightOne) {
  const auto xml = to_xml(Failure{ErrorCode::slow_down}, "/b/k", "1");
  for (std::size_t length = 0; length < xml.size(); ++length) {
    const auto code = error_field(std::string_view{xml}.substr(0, length), "Code");
    EXPECT_EQ(code, std::nullopt) << length;
  }
  EXPECT_EQ(error_field(xml, "Code"), "SlowDown");
}

TEST(S3Error, RequestIdsAreSixteenUpperCaseDigits) {
  EXPECT_EQ(request_id(0), "0000000000000000");
  EXPECT_EQ(request_id(0x0123456789abcdef), "0123456789ABCDEF");
  EXPECT_EQ(request_id(~std::uint64_t{0}), "FFFFFFFFFFFFFFFF");
}

Outcome<int> half(int value) {
  if (value % 2 != 0)
    return Failure{ErrorCode::invalid_argument};
  return value / 2;
}
Outcome<int> quarter(int value) {
  TRY(const auto first, half(value));
  return half(first);
}

TEST(S3Error, OutcomesPropagate) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace forebay::s3
