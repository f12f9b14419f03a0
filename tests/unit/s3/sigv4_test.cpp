#include "sigv4_vectors.hpp"

#include <forebay/http/uri.hpp>
#include <forebay/s3/sha256.hpp>
#include <forebay/s3/sigv4.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

// The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization
// Header: Transferring Payload in a Single Chunk" and "Authenticating Requests: Using Query
// Parameters".
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kHost = "examplebucket.s3.amazonaws.com";
constexpr sys_seconds kNow{std::chrono::seconds{1369353600}};  // 2013-05-24T00:00:00Z

Credential example_credential() {
  return {.access_key = "AKIAIOSFODNN7EXAMPLE",
          .secret_key = std::string{kSecret},
          .session_token = ""};
}

struct Example {
  std::string_view name, method, target;
  Fields fields;  ///< Beside Host, x-amz-content-sha256 and x-amz-date.
  std::string payload, signed_headers, signature;
};

std::vector<Example> examples() {
  const std::string empty{kEmptyPayload};
  return {
      {"GET object",
       "GET",
       "/test.txt",
       {{"Range", "bytes=0-9"}},
       empty,
       "host;range;x-amz-content-sha256;x-amz-date",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT object",
       "PUT",
       "/test$file.text",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       sha256_hex("Welcome to Amazon S3."),
       "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET bucket lifecycle",
       "GET",
       "/?lifecycle",
       {},
       empty,
       "host;x-amz-content-sha256;x-amz-date",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"GET bucket",
       "GET",
       "/?max-keys=2&prefix=J",
       {},
       empty,
       "host;x-amz-content-sha256;x-amz-date",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
}

http::RequestHead unsigned_request(const Example& example) {
  http::RequestHead request{
      .method = std::string{example.method}, .target = std::string{example.target}, .headers = {}};
  request.headers.add("Host", std::string{kHost});
  for (const auto& [name, value] : example.fields)
    request.headers.add(name, value);
  return request;
}

http::RequestHead signed_request(const Example& example) {
  auto request = unsigned_request(example);
  request.headers.add("x-amz-content-sha256", example.payload);
  request.headers.add("x-amz-date", "20130524T000000Z");
  request.headers.add("Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                      "aws4_request,SignedHeaders=" +
                          example.signed_headers + ",Signature=" + example.signature);
  return request;
}

http::RequestHead presigned_example() {
  http::RequestHead request{
      .method = "GET",
      .target =
          "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
          "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date="
          "20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
          "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
      .headers = {}};
  request.headers.add("Host", std::string{kHost});
  return request;
}

/// Parses and verifies; the error of whichever fails first.
std::optional<Failure> check(const http::RequestHead& request, sys_seconds now = kNow,
                             std::string_view secret = kSecret) {
  const auto authorization = parse_authorization(request);
  if (!authorization)
    return authorization.error();
  return verify(request, authorization.value(), secret, now);
}

TEST(SigV4, VerifiesThePublishedExamples) {
  for (const auto& example : examples()) {
    SCOPED_TRACE(example.name);
    const auto failure = check(signed_request(example));
    EXPECT_FALSE(failure) << failure->fields[1].second << "\n" << failure->fields[3].second;
  }
  EXPECT_FALSE(check(presigned_example()));
}

TEST(SigV4, SignsThePublishedExamples) {
  for (const auto& example : examples()) {
    if (example.signed_headers.starts_with("date"))
      continue;  // We never sign Date.
    SCOPED_TRACE(example.name);
    auto request = unsigned_request(example);
    sign(request, example_credential(), "us-east-1", example.payload, kNow);
    EXPECT_EQ(request.headers.get("authorization"),
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
              "aws4_request, SignedHeaders=" +
                  example.signed_headers + ", Signature=" + example.signature);
    EXPECT_FALSE(check(request));
  }
}

TEST(SigV4, PresignsThePublishedExample) {
  http::RequestHead request{.method = "GET", .target = "/test.txt", .headers = {}};
  request.headers.add("Host", std::string{kHost});
  presign(request, example_credential(), "us-east-1",
          {.timestamp = kNow, .expires = std::chrono::hours{24}, .signed_headers = {"host"}});
  EXPECT_EQ(request.target, presigned_example().target);
}

http::RequestHead request_of(const SignedRequest& vector) {
  http::RequestHead request{
      .method = std::string{vector.method}, .target = std::string{vector.target}, .headers = {}};
  for (const auto& [name, value] : vector.headers)
    request.headers.add(std::string{name}, std::string{value});
  return request;
}

Credential credential_of(const SignedRequest& vector) {
  return {.access_key = std::string{kVectorAccessKey},
          .secret_key = std::string{vector.secret_key},
          .session_token = std::string{vector.session_token}};
}

constexpr sys_seconds kVectorNow{std::chrono::seconds{kVectorTime}};

TEST(SigV4, VerifiesAndMakesWhatBotocoreSigns) {
  for (const auto& vector : header_vectors()) {
    SCOPED_TRACE(vector.target);
    const auto original = request_of(vector);
    const auto failure = check(original, kVectorNow, vector.secret_key);
    EXPECT_FALSE(failure) << failure->message;
    auto ours = original;
    ours.headers.remove("Authorization");
    sign(ours, credential_of(vector), vector.region,
         original.headers.value_or_empty("x-amz-content-sha256"), kVectorNow);
    EXPECT_EQ(ours.headers.get("Authorization"), original.headers.get("Authorization"));
    EXPECT_EQ(ours.target, original.target);
  }
}

TEST(SigV4, VerifiesAndMakesWhatBotocorePresigns) {
  for (const auto& vector : presigned_vectors()) {
    SCOPED_TRACE(vector.target);
    const auto original = request_of(vector);
    const auto failure = check(original, kVectorNow, vector.secret_key);
    EXPECT_FALSE(failure) << failure->message;
    auto ours = original;
    presign(ours, credential_of(vector), vector.region,
            presign_params(parse_authorization(original).value(), kVectorNow));
    EXPECT_EQ(ours.target, original.target);
  }
}

TEST(SigV4, TamperingWithAnyPartIsFound) {
  using Tamper = void (*)(http::RequestHead&);
  struct Case {
    std::string_view name;
    Tamper tamper;
    ErrorCode expected = ErrorCode::signature_does_not_match;
  };
  const auto replace_authorization = [](http::RequestHead& r, std::string_view from,
                                        std::string_view to) {
    std::string value{r.headers.value_or_empty("authorization")};
    const auto at = value.find(from);
    ASSERT_NE(at, std::string::npos);
    r.headers.set("authorization", value.replace(at, from.size(), to));
  };
  static const auto kReplace = replace_authorization;
  const Case cases[]{
      {"method", [](auto& r) { r.method = "HEAD"; }},
      {"path", [](auto& r) { r.target = "/test.txT"; }},
      {"slash", [](auto& r) { r.target = "//test.txt"; }},
      {"query", [](auto& r) { r.target += "?acl"; }},
      {"host", [](auto& r) { r.headers.set("host", "other"); }},
      {"port", [](auto& r) { r.headers.set("host", std::string{kHost} + ":80"); }},
      {"signed field", [](auto& r) { r.headers.set("range", "bytes=0-10"); }},
      {"signed field gone", [](auto& r) { r.headers.remove("range"); }},
      {"signed field twice", [](auto& r) { r.headers.add("range", "bytes=0-9"); }},
      {"time", [](auto& r) { r.headers.set("x-amz-date", "20130524T000001Z"); }},
      {"payload hash", [](auto& r) { r.headers.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"); }},
      {"region", [](auto& r) { kReplace(r, "us-east-1", "us-east-2"); }},
      {"signature, first digit", [](auto& r) { kReplace(r, "Signature=f", "Signature=e"); }},
      {"signature, last digit", [](auto& r) { kReplace(r, "bdb41", "bdb42"); }},
      {"signature cut", [](auto& r) { kReplace(r, "bdb41", "bdb4"); }},
      {"signature longer", [](auto& r) { kReplace(r, "bdb41", "bdb410"); }},
      {"signature in upper case", [](auto& r) { kReplace(r, "bdb41", "BDB41"); }},
      {"signed headers, less", [](auto& r) { kReplace(r, "range;", ""); }},
      {"signed headers, order", [](auto& r) { kReplace(r, "host;range", "range;host"); }},
      {"unsigned x-amz-acl", [](auto& r) { r.headers.add("x-amz-acl", "public-read"); },
       ErrorCode::access_denied},
      {"host not signed", [](auto& r) { kReplace(r, "host;", ""); }, ErrorCode::access_denied},
      {"date not signed", [](auto& r) { kReplace(r, ";x-amz-date", ""); },
       ErrorCode::access_denied},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    auto request = signed_request(examples().front());
    each.tamper(request);
    const auto failure = check(request);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, each.expected) << failure->message;
  }
  EXPECT_EQ(check(signed_request(examples().front()), kNow, "other secret")->code,
            ErrorCode::signature_does_not_match);
}

TEST(SigV4, TamperingWithAPresignedTargetIsFound) {
  struct Case {
    std::string_view from, to;
  };
  const Case cases[]{
      {"/test.txt", "/test.tx"},
      {"us-east-1", "us-east-2"},
      {"T000000Z", "T000001Z"},
      {"Expires=86400", "Expires=86401"},
      {"604d404", "604d405"},
      {"&X-Amz-Signature", "&acl&X-Amz-Signature"},
      {"&X-Amz-Signature", "&X-Amz-Security-Token=t&X-Amz-Signature"},
      {"SignedHeaders=host", "SignedHeaders=host%3Brange"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.to);
    auto request = presigned_example();
    const auto at = request.target.find(each.from);
    ASSERT_NE(at, std::string::npos);
    request.target.replace(at, each.from.size(), each.to);
    EXPECT_EQ(check(request)->code, ErrorCode::signature_does_not_match);
  }
}

TEST(SigV4, EveryTruncationOfAPresignedTargetIsRefused) {
  const auto whole = presigned_example();
  for (std::size_t length = 0; length < whole.target.size(); ++length) {
    auto request = whole;
    request.target.resize(length);
    EXPECT_TRUE(check(request)) << request.target;
  }
}

TEST(SigV4, FieldsNotSignedAreNamed) {
  auto request = signed_request(examples().front());
  request.headers.add("X-Amz-Meta-B", "1");
  request.headers.add("x-amz-acl", "public-read");
  request.headers.add("x-amz-ACL", "public-read");
  request.headers.add("X-Amzn-Trace-Id", "1");
  const auto failure = check(request);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->fields, (Failure::Fields{{"HeadersNotSigned", "x-amz-acl, x-amz-meta-b"}}));
  // The payload hash is signed as the last line of the canonical request in any case.
  auto presigned = presigned_example();
  presigned.headers.add("x-amz-content-sha256", std::string{kUnsignedPayload});
  EXPECT_FALSE(check(presigned));
}

TEST(SigV4, AFieldThatWasSignedMustBeThere) {
  auto request = presigned_example();
  const auto at = request.target.find("X-Amz-SignedHeaders=host");
  ASSERT_NE(at, std::string::npos);
  request.target.insert(at + std::string_view{"X-Amz-SignedHeaders=host"}.size(), "%3Brange");
  const auto failure = check(request);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::signature_does_not_match);
  EXPECT_EQ(failure->fields, (Failure::Fields{{"HeaderMissing", "range"}}));
}

TEST(SigV4, PresignedAnewEverythingThatMattersIsSigned) {
  http::RequestHead request{.method = "PUT", .target = "/b/k", .headers = {}};
  for (const auto& [name, value] : {std::pair{"Host", "origin"},
                                    {"Content-Type", "text/plain"},
                                    {"X-Amz-Meta-A", "1"},
                                    {"x-amz-acl", "private"},
                                    {"x-amzn-trace-id", "t"},
                                    {"Cache-Control", "no-store"}})
    request.headers.add(name, value);
  presign(request, {"AK", "SK", ""}, "us-east-1",
          {.timestamp = kNow, .expires = std::chrono::seconds{60}, .signed_headers = {"range"}});
  EXPECT_NE(request.target.find("X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl%3B"
                                "x-amz-meta-a&"),
            std::string::npos)
      << request.target;
  EXPECT_FALSE(verify(request, parse_authorization(request).value(), "SK", kNow));
}

TEST(SigV4, ClocksMayDifferByFifteenMinutes) {
  const auto request = signed_request(examples().front());
  EXPECT_FALSE(check(request, kNow + kMaxSkew));
  EXPECT_FALSE(check(request, kNow - kMaxSkew));
  for (const auto now :
       {kNow + kMaxSkew + std::chrono::seconds{1}, kNow - kMaxSkew - std::chrono::seconds{1}}) {
    const auto failure = check(request, now);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, ErrorCode::request_time_too_skewed);
    EXPECT_EQ(failure->fields[0].second, "20130524T000000Z");
    EXPECT_EQ(failure->fields[2].second, "900000");
  }
}

