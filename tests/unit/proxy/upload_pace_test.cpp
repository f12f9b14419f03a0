#include "proxy/upload_pace.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kRate = 1'000;
constexpr milliseconds kGrace{30'000};

/// The time that is left at `pace`.
Clock::duration left(const UploadPace& pace) {
  const TimePoint now{};
  return pace.deadline(now).when() - now;
}

TEST(UploadPace, SilenceEndsWithTheGracePeriod) {
  UploadPace pace{kRate, kGrace};
  EXPECT_EQ(left(pace), seconds{30});
  pace.waited(seconds{10});
  EXPECT_EQ(left(pace), seconds{20});
  pace.waited(seconds{25});
  EXPECT_EQ(left(pace), seconds{0});
}

TEST(UploadPace, AByteNowAndThenBuysNothing) {
  UploadPace pace{kRate, kGrace};
  for (int i = 0; i < 31; ++i) {
    pace.waited(seconds{1});
    pace.received(1);
  }
  EXPECT_LT(left(pace), milliseconds{2});
}

TEST(UploadPace, TheMinimumRateIsEnoughForever) {
  UploadPace pace{kRate, kGrace};
  for (int i = 0; i < 10'000; ++i) {
    pace.waited(seconds{5});
    pace.received(5 * kRate);
    ASSERT_EQ(left(pace), seconds{30});
  }
}

TEST(UploadPace, ABurstBuysNoMoreThanTheGracePeriod) {
  UploadPace pace{kRate, kGrace};
  pace.waited(seconds{29});
  pace.received(std::uint64_t{1} << 62U);
  EXPECT_EQ(left(pace), seconds{30});
  pace.waited(seconds{31});
  EXPECT_EQ(left(pace), seconds{0});
}

TEST(UploadPace, WithoutARateNothingIsTooSlow) {
  UploadPace pace{0, kGrace};
  pace.waited(seconds{1'000'000});
  pace.received(1);
  EXPECT_EQ(pace.deadline(TimePoint{}).when(), TimePoint::max());
}

}  // namespace
}  // namespace forebay::proxy
