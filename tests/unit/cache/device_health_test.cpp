#include "cache/device_health.hpp"

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

using std::chrono::seconds;
using Direction = DeviceHealth::Direction;

constexpr milliseconds kStall{500};
constexpr TimePoint kStart{seconds{1000}};

DeviceHealth::Change operate(DeviceHealth& health, Direction direction, bool ok, TimePoint now) {
  health.began(now);
  return health.ended(direction, ok, now);
}

TEST(DeviceHealth, OnlyReadErrorsInARowCondemn) {
  DeviceHealth health{kStall};
  for (int round = 0; round < 5; ++round) {
    for (std::uint32_t i = 0; i + 1 < DeviceHealth::kReadErrorsMax; ++i) {
      EXPECT_FALSE(operate(health, Direction::read, false, kStart).condemned);
      EXPECT_FALSE(operate(health, Direction::write, false, kStart).condemned);
    }
    EXPECT_FALSE(operate(health, Direction::read, true, kStart).condemned);
  }
  EXPECT_TRUE(health.readable());
  int condemned = 0;
  for (int i = 0; i < 20; ++i)
    condemned += operate(health, Direction::read, false, kStart).condemned ? 1 : 0;
  EXPECT_EQ(condemned, 1) << "said once";
  EXPECT_TRUE(health.failed());
  EXPECT_FALSE(health.readable());
  EXPECT_FALSE(health.may_write(kStart + seconds{1000}));
}

/// Looks as the operations under way do, from `now` on.
bool finds_stall(DeviceHealth& health, TimePoint now) {
  return health.look(now) || health.look(now + DeviceHealth::kGrace);
}

TEST(DeviceHealth, ADeviceOnWhichNothingEndsHasStalledUntilAsManyHaveEnded) {
  DeviceHealth health{kStall};
  EXPECT_FALSE(finds_stall(health, kStart)) << "idle for long";
  health.began(kStart);
  health.began(kStart);
  health.began(kStart);
  EXPECT_EQ(health.next_look(kStart), kStart + kStall);
  EXPECT_FALSE(finds_stall(health, kStart + kStall - seconds{1}));
  EXPECT_FALSE(health.look(kStart + kStall)) << "completions may wait for a loop that is late";
  EXPECT_TRUE(health.readable());
  EXPECT_TRUE(health.look(kStart + kStall + DeviceHealth::kGrace));
  EXPECT_FALSE(health.look(kStart + 2 * kStall)) << "said once";
  EXPECT_FALSE(health.readable());
  EXPECT_FALSE(health.may_write(kStart + 2 * kStall));
  const TimePoint back = kStart + seconds{60};
  // What recovery starts meanwhile does not put the end off.
  EXPECT_FALSE(health.ended(Direction::read, true, back).recovered);
  health.began(back);
  EXPECT_FALSE(health.ended(Direction::read, true, back).recovered);
  EXPECT_FALSE(health.readable());
  EXPECT_TRUE(health.ended(Direction::write, true, back).recovered);
  EXPECT_TRUE(health.readable());
  EXPECT_FALSE(finds_stall(health, back + kStall - seconds{1}));
  EXPECT_TRUE(finds_stall(health, back + kStall)) << "the one that is left";
}

TEST(DeviceHealth, AnyProgressPutsAStallOff) {
  DeviceHealth health{kStall};
  for (int i = 0; i < 200; ++i)
    health.began(kStart);
  TimePoint now = kStart;
  for (int i = 0; i < 199; ++i) {
    now += kStall - milliseconds{1};
    EXPECT_FALSE(finds_stall(health, now - DeviceHealth::kGrace));
    health.ended(Direction::read, true, now);
  }
  EXPECT_TRUE(health.readable());
}

TEST(DeviceHealth, AFailedWriteClosesForWritingAndOneIsLetThroughNowAndThen) {
  DeviceHealth health{kStall};
  TimePoint now = kStart;
  EXPECT_TRUE(health.begin_write(now));
  EXPECT_TRUE(operate(health, Direction::write, false, now).closed);
  EXPECT_TRUE(health.readable());
  EXPECT_FALSE(health.writable());
  // Others that were on their way say nothing new.
  EXPECT_FALSE(operate(health, Direction::write, false, now).closed);
  for (seconds wait = DeviceHealth::kRetryMin; wait < DeviceHealth::kRetryMax; wait *= 2) {
    EXPECT_FALSE(health.begin_write(now + wait - milliseconds{1}));
    now += wait;
    EXPECT_TRUE(health.may_write(now));
    EXPECT_TRUE(health.begin_write(now));
    EXPECT_FALSE(health.begin_write(now)) << "one";
    EXPECT_FALSE(operate(health, Direction::write, false, now).closed);
  }
  now += DeviceHealth::kRetryMax;
  EXPECT_TRUE(health.begin_write(now));
  EXPECT_TRUE(operate(health, Direction::write, true, now).opened);
  EXPECT_TRUE(health.writable());
  EXPECT_TRUE(health.begin_write(now));
  EXPECT_TRUE(health.begin_write(now));
}

}  // namespace
}  // namespace forebay::cache