TEST(SigV4, PresignedRequestsLiveFromDateToExpiry) {
  const auto request = presigned_example();
  EXPECT_FALSE(check(request, kNow + std::chrono::hours{24}));
  EXPECT_FALSE(check(request, kNow - kMaxSkew));
  const auto late = check(request, kNow + std::chrono::hours{24} + std::chrono::seconds{1});
  ASSERT_TRUE(late);
  EXPECT_EQ(late->code, ErrorCode::access_denied);
  EXPECT_EQ(late->message, "Request has expired");
  EXPECT_EQ(late->fields, (Failure::Fields{{"X-Amz-Expires", "86400"},
                                           {"Expires", "2013-05-25T00:00:00Z"},
                                           {"ServerTime", "2013-05-25T00:00:01Z"}}));
  const auto early = check(request, kNow - kMaxSkew - std::chrono::seconds{1});
  ASSERT_TRUE(early);
  EXPECT_EQ(early->message, "Request is not yet valid");
}

TEST(SigV4, APlainSignedDateVerifies) {
  // The second example without x-amz-date. The signature was computed with Python's hmac: the
  // string to sign holds the instant of Date in basic form.
  auto request = signed_request(examples()[1]);
  request.headers.remove("x-amz-date");
  EXPECT_EQ(check(request)->code, ErrorCode::signature_does_not_match);
  request.headers.set("Authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                      "aws4_request, SignedHeaders=date;host;x-amz-content-sha256;"
                      "x-amz-storage-class, "
                      "Signature=a6a2c10d4e16b332065484150c386346f749c2d3641a640871051defa1f89583");
  EXPECT_FALSE(check(request));
}

