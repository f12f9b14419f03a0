#include <forebay/base/units.hpp>

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Units, SizesAreReadWithBinaryAndDecimalUnits) {
  struct Case {
    const char* text;
    std::uint64_t bytes;
  };
  for (const Case& c :
       {Case{"0", 0}, Case{"4096", 4096}, Case{"128KiB", 131072}, Case{"4MiB", 4194304},
        Case{"1GiB", 1073741824}, Case{"2TiB", 2199023255552}, Case{"5MB", 5000000},
        Case{"1TB", 1000000000000}}) {
    SCOPED_TRACE(c.text);
    ASSERT_TRUE(parse_size(c.text));
    EXPECT_EQ(parse_size(c.text).value(), c.bytes);
  }
}

TEST(Units, WhatIsNoSizeIsRefused) {
  for (const char* text : {"", "MiB", "-1", "+1", "1.5GiB", "1 GiB", "1gib", "4M", "4MiBs",
                           "18446744073709551616", "99999999999TiB"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_size(text));
  }
}

TEST(Units, SizesAreWrittenInTheShortestExactForm) {
  for (const char* text : {"0", "4095", "128KiB", "4MiB", "1025MiB", "1GiB", "3TiB"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(format_size(parse_size(text).value()), text);
  }
}

TEST(Units, DurationsRoundTrip) {
  for (const char* text : {"0s", "250ms", "5s", "90s", "2m", "1h", "1d"}) {
    SCOPED_TRACE(text);
    ASSERT_TRUE(parse_duration(text));
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  }
  EXPECT_EQ(parse_duration("0").value(), milliseconds{0});
}

TEST(Units, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "5", "s", "-5s", "1.5s", "5 s", "5sec", "9999999999d"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_duration(text));
  }
}

}  // namespace
}  // namespace forebay
