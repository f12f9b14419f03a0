#include "proxy/read_plan.hpp"

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

constexpr std::uint64_t kSize = 1000;

origin::Verdict verdict() {
  http::ResponseHead answer;
  answer.status = 200;
  answer.headers.add("ETag", "\"abc\"");
  answer.headers.add("Content-Length", "1000");
  answer.headers.add("Content-Type", "text/plain");
  answer.headers.add("x-amz-checksum-crc32", "AAAAAA==");
  answer.headers.add("Last-Modified", "Fri, 24 May 2013 00:00:00 GMT");
  return *origin::make_verdict(answer);
}

http::RequestHead request(std::initializer_list<std::pair<const char*, const char*>> fields) {
  http::RequestHead head;
  head.method = "GET";
  for (const auto& [name, value] : fields)
    head.headers.add(name, value);
  return head;
}

TEST(ReadPlan, AnswersWholeObjectsAndSingleRanges) {
  struct Case {
    const char* name;
    const char* range;
    int status;
    std::uint64_t first;
    std::uint64_t last;
  };
  for (const Case& c :
       {Case{"closed", "bytes=0-0", 206, 0, 0}, Case{"open", "bytes=990-", 206, 990, 999},
        Case{"suffix", "bytes=-1", 206, 999, 999}, Case{"long suffix", "bytes=-5000", 206, 0, 999},
        Case{"beyond the end", "bytes=5-99999", 206, 5, 999},
        Case{"malformed is ignored", "bytes=5-1", 200, 0, 999},
        Case{"another unit is ignored", "lines=1-2", 200, 0, 999}}) {
    SCOPED_TRACE(c.name);
    const auto plan = plan_read(request({{"Range", c.range}}), verdict());
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->head.status, c.status);
    EXPECT_EQ(plan->range, (http::ByteRange{c.first, c.last}));
    EXPECT_EQ(plan->head.headers.value_or_empty("Content-Length"),
              std::to_string(c.last - c.first + 1));
    EXPECT_EQ(plan->head.headers.contains("Content-Range"), c.status == 206);
    EXPECT_EQ(plan->head.headers.contains("x-amz-checksum-crc32"), c.status == 200);
  }
  const auto whole = plan_read(request({}), verdict());
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->range.length(), kSize);
}

TEST(ReadPlan, LeavesToTheOriginWhatItMustSayItself) {
  struct Case {
    const char* name;
    const char* field;
    const char* value;
  };
  for (const Case& c :
       {Case{"not modified", "If-None-Match", "\"abc\""}, Case{"failed", "If-Match", "\"other\""},
        Case{"weak tag", "If-Match", "W/\"abc\""},
        Case{"list of tags", "If-None-Match", "\"x\", \"y\""},
        Case{"not modified since", "If-Modified-Since", "Sat, 25 May 2013 00:00:00 GMT"},
        Case{"modified since", "If-Unmodified-Since", "Thu, 23 May 2013 00:00:00 GMT"},
        Case{"unsatisfiable", "Range", "bytes=1000-"}, Case{"empty suffix", "Range", "bytes=-0"},
        Case{"several ranges", "Range", "bytes=0-1,5-6"}}) {
    SCOPED_TRACE(c.name);
    EXPECT_FALSE(plan_read(request({{c.field, c.value}}), verdict()));
  }
}

TEST(ReadPlan, GoesOnWhereConditionsHold) {
  for (const auto& [name, value] :
       {std::pair{"If-Match", "\"abc\""}, std::pair{"If-None-Match", "\"other\""},
        std::pair{"If-Modified-Since", "Thu, 23 May 2013 00:00:00 GMT"}}) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(plan_read(request({{name, value}}), verdict()));
  }
}

TEST(ReadPlan, IfRangeMustMatchOrBeForwarded) {
  const auto same =
      plan_read(request({{"Range", "bytes=0-9"}, {"If-Range", "\"abc\""}}), verdict());
  ASSERT_TRUE(same);
  EXPECT_EQ(same->head.status, 206);
  // Not every origin looks at If-Range.
  EXPECT_FALSE(plan_read(request({{"Range", "bytes=0-9"}, {"If-Range", "\"old\""}}), verdict()));
  EXPECT_FALSE(plan_read(
      request({{"Range", "bytes=0-9"}, {"If-Range", "Fri, 24 May 2013 00:00:00 GMT"}}), verdict()));
}

TEST(ReadPlan, APartIsItsLookupsRange) {
  http::ResponseHead answer;
  answer.status = 206;
  answer.headers.add("ETag", "\"abc-2\"");
  answer.headers.add("Content-Length", "400");
  answer.headers.add("Content-Range", "bytes 600-999/1000");
  answer.headers.add("x-amz-mp-parts-count", "2");
  const auto part = origin::make_verdict(answer);
  ASSERT_TRUE(part);
  const auto plan = plan_read(request({}), *part);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->head.status, 206);
  EXPECT_EQ(plan->head.headers.value_or_empty("Content-Range"), "bytes 600-999/1000");
  EXPECT_EQ(plan->head.headers.value_or_empty("x-amz-mp-parts-count"), "2");
  EXPECT_FALSE(plan_read(request({{"Range", "bytes=0-1"}}), *part));
}

TEST(ReadPlan, AnEmptyObjectIsTheOriginsToAnswer) {
  http::ResponseHead answer;
  answer.status = 200;
  answer.headers.add("ETag", "\"abc\"");
  answer.headers.add("Content-Length", "0");
  EXPECT_FALSE(plan_read(request({}), *origin::make_verdict(answer)));
}

TEST(RequestedLength, IsKnownForClosedAndSuffixRangesOnly) {
  EXPECT_EQ(requested_length(request({{"Range", "bytes=5-9"}})), 5U);
  EXPECT_EQ(requested_length(request({{"Range", "bytes=-7"}})), 7U);
  EXPECT_FALSE(requested_length(request({{"Range", "bytes=7-"}})));
  EXPECT_FALSE(requested_length(request({})));
}

}  // namespace
}  // namespace forebay::proxy
