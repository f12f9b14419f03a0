#include "cache/slot_order.hpp"

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

using std::chrono::seconds;

constexpr SlotOrder::Limits kLimits{.unread_max = 2, .unused_for = seconds{10}};

class SlotOrderTest : public testing::Test {
 protected:
  void place(std::uint32_t slot, Placement placement) {
    order.begin(slot, placement);
    order.enter(slot, placement, now);
  }
  /// Whose block would give way, or kNone.
  std::uint32_t victim(Placement placement) const {
    const std::uint32_t slot = order.victims(placement).coldest();
    return order.may_give_way(slot, placement, now) ? slot : Lru::kNone;
  }

  TimePoint now{};
  SlotOrder order{8, kLimits, now};
};

TEST_F(SlotOrderTest, WhatWasFoundIsOldAtOnceAndWhatIsUsedAfterAWhile) {
  order.enter_found(0);
  EXPECT_EQ(victim(Placement::cold), 0U);
  order.touch(0, now);
  EXPECT_EQ(victim(Placement::hot), 0U);
  EXPECT_EQ(victim(Placement::cold), Lru::kNone);
  now += seconds{10};
  EXPECT_EQ(victim(Placement::cold), 0U);
}

TEST_F(SlotOrderTest, WhatCameAheadIsNotTheNextVictim) {
  place(0, Placement::hot);
  place(1, Placement::cold);
  EXPECT_EQ(victim(Placement::hot), 0U);
}

TEST_F(SlotOrderTest, OnceTheShareIsSpentTheUnreadGiveWayToTheirOwnKindWhenOld) {
  place(0, Placement::hot);
  place(1, Placement::cold);
  now += seconds{5};
  place(2, Placement::cold);
  EXPECT_TRUE(order.share_is_spent(Placement::cold));
  EXPECT_FALSE(order.share_is_spent(Placement::hot));
  EXPECT_EQ(victim(Placement::cold), Lru::kNone);
  EXPECT_EQ(order.room_unread(9, now), 0U);
  now += seconds{5};
  EXPECT_EQ(victim(Placement::cold), 1U) << "not 0, which is as old and was read";
  EXPECT_EQ(order.room_unread(9, now), 1U);
  order.touch(1, now);
  EXPECT_EQ(victim(Placement::cold), 0U) << "there is room again";
}

TEST_F(SlotOrderTest, WhatIsBeingWrittenCountsAndDoesNotGiveWay) {
  order.begin(0, Placement::cold);
  order.begin(1, Placement::cold);
  EXPECT_TRUE(order.share_is_spent(Placement::cold));
  now += seconds{100};
  EXPECT_EQ(victim(Placement::cold), Lru::kNone);
  order.remove(0);
  EXPECT_EQ(order.room_unread(9, now), 1U);
  order.enter(1, Placement::cold, now);
  order.begin(2, Placement::hot);
  order.enter(2, Placement::hot, now);
  EXPECT_EQ(order.room_unread(9, now), 1U);
  EXPECT_EQ(order.room_unread(0, now), 0U);
}

}  // namespace
}  // namespace forebay::cache
