#include <forebay/base/errc.hpp>
#include <forebay/http/range.hpp>

#include <limits>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

using Kind = RangeRequest::Kind;
using Form = RangeSpec::Form;
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

RangeSpec closed(std::uint64_t first, std::uint64_t last) {
  return {.form = Form::closed, .first = first, .last = last};
}
RangeSpec open(std::uint64_t first) {
  return {.form = Form::open, .first = first};
}
RangeSpec suffix(std::uint64_t length) {
  return {.form = Form::suffix, .length = length};
}

TEST(Range, ReadsOneRangeOfEachForm) {
  struct Case {
    std::string_view value;
    RangeSpec spec;
  };
  const Case cases[]{
      {"bytes=0-0", closed(0, 0)},
      {"bytes=0-9", closed(0, 9)},
      {"bytes=9-9", closed(9, 9)},
      {"bytes=007-0010", closed(7, 10)},
      {"Bytes=0-9", closed(0, 9)},
      {"bytes= 0-9\t", closed(0, 9)},
      {"bytes=0-", open(0)},
      {"bytes=5-", open(5)},
      {"bytes=-0", suffix(0)},
      {"bytes=-5", suffix(5)},
      {"bytes=0-9223372036854775807", closed(0, kMax)},
      {"bytes=-9223372036854775807", suffix(kMax)},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.value);
    const auto request = parse_range(each.value);
    EXPECT_EQ(request.kind, Kind::single);
    EXPECT_EQ(request.spec, each.spec);
  }
}

TEST(Range, IgnoresWhatIsMalformedOrInAnotherUnit) {
  for (const auto* const value : {"",
                                  "bytes",
                                  "bytes=",
                                  "bytes=-",
                                  "bytes=a-b",
                                  "bytes=1",
                                  "bytes=2-1",
                                  "bytes=+1-2",
                                  "bytes=1-+2",
                                  "bytes=1--2",
                                  "bytes=--1",
                                  "bytes=1 -2",
                                  "bytes=1- 2",
                                  "bytes=0x1-2",
                                  "bytes=1-2-3",
                                  "bytes 0-9",
                                  "bytes =0-9",
                                  " bytes=0-9",
                                  "items=0-9",
                                  "=0-9",
                                  "0-9",
                                  "bytes=1.0-2",
                                  "bytes=99999999999999999999-1"}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(parse_range(value).kind, Kind::none);
  }
}

TEST(Range, EveryTruncationIsIgnoredOrAWellFormedRange) {
  const std::string_view whole = "bytes=100-299";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    const auto request = parse_range(whole.substr(0, length));
    const auto expected = length == 10 ? open(100) : RangeSpec{};
    // "bytes=100-2" and "bytes=100-29" end before they begin.
    EXPECT_EQ(request.kind, length == 10 ? Kind::single : Kind::none);
    EXPECT_EQ(request.spec, expected);
  }
}

TEST(Range, ListsAreForTheOrigin) {
  for (const auto* const value :
       {"bytes=0-1,4-5", "bytes=0-1, -5", "bytes=0-9,", "bytes=,", "bytes=a,b",
        // Numbers beyond 63 bits: some origins cut them, some take them for no range.
        "bytes=0-9223372036854775808", "bytes=0-18446744073709551615",
        "bytes=0-99999999999999999999", "bytes=99999999999999999999-",
        "bytes=-99999999999999999999"}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(parse_range(value).kind, Kind::multiple);
  }
}

TEST(Range, ReadsARequest) {
  Headers headers;
  EXPECT_EQ(parse_range(headers).kind, Kind::none);
  headers.add("RANGE", "bytes=1-2");
  EXPECT_EQ(parse_range(headers).spec, closed(1, 2));
  headers.add("Range", "bytes=1-2");
  EXPECT_EQ(parse_range(headers).kind, Kind::multiple);
}

