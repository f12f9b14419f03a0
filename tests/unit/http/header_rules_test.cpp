#include <forebay/base/errc.hpp>
#include <forebay/http/header_rules.hpp>

#include <functional>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Headers make_headers(const Fields& fields) {
  Headers headers;
  for (const auto& [name, value] : fields)
    headers.add(name, value);
  return headers;
}

RequestHead make_request(const Fields& fields = {}) {
  RequestHead request{.method = "PUT", .target = "/bucket/key?a=b%20c", .headers = {}};
  request.headers = make_headers(fields);
  request.headers.add("Host", "localhost:9000");
  return request;
}

TEST(HeaderRules, HopByHopFieldsEndHere) {
  const auto kept = end_to_end(make_headers({{"Host", "h"},
                                             {"Connection", "close, X-Private"},
                                             {"connection", "x-other"},
                                             {"X-Private", "1"},
                                             {"X-OTHER", "2"},
                                             {"Keep-Alive", "timeout=5"},
                                             {"Proxy-Connection", "keep-alive"},
                                             {"Proxy-Authenticate", "Basic"},
                                             {"Proxy-Authorization", "Basic eDp5"},
                                             {"TE", "trailers"},
                                             {"Trailer", "x-amz-checksum-crc32"},
                                             {"Transfer-Encoding", "chunked"},
                                             {"Upgrade", "h2c"},
                                             {"Expect", "100-continue"},
                                             {"Content-Length", "3"},
                                             {"x-amz-meta-A", "1"},
                                             {"x-amz-meta-a", "2"}}));
  std::string names;
  for (const auto& field : kept)
    names += field.name + "=" + field.value + ";";
  EXPECT_EQ(names, "Host=h;Expect=100-continue;Content-Length=3;x-amz-meta-A=1;x-amz-meta-a=2;");
}

TEST(HeaderRules, OrdinaryRequestsPass) {
  EXPECT_EQ(check_request(make_request()), std::nullopt);
  EXPECT_EQ(check_request(make_request({{"Content-Length", "0"}})), std::nullopt);
  EXPECT_EQ(check_request(make_request({{"Transfer-Encoding", "Chunked"}})), std::nullopt);
  EXPECT_EQ(check_request(make_request({{"Connection", "keep-alive, TE"}})), std::nullopt);
  EXPECT_EQ(check_request(make_request({{"x-amz-meta-a", "\xc3\xa4\tb"}})), std::nullopt);
  auto options = make_request();
  options.method = "OPTIONS";
  options.target = "*";
  EXPECT_EQ(check_request(options), std::nullopt);
}

std::string many_options() {
  std::string list;
  for (int i = 0; i < 1000; ++i)
    list.append(", option-").append(std::to_string(i));
  return list;
}

struct RefusalCase {
  std::string_view name;
  Fields fields;
  Refusal expected;
};

