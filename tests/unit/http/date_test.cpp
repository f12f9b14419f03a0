#include <forebay/base/errc.hpp>
#include <forebay/http/date.hpp>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

constexpr sys_seconds kExample{std::chrono::seconds{784111777}};  // RFC 9110 section 5.6.7

TEST(Date, ReadsTheThreeForms) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT").value(), kExample);
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT").value(), kExample);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994").value(), kExample);
  EXPECT_EQ(parse_date("Wed Nov 16 08:49:37 1994").value(), kExample + std::chrono::days{10});
}

TEST(Date, TwoDigitYearsBelowSeventyAreOfThisCentury) {
  EXPECT_EQ(format_date(parse_date("Sunday, 06-Nov-69 08:49:37 GMT").value()),
            "Wed, 06 Nov 2069 08:49:37 GMT");
  EXPECT_EQ(format_date(parse_date("Sunday, 06-Nov-70 08:49:37 GMT").value()),
            "Fri, 06 Nov 1970 08:49:37 GMT");
}

TEST(Date, FormatsTheFixedForm) {
  EXPECT_EQ(format_date(kExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(sys_seconds{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(sys_seconds{std::chrono::seconds{1709251199}}),
            "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(Date, RoundTripsEveryMonthAndWeekday) {
  for (int day = 0; day < 800; ++day) {
    const auto time = kExample + std::chrono::days{day} + std::chrono::seconds{day * 61};
    SCOPED_TRACE(format_date(time));
    EXPECT_EQ(parse_date(format_date(time)).value(), time);
  }
}

TEST(Date, RefusesEverythingElse) {
  for (const auto* const text : {"",
                                 "0",
                                 "Sun, 06 Nov 1994 08:49:37",
                                 "Sun, 06 Nov 1994 08:49:37 UTC",
                                 "Sun, 06 Nov 1994 08:49:37 GMT ",
                                 " Sun, 06 Nov 1994 08:49:37 GMT",
                                 "sun, 06 nov 1994 08:49:37 gmt",
                                 "Sun, 6 Nov 1994 08:49:37 GMT",
                                 "Sun, 31 Feb 1994 08:49:37 GMT",
                                 "Sun, 00 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 24:00:00 GMT",
                                 "Sun, 06 Nov 1994 08:60:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:61 GMT",
                                 "Fri, 31 Dec 9999 23:59:60 GMT",
                                 "Sun, 06 Nov 94 08:49:37 GMT",
                                 "Sun, 06-Nov-1994 08:49:37 GMT",
                                 "Xyz, 06 Nov 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 +8:49:37 GMT",
                                 "Sun Nov 6 08:49:37 1994",
                                 "1994-11-06T08:49:37Z",
                                 "Sun, 06 Nov 1994 08:49:37 +0000"}) {
    SCOPED_TRACE(text);
    const auto parsed = parse_date(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), Errc::protocol);
  }
}

TEST(Date, EveryTruncationIsRefused) {
  for (const std::string_view whole :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"}) {
    for (std::size_t length = 0; length < whole.size(); ++length)
      EXPECT_FALSE(parse_date(whole.substr(0, length))) << whole.substr(0, length);
  }
}

}  // namespace
}  // namespace forebay::http
