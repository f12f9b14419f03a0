#include "s3/sigv4_canonical.hpp"

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

http::RequestHead make_request(std::string target) {
  http::RequestHead request{.method = "GET", .target = std::move(target), .headers = {}};
  request.headers.add("Host", "h");
  return request;
}

Outcome<CanonicalRequest> canonical(const http::RequestHead& request,
                                    const std::vector<std::string>& signed_headers) {
  return canonical_request(request, FieldIndex{request.headers}, signed_headers, "HASH");
}

/// Line `index` of the canonical request.
std::string line(const http::RequestHead& request, int index,
                 const std::vector<std::string>& signed_headers = {"host"}) {
  std::string text = canonical(request, signed_headers).value().beginning();
  for (int i = 0; i < index; ++i)
    text.erase(0, text.find('\n') + 1);
  return text.substr(0, text.find('\n'));
}

TEST(Canonical, ThePathIsDecodedAndEncodedOnce) {
  struct Case {
    std::string_view path, expected;
  };
  const Case cases[]{
      {"/", "/"},
      {"/b/a//b/./../c", "/b/a//b/./../c"},
      {"/b/a%2Fb", "/b/a/b"},
      {"/b/a+b", "/b/a%2Bb"},
      {"/b/a%2bb", "/b/a%2Bb"},
      {"/b/(a)!*'", "/b/%28a%29%21%2A%27"},
      {"/b/%7Ea~", "/b/~a~"},
      {"/b/%252F", "/b/%252F"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.path);
    EXPECT_EQ(line(make_request(std::string{each.path}), 1), each.expected);
  }
}

TEST(Canonical, TheQueryIsSortedByEncodedNameAndValue) {
  struct Case {
    std::string_view query, expected;
  };
  const Case cases[]{
      {"", ""},
      {"uploads", "uploads="},
      {"uploads=", "uploads="},
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&a=1&a", "a=&a=1&a=2"},
      {"a=1&B=2", "B=2&a=1"},
      {"a-b=1&a=2", "a=2&a-b=1"},
      // '%' sorts before the letters and digits, so the order is that of the encoded names.
      {"aa=1&a%C3%A4=2", "a%C3%A4=2&aa=1"},
      {"k=a+b%20c/d~", "k=a%2Bb%20c%2Fd~"},
      {"X-Amz-Signature=s&x=1", "x=1"},
      {"x-amz-signature=s", "x-amz-signature=s"},
      {"&&a=1&", "a=1"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.query);
    EXPECT_EQ(line(make_request("/?" + std::string{each.query}), 2), each.expected);
  }
}

TEST(Canonical, HeadersAreCollapsedAndJoined) {
  auto request = make_request("/");
  request.headers.add("X-Amz-Meta-A", " \t a   b \t c ");
  request.headers.add("x-amz-meta-b", "1");
  request.headers.add("X-AMZ-META-B", " 2 ");
  EXPECT_EQ(line(request, 3, {"x-amz-meta-a"}), "x-amz-meta-a:a b c");
  EXPECT_EQ(line(request, 3, {"x-amz-meta-b"}), "x-amz-meta-b:1,2");
  EXPECT_EQ(line(request, 3, {"absent"}), "absent:");
}

TEST(Canonical, TheWholeHasItsLinesInOrder) {
  auto request = make_request("/b?a");
  request.headers.add("Range", "bytes=0-9");
  EXPECT_EQ(canonical(request, {"host", "range"}).value().beginning(),
            "GET\n/b\na=\nhost:h\nrange:bytes=0-9\n\nhost;range\nHASH");
}

TEST(Canonical, OnlyTheBeginningOfALongOneIsKept) {
  for (const std::size_t size : {std::size_t{1}, CanonicalRequest::kKept - 1,
                                 CanonicalRequest::kKept, 10 * CanonicalRequest::kKept}) {
    SCOPED_TRACE(size);
    const std::string text(size, 'x');
    CanonicalRequest whole;
    whole.append(text).append("y").append("");
    CanonicalRequest pieces;
    for (const char c : text)
      pieces.append(std::string_view{&c, 1});
    pieces.append("y");
    EXPECT_EQ(whole.beginning(), (text + "y").substr(0, CanonicalRequest::kKept));
    EXPECT_EQ(pieces.beginning(), whole.beginning());
    EXPECT_EQ(whole.finish(), sha256_hex(text + "y"));
    EXPECT_EQ(pieces.finish(), sha256_hex(text + "y"));
  }
}

TEST(Canonical, BadEscapesAreRefused) {
  for (const auto* const target : {"/%", "/%zz", "/?a=%", "/?%2"}) {
    SCOPED_TRACE(target);
    const auto refused = canonical(make_request(target), {"host"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_uri);
  }
}

TEST(Canonical, DerivedKeysAreKeptApart) {
  // More triples than the cache holds, each signed twice: a cached key must be its own.
  std::vector<std::string> first;
  for (int i = 0; i < 600; ++i)
    first.push_back(signature("secret", "20130524", "r" + std::to_string(i), "text"));
  for (int i = 599; i >= 0; --i)
    EXPECT_EQ(signature("secret", "20130524", "r" + std::to_string(i), "text"), first[i]);
  const auto base = signature("secret", "20130524", "r", "text");
  EXPECT_NE(signature("secreT", "20130524", "r", "text"), base);
  EXPECT_NE(signature("secret", "20130525", "r", "text"), base);
  EXPECT_NE(signature("secret", "20130524", "s", "text"), base);
  EXPECT_NE(signature("secret", "20130524", "rr", "text"), base);
  EXPECT_NE(signature("rsecret", "20130524", "", "text"), base);
  EXPECT_NE(signature("secret", "20130524", "r", "texT"), base);
  EXPECT_EQ(signature("secret", "20130524", "r", "text"), base);
}

}  // namespace
}  // namespace forebay::s3