TEST(SigV4, SignReplacesWhatTheClientSent) {
  auto request = signed_request(examples()[1]);
  request.target = "/test$file.text?a=1+2&uploads&X-Amz-Signature=old";
  request.headers.add("x-amz-security-token", "of the client");
  request.headers.add("Accept-Encoding", "identity");
  auto credential = example_credential();
  credential.session_token = "ours";
  sign(request, credential, "eu-north-1", kUnsignedPayload, kNow + std::chrono::hours{1});
  const auto& headers = request.headers;
  EXPECT_FALSE(headers.contains("Date"));
  for (const auto* const name :
       {"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(headers.count(name), 1u);
  }
  EXPECT_EQ(headers.get("x-amz-security-token"), "ours");
  EXPECT_EQ(headers.get("x-amz-date"), "20130524T010000Z");
  EXPECT_EQ(headers.get("x-amz-content-sha256"), kUnsignedPayload);
  EXPECT_EQ(headers.get("accept-encoding"), "identity");
  EXPECT_EQ(request.target, "/test%24file.text?a=1%2B2&uploads");
  EXPECT_FALSE(check(request, kNow + std::chrono::hours{1}));
}

TEST(SigV4, SignCoversEverythingThatChangesTheMeaning) {
  http::RequestHead request{.method = "GET", .target = "/b/k", .headers = {}};
  request.headers.add("Host", "origin:7480");
  for (const auto* const name : {"Range", "If-Match", "If-None-Match", "If-Range", "Content-Type",
                                 "Content-MD5", "x-amz-acl", "X-Amz-Meta-A"})
    request.headers.add(name, "v");
  request.headers.add("User-Agent", "u");
  request.headers.add("X-Amzn-Trace-Id", "t");
  sign(request, example_credential(), "r", kEmptyPayload, kNow);
  EXPECT_EQ(parse_authorization(request).value().signed_headers,
            (std::vector<std::string>{"content-md5", "content-type", "host", "if-match",
                                      "if-none-match", "if-range", "range", "x-amz-acl",
                                      "x-amz-content-sha256", "x-amz-date", "x-amz-meta-a"}));
}

TEST(SigV4, ThePresignedStaysPresignedWithItsDateAndExpiry) {
  auto request = presigned_example();
  request.target += "&versionId=a%2Fb";
  request.headers.set("Host", "origin:7480");
  request.headers.add("x-amz-content-sha256", std::string{kEmptyPayload});
  const auto caller = parse_authorization(presigned_example()).value();
  const Credential origin{.access_key = "OAK", .secret_key = "OSK", .session_token = "T"};
  presign(request, origin, "default", presign_params(caller, {}));
  EXPECT_TRUE(request.target.starts_with(
      "/test.txt?versionId=a%2Fb&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=OAK%2F20130524"
      "%2Fdefault%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
      "X-Amz-SignedHeaders=host&X-Amz-Security-Token=T&X-Amz-Signature="))
      << request.target;
  EXPECT_FALSE(request.headers.contains("x-amz-content-sha256"));
  EXPECT_FALSE(check(request, kNow, "OSK"));
  EXPECT_TRUE(check(request, kNow, kSecret));
}

TEST(SigV4, WhatTheRequestNoLongerCarriesIsNotSigned) {
  http::RequestHead request{.method = "HEAD", .target = "/b/k", .headers = {}};
  request.headers.add("Host", "h");
  presign(request, example_credential(), "us-east-1",
          {.timestamp = kNow,
           .expires = std::chrono::seconds{60},
           .signed_headers = {"host", "range"},
           .payload_hash = std::string{kUnsignedPayload}});
  EXPECT_NE(request.target.find("X-Amz-SignedHeaders=host&"), std::string::npos) << request.target;
  EXPECT_FALSE(check(request, kNow, kSecret));
}

TEST(SigV4, PresignedPayloadHashesArePassedOn) {
  for (const bool in_field : {false, true}) {
    SCOPED_TRACE(in_field);
    http::RequestHead request{.method = "PUT", .target = "/b/k", .headers = {}};
    request.headers.add("Host", "h");
    PresignParams params{.timestamp = kNow,
                         .expires = std::chrono::seconds{60},
                         .signed_headers = {"host"},
                         .payload_hash = std::string{kEmptyPayload}};
    if (in_field) {
      request.headers.add("x-amz-content-sha256", params.payload_hash);
      params.signed_headers.emplace_back("x-amz-content-sha256");
    }
    presign(request, example_credential(), "r", params);
    EXPECT_FALSE(check(request));
    EXPECT_EQ(parse_authorization(request).value().payload_hash, kEmptyPayload);
    EXPECT_EQ(request.target.find("X-Amz-Content-Sha256") != std::string::npos, !in_field);
  }
}

TEST(SigV4, TheServiceItselfKeepsItsTarget) {
  http::RequestHead request{.method = "OPTIONS", .target = "*", .headers = {}};
  request.headers.add("Host", "h");
  sign(request, example_credential(), "r", kEmptyPayload, kNow);
  EXPECT_EQ(request.target, "*");
}

}  // namespace
}  // namespace forebay::s3
