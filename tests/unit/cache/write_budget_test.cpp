#include "cache/write_budget.hpp"

#include "cache/slab_layout.hpp"

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

constexpr std::uint64_t kDevice = 80 * GiB;

TEST(WriteBudget, StartsWithAnEighthOfTheDevice) {
  const TimePoint start{};
  WriteBudget budget{kDevice, 1.0, start};
  EXPECT_TRUE(budget.take(kDevice / 8, start));
  EXPECT_FALSE(budget.has(1, start));
}

TEST(WriteBudget, RefillsAtTheConfiguredRateUpToItsCapacity) {
  const TimePoint start{};
  WriteBudget budget{kDevice, 2.0, start};
  ASSERT_TRUE(budget.take(kDevice / 8, start));
  const TimePoint later =
      start + std::chrono::minutes{36};  // 1/40 of a day: a twentieth of the device
  EXPECT_TRUE(budget.has(kDevice / 20, later));
  EXPECT_FALSE(budget.has(kDevice / 20 + MiB, later));
  EXPECT_FALSE(budget.has(kDevice / 8 + 1, start + std::chrono::hours{1000}));
}

TEST(WriteBudget, TakingMoreThanThereIsTakesNothing) {
  const TimePoint start{};
  WriteBudget budget{kDevice, 1.0, start};
  EXPECT_FALSE(budget.take(kDevice, start));
  EXPECT_TRUE(budget.take(kDevice / 8, start));
}

TEST(WriteBudget, ASmallDeviceMayTurnOverSixteenBlocks) {
  WriteBudget budget{64 * MiB, 1.0, TimePoint{}};
  EXPECT_TRUE(budget.take(16 * kSlotSize, TimePoint{}));
}

TEST(WriteBudget, ARateOfZeroNeverOverwrites) {
  WriteBudget budget{kDevice, 0, TimePoint{}};
  EXPECT_FALSE(budget.has(1, TimePoint{} + std::chrono::hours{1000}));
}

}  // namespace
}  // namespace forebay::cache
