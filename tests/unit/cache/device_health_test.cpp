#include "cache/device_health.hpp"

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

using std::chrono::seconds;

TEST(DeviceHealth, OnlyErrorsInARowCondemn) {
  DeviceHealth health;
  const TimePoint now{};
  for (int round = 0; round < 5; ++round) {
    for (std::uint32_t i = 0; i + 1 < DeviceHealth::kErrorsMax; ++i) {
      health.began(now);
      EXPECT_FALSE(health.ended(false, now));
    }
    health.began(now);
    EXPECT_FALSE(health.ended(true, now));
  }
  EXPECT_TRUE(health.usable(now));
  int condemned = 0;
  for (int i = 0; i < 20; ++i) {
    health.began(now);
    condemned += health.ended(false, now) ? 1 : 0;
  }
  EXPECT_EQ(condemned, 1) << "said once";
  EXPECT_TRUE(health.failed());
  EXPECT_FALSE(health.usable(now));
}

TEST(DeviceHealth, ADeviceOnWhichNothingEndsIsPassedOverUntilSomethingDoes) {
  DeviceHealth health;
  TimePoint now{seconds{1000}};
  EXPECT_TRUE(health.usable(now)) << "idle for long";
  health.began(now);
  health.began(now);
  EXPECT_TRUE(health.usable(now + DeviceHealth::kWedgedAfter - seconds{1}));
  EXPECT_FALSE(health.usable(now + DeviceHealth::kWedgedAfter));
  now += DeviceHealth::kWedgedAfter + seconds{5};
  health.ended(true, now);
  EXPECT_TRUE(health.usable(now + seconds{1}));
  health.ended(true, now);
  EXPECT_TRUE(health.usable(now + seconds{1000}));
  EXPECT_FALSE(health.failed());
}

}  // namespace
}  // namespace forebay::cache