TEST(Range, ResolvesAgainstTheSize) {
  struct Case {
    std::string_view name;
    RangeSpec spec;
    std::uint64_t size;
    std::optional<ByteRange> expected;
  };
  const Case cases[]{
      {"inside", closed(2, 5), 10, ByteRange{2, 5}},
      {"whole", closed(0, 9), 10, ByteRange{0, 9}},
      {"end cut", closed(2, 10), 10, ByteRange{2, 9}},
      {"end far behind", closed(2, kMax), 10, ByteRange{2, 9}},
      {"last byte", closed(9, 9), 10, ByteRange{9, 9}},
      {"at the end", closed(10, 10), 10, std::nullopt},
      {"behind the end", closed(11, 20), 10, std::nullopt},
      {"first at the largest", closed(kMax, kMax), 10, std::nullopt},
      {"open from the start", open(0), 10, ByteRange{0, 9}},
      {"open at the last byte", open(9), 10, ByteRange{9, 9}},
      {"open at the end", open(10), 10, std::nullopt},
      {"suffix", suffix(3), 10, ByteRange{7, 9}},
      {"suffix of one", suffix(1), 10, ByteRange{9, 9}},
      {"suffix as large", suffix(10), 10, ByteRange{0, 9}},
      {"suffix larger", suffix(11), 10, ByteRange{0, 9}},
      {"suffix at the largest", suffix(kMax), 10, ByteRange{0, 9}},
      {"suffix of nothing", suffix(0), 10, std::nullopt},
      {"empty, closed", closed(0, 0), 0, std::nullopt},
      {"empty, open", open(0), 0, std::nullopt},
      {"empty, suffix", suffix(1), 0, std::nullopt},
      {"one byte", suffix(1), 1, ByteRange{0, 0}},
      {"largest size", open(kMax - 1), kMax, ByteRange{kMax - 1, kMax - 1}},
      {"largest size, suffix", suffix(kMax), kMax, ByteRange{0, kMax - 1}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(resolve(each.spec, each.size), each.expected);
  }
}

TEST(Range, LengthCountsBothEnds) {
  EXPECT_EQ((ByteRange{3, 3}.length()), 1u);
  EXPECT_EQ((ByteRange{0, 9}.length()), 10u);
}

TEST(Range, FormatIsWhatParseReads) {
  for (const auto* const value : {"bytes=0-9", "bytes=5-", "bytes=-5"}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(format_range(parse_range(value).spec), value);
  }
  EXPECT_EQ(format_range(ByteRange{4, 7}), "bytes=4-7");
}

TEST(ContentRange, RoundTrips) {
  const ContentRange range{.range = {0, 9}, .total = 100};
  EXPECT_EQ(format_content_range(range), "bytes 0-9/100");
  EXPECT_EQ(parse_content_range("bytes 0-9/100").value(), range);
  EXPECT_EQ(parse_content_range("bytes 99-99/100").value().range, (ByteRange{99, 99}));
  EXPECT_EQ(format_unsatisfied_range(0), "bytes */0");
}

TEST(ContentRange, RefusesWhatIsNotExact) {
  for (const auto* const value : {"",
                                  "bytes",
                                  "bytes ",
                                  "bytes 0-9",
                                  "bytes 0-9/",
                                  "bytes 0-9/*",
                                  "bytes */100",
                                  "bytes 9-0/100",
                                  "bytes 0-100/100",
                                  "bytes 0-0/0",
                                  "bytes -9/100",
                                  "bytes 0-/100",
                                  "bytes  0-9/100",
                                  "bytes=0-9/100",
                                  "bytes 0-9/100 ",
                                  "items 0-9/100",
                                  "bytes 0-9/+100",
                                  "bytes 0-9/18446744073709551616",
                                  "0-9/100",
                                  "bytes 0/9-100",
                                  "-/ bytes"}) {
    SCOPED_TRACE(value);
    const auto parsed = parse_content_range(value);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), Errc::protocol);
  }
}

}  // namespace
}  // namespace forebay::http
