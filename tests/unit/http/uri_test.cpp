#include <forebay/base/errc.hpp>
#include <forebay/http/uri.hpp>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

TEST(Uri, EncodesEverythingButTheUnreserved) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b+c/d%e"), "a%20b%2Bc%2Fd%25e");
  EXPECT_EQ(percent_encode("a/b c", Slash::keep), "a/b%20c");
  EXPECT_EQ(percent_encode("\xc3\xa4\x7f!'()*"), "%C3%A4%7F%21%27%28%29%2A");
  EXPECT_EQ(percent_encode(""), "");
}

TEST(Uri, EveryByteRoundTrips) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)).value(), all);
  EXPECT_EQ(percent_decode(percent_encode(all, Slash::keep)).value(), all);
}

TEST(Uri, DecodesOnceAndLeavesThePlusAlone) {
  EXPECT_EQ(percent_decode("a%20b").value(), "a b");
  EXPECT_EQ(percent_decode("%2f%2F").value(), "//");
  EXPECT_EQ(percent_decode("a+b").value(), "a+b");
  EXPECT_EQ(percent_decode("%2525").value(), "%25");
  EXPECT_EQ(percent_decode("%00").value(), std::string(1, '\0'));
}

TEST(Uri, RefusesHalfAnEscape) {
  for (const auto* const text : {"%", "%2", "a%", "a%f", "%zz", "%2g", "%g2", "%%20", "% 2"}) {
    SCOPED_TRACE(text);
    const auto decoded = percent_decode(text);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error(), Errc::protocol);
    EXPECT_FALSE(parse_query(text));
    EXPECT_FALSE(parse_query(std::string{"a="} + text));
  }
}

TEST(Uri, NeverReadsBehindTheView) {
  const std::string_view whole = "a%20";
  EXPECT_FALSE(percent_decode(whole.substr(0, 2)));
  EXPECT_FALSE(percent_decode(whole.substr(0, 3)));
}

TEST(Uri, QueriesKeepOrderDuplicatesAndBareNames) {
  const auto query = parse_query("b=2&uploads&a=&b=1%3D%26&c=x=y").value();
  const Query expected{{.name = "b", .value = "2"},
                       {.name = "uploads", .value = "", .bare = true},
                       {.name = "a", .value = ""},
                       {.name = "b", .value = "1=&"},
                       {.name = "c", .value = "x=y"}};
  EXPECT_EQ(query, expected);
  EXPECT_EQ(find(query, "b")->value, "2");
  EXPECT_EQ(find(query, "B"), nullptr);
}

TEST(Uri, QueriesRoundTrip) {
  for (const auto* const text :
       {"", "uploads", "uploads=", "a=1&b=2", "a=%20%2B%25&b", "=x", "="}) {
    SCOPED_TRACE(text);
    const auto query = parse_query(text).value();
    const auto formatted = format_query(query);
    EXPECT_EQ(parse_query(formatted).value(), query);
  }
  EXPECT_EQ(format_query(parse_query("a=1+2&&b&").value()), "a=1%2B2&b");
}

TEST(Uri, TargetsSplitAtTheFirstQuestionMark) {
  EXPECT_EQ(split_target("/a/b").path, "/a/b");
  EXPECT_EQ(split_target("/a/b").query, std::nullopt);
  EXPECT_EQ(split_target("/a?").query, "");
  EXPECT_EQ(split_target("/a?b?c").path, "/a");
  EXPECT_EQ(split_target("/a?b?c").query, "b?c");
}

}  // namespace
}  // namespace forebay::http