TEST(HeaderRules, AmbiguousFieldsAreRefused) {
  const RefusalCase cases[]{
      {"second host", {{"host", "localhost:9000"}}, Refusal::host},
      {"gzip and chunked", {{"Transfer-Encoding", "gzip, chunked"}}, Refusal::transfer_coding},
      {"xchunked", {{"Transfer-Encoding", "xchunked"}}, Refusal::transfer_coding},
      {"chunked with blank", {{"Transfer-Encoding", "chunked "}}, Refusal::transfer_coding},
      {"chunked with tab", {{"Transfer-Encoding", "\tchunked"}}, Refusal::transfer_coding},
      {"identity", {{"Transfer-Encoding", "identity"}}, Refusal::transfer_coding},
      {"empty coding", {{"Transfer-Encoding", ""}}, Refusal::transfer_coding},
      {"chunked twice",
       {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
       Refusal::transfer_coding},
      {"coding and length",
       {{"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}},
       Refusal::ambiguous_length},
      {"length twice",
       {{"Content-Length", "3"}, {"content-length", "3"}},
       Refusal::ambiguous_length},
      {"length list", {{"Content-Length", "3, 3"}}, Refusal::content_length},
      {"signed length", {{"Content-Length", "+3"}}, Refusal::content_length},
      {"negative length", {{"Content-Length", "-3"}}, Refusal::content_length},
      {"hexadecimal length", {{"Content-Length", "0x3"}}, Refusal::content_length},
      {"empty length", {{"Content-Length", ""}}, Refusal::content_length},
      {"length with blank", {{"Content-Length", "3 "}}, Refusal::content_length},
      {"length beyond 64 bits",
       {{"Content-Length", "18446744073709551616"}},
       Refusal::content_length},
      {"folded line", {{"X-A", "1\r\n 2"}}, Refusal::field_value},
      {"bare line feed", {{"X-A", "1\nHost: b"}}, Refusal::field_value},
      {"NUL", {{"X-A", std::string("a\0b", 3)}}, Refusal::field_value},
      {"DEL", {{"X-A", "\x7f"}}, Refusal::field_value},
      {"name with blank", {{"X A", "1"}}, Refusal::field_name},
      {"name ends in blank", {{"Content-Length ", "1"}}, Refusal::field_name},
      {"empty name", {{"", "1"}}, Refusal::field_name},
      {"connection names host", {{"Connection", "Host"}}, Refusal::connection_option},
      {"connection names length",
       {{"Connection", "close, content-length"}},
       Refusal::connection_option},
      {"connection names authorization",
       {{"Connection", "authorization"}},
       Refusal::connection_option},
      {"connection names a condition", {{"Connection", "If-Match"}}, Refusal::connection_option},
      {"connection names range", {{"Connection", "range"}}, Refusal::connection_option},
      {"connection names x-amz-acl", {{"Connection", "X-Amz-Acl"}}, Refusal::connection_option},
      {"connection names x_amz_acl", {{"Connection", "x_amz_acl"}}, Refusal::connection_option},
      {"connection names a thousand", {{"Connection", many_options()}}, Refusal::connection_option},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(check_request(make_request(each.fields)), each.expected);
    EXPECT_FALSE(describe(each.expected).empty());
  }
}

TEST(HeaderRules, ExactlyOneValidHostIsRequired) {
  for (const auto* const good : {"a", "a:80", "a:", "bucket.s3.example.com", "127.0.0.1:9000",
                                 "[::1]", "[::1]:9000", "under_score.x"}) {
    SCOPED_TRACE(good);
    auto request = make_request();
    request.headers.set("Host", good);
    EXPECT_EQ(check_request(request), std::nullopt);
  }
  for (const auto* const bad :
       {"", " ", "a b", "a,b", "a/b", "user@a", "a:b", "a:80:80", ":80", "[", "[]", "[::1",
        "[::1]x", "[g]", "a%20b", "a?b", "\xc3\xa4", "a\\b"}) {
    SCOPED_TRACE(bad);
    auto request = make_request();
    request.headers.set("Host", bad);
    EXPECT_EQ(check_request(request), Refusal::host);
  }
  auto missing = make_request();
  missing.headers.remove("Host");
  EXPECT_EQ(check_request(missing), Refusal::host);
}

TEST(HeaderRules, TargetsAreOriginFormOfUriBytes) {
  for (const auto* const bad :
       {"", "bucket/key", "http://localhost/bucket/key", "*", "localhost:443", "/a b", "/a\\b",
        "/a#b", "/a\x7f", "/a\tb", "/a\r\nb", "/a?b c"}) {
    SCOPED_TRACE(bad);
    auto request = make_request();
    request.target = bad;
    EXPECT_EQ(check_request(request), Refusal::target);
  }
  for (const auto* const good :
       {"/", "//", "/a/../b", "/a//b?", "/a?b=[c]", "/!$&'()*+,;=:@-._~", "/%zz", "/a|b", "/a\"b",
        "/a<b>", "/a^b`{c}", "/\xc3\xa4", "/a?\xff"}) {
    SCOPED_TRACE(good);
    auto request = make_request();
    request.target = good;
    EXPECT_EQ(check_request(request), std::nullopt);
  }
}

TEST(HeaderRules, MethodAndVersion) {
  auto request = make_request();
  request.method = "GE T";
  EXPECT_EQ(check_request(request), Refusal::method);
  request.method = "";
  EXPECT_EQ(check_request(request), Refusal::method);
  request = make_request();
  request.minor_version = 2;
  EXPECT_EQ(check_request(request), Refusal::version);
  // HTTP/1.0 knows no Transfer-Encoding (RFC 9112 section 6.1).
  request = make_request({{"Transfer-Encoding", "chunked"}});
  request.minor_version = 0;
  EXPECT_EQ(check_request(request), Refusal::transfer_coding);
}

TEST(HeaderRules, RequestFraming) {
  EXPECT_EQ(request_framing(make_request()).value().framing, Framing::none);
  EXPECT_EQ(request_framing(make_request({{"Transfer-Encoding", "chunked"}})).value().framing,
            Framing::chunked);
  const auto length = request_framing(make_request({{"Content-Length", "42"}})).value();
  EXPECT_EQ(length.framing, Framing::length);
  EXPECT_EQ(length.length, 42u);
  EXPECT_EQ(request_framing(make_request({{"Content-Length", "0"}})).value().framing,
            Framing::length);
  EXPECT_FALSE(request_framing(make_request({{"Content-Length", "x"}})));
}

struct ResponseCase {
  std::string_view name;
  std::string_view method;
  int status;
  Fields fields;
  std::optional<Framing> framing;  ///< nullopt: refused
  std::uint64_t length = 0;
  int minor_version = 1;
};

TEST(HeaderRules, ResponseFraming) {
  const Fields chunked{{"Transfer-Encoding", "chunked"}};
  const ResponseCase cases[]{
      {"length", "GET", 200, {{"Content-Length", "5"}}, Framing::length, 5},
      {"no bytes", "GET", 200, {{"Content-Length", "0"}}, Framing::length, 0},
      {"chunked", "GET", 200, chunked, Framing::chunked},
      {"chunked, any case", "GET", 200, {{"transfer-encoding", "CHUNKED"}}, Framing::chunked},
      {"until close", "GET", 200, {}, Framing::until_close},
      {"HEAD", "HEAD", 200, {{"Content-Length", "5"}}, Framing::none},
      {"HEAD, chunked", "HEAD", 200, chunked, Framing::none},
      {"100", "PUT", 100, {}, Framing::none},
      {"103", "GET", 103, {{"Content-Length", "5"}}, Framing::none},
      {"204", "DELETE", 204, {}, Framing::none},
      {"204 with length", "DELETE", 204, {{"Content-Length", "5"}}, Framing::none},
      {"304", "GET", 304, {{"Content-Length", "5"}}, Framing::none},
      {"304, chunked", "GET", 304, chunked, Framing::none},
      {"equal lengths",
       "GET",
       200,
       {{"Content-Length", "5"}, {"Content-Length", "5"}},
       Framing::length,
       5},
      {"equal in a list", "GET", 200, {{"Content-Length", "5, 5"}}, Framing::length, 5},
      {"differing lengths",
       "GET",
       200,
       {{"Content-Length", "5"}, {"Content-Length", "6"}},
       std::nullopt},
      {"differing in a list", "GET", 200, {{"Content-Length", "5, 6"}}, std::nullopt},
      {"negative", "GET", 200, {{"Content-Length", "-5"}}, std::nullopt},
      {"empty length", "GET", 200, {{"Content-Length", ""}}, std::nullopt},
      {"too large", "GET", 200, {{"Content-Length", "99999999999999999999"}}, std::nullopt},
      {"length and coding",
       "GET",
       200,
       {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
       std::nullopt},
      {"gzip", "GET", 200, {{"Transfer-Encoding", "gzip"}}, std::nullopt},
      {"gzip, chunked", "GET", 200, {{"Transfer-Encoding", "gzip, chunked"}}, std::nullopt},
      {"coding in HTTP/1.0", "GET", 200, chunked, std::nullopt, 0, 0},
      {"HTTP/1.0 until close", "GET", 200, {}, Framing::until_close, 0, 0},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const ResponseHead response{.status = each.status,
                                .reason = {},
                                .minor_version = each.minor_version,
                                .headers = make_headers(each.fields)};
    const auto framing = response_framing(each.method, response);
    ASSERT_EQ(static_cast<bool>(framing), each.framing.has_value());
    if (framing) {
      EXPECT_EQ(framing.value().framing, *each.framing);
      EXPECT_EQ(framing.value().length, each.length);
    } else {
      EXPECT_EQ(framing.error(), Errc::protocol);
    }
  }
}

TEST(HeaderRules, WhatWasOneAnswersOwnComesFromTheLast) {
  Headers kept = make_headers({{"ETag", "\"a\""}, {"date", "old"}, {"X-Amz-Id-2", "old"}});
  renew_fields(kept, make_headers({{"Date", "new"},
                                   {"Set-Cookie", "a"},
                                   {"Set-Cookie", "b"},
                                   {"ETag", "\"b\""},
                                   {"x-amz-request-id", "1"}}));
  EXPECT_EQ(kept.value_or_empty("ETag"), "\"a\"");
  EXPECT_EQ(kept.value_or_empty("Date"), "new");
  EXPECT_EQ(kept.count("Set-Cookie"), 2U);
  EXPECT_EQ(kept.value_or_empty("x-amz-request-id"), "1");
  EXPECT_FALSE(kept.contains("x-amz-id-2"));
}

TEST(HeaderRules, AClientsConnectionRemovesNoFieldOfOurs) {
  Headers headers = make_headers({{"Connection", "close, X-Forwarded-For, cache-control, te"},
                                  {"Cache-Control", "no-store"},
                                  {"x-forwarded-for", "client"},
                                  {"TE", "trailers"},
                                  {"User-Agent", "a"}});
  remove_connection_named(headers);
  EXPECT_FALSE(headers.contains("Cache-Control") || headers.contains("X-Forwarded-For"));
  EXPECT_TRUE(headers.contains("TE") && headers.contains("Connection"));
  headers.add("X-Forwarded-For", "ours");
  remove_hop_by_hop(headers);
  EXPECT_EQ(headers.value_or_empty("X-Forwarded-For"), "ours");
  EXPECT_EQ(headers.size(), 2U);
}

}  // namespace
}  // namespace forebay::http
