#include "proxy/answer_memo.hpp"

#include <forebay/http/date.hpp>

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

constexpr std::string_view kModified = "Fri, 24 May 2013 00:00:00 GMT";

http::ResponseHead answer(std::string_view extra = {}) {
  http::ResponseHead head;
  head.status = 200;
  for (const auto& [name, value] : {std::pair{"Content-Length", "9"},
                                    {"ETag", "\"e\""},
                                    {"Set-Cookie", "c"},
                                    {"x-amz-request-id", "1"},
                                    {"Date", "Fri, 24 May 2013 01:00:00 GMT"}})
    head.headers.add(name, value);
  head.headers.add("Last-Modified", std::string{kModified});
  head.headers.add("x-amz-meta-a", std::string{extra});
  return head;
}

http::ResponseHead not_modified(std::string_view modified = kModified) {
  http::ResponseHead head;
  head.status = 304;
  head.headers.add("Last-Modified", std::string{modified});
  return head;
}

void note(AnswerMemo& memo, const http::ResponseHead& head) {
  memo.note("name", head, origin::make_verdict(head).value());
}

TEST(AnswerMemo, KeepsNothingThatWasOneAnswersOwn) {
  AnswerMemo memo;
  note(memo, answer("v"));
  const auto noted = memo.find("name", not_modified());
  ASSERT_TRUE(noted);
  EXPECT_EQ(noted->headers.value_or_empty("x-amz-meta-a"), "v");
  for (const auto* const own : {"Date", "Set-Cookie", "x-amz-request-id"})
    EXPECT_FALSE(noted->headers.contains(own)) << own;
}

TEST(AnswerMemo, AnotherDateProvesNothing) {
  AnswerMemo memo;
  note(memo, answer());
  EXPECT_FALSE(memo.find("name", not_modified("Fri, 24 May 2013 00:00:01 GMT")));
  EXPECT_FALSE(memo.find("another", not_modified()));
}

TEST(AnswerMemo, AHeadThatIsTooLargeIsForgotten) {
  AnswerMemo memo;
  note(memo, answer());
  note(memo, answer(std::string(4096, 'x')));
  EXPECT_FALSE(memo.find("name", not_modified())) << "the smaller one before it is stale";
}

TEST(AnswerMemo, NamesAreShortAndTellCallersAndFieldsApart) {
  http::RequestHead request{.method = "GET", .target = "/b/k?x-id=1", .headers = {}};
  request.headers.add("Host", "h");
  const std::string name = answer_name(request, "AK");
  EXPECT_LE(name.size(), 64U);
  EXPECT_NE(answer_name(request, "AK2"), name);
  auto other = request;
  other.target = "/b/k?x-id=" + std::string(24'000, 'A');
  EXPECT_EQ(answer_name(other, "AK"), name);
  other = request;
  other.headers.add("Range", "bytes=0-9");
  EXPECT_NE(answer_name(other, "AK"), name);
  other = request;
  other.target = "/b/k?versionId=1";
  EXPECT_NE(answer_name(other, "AK"), name);
}

}  // namespace
}  // namespace forebay::proxy
