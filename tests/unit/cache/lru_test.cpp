#include "cache/lru.hpp"

#include <algorithm>
#include <list>
#include <random>

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

TEST(Lru, TheLeastRecentlyTouchedIsColdest) {
  Lru lru{4};
  EXPECT_TRUE(lru.empty());
  lru.touch(0);
  lru.touch(1);
  lru.touch(2);
  lru.touch(0);
  EXPECT_EQ(lru.coldest(), 1U);
  EXPECT_EQ(lru.warmer(1), 2U);
  EXPECT_EQ(lru.warmer(2), 0U);
  EXPECT_EQ(lru.warmer(0), Lru::kNone);
}

TEST(Lru, AColdInsertIsTheNextVictim) {
  Lru lru{4};
  lru.touch(0);
  lru.insert_cold(3);
  EXPECT_EQ(lru.coldest(), 3U);
  lru.touch(3);
  EXPECT_EQ(lru.coldest(), 0U);
}

TEST(Lru, AgreesWithAListUnderRandomUse) {
  constexpr std::uint32_t kSlots = 50;
  Lru lru{kSlots};
  std::list<std::uint32_t> model;  // coldest first
  std::mt19937 random{1};
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t slot = random() % kSlots;
    const bool present = std::find(model.begin(), model.end(), slot) != model.end();
    ASSERT_EQ(lru.contains(slot), present);
    switch (random() % 3) {
      case 0:
        model.remove(slot);
        model.push_back(slot);
        lru.touch(slot);
        break;
      case 1:
        model.remove(slot);
        lru.remove(slot);
        break;
      default:
        if (!present) {
          model.push_front(slot);
          lru.insert_cold(slot);
        }
    }
    ASSERT_EQ(lru.coldest(), model.empty() ? Lru::kNone : model.front());
  }
}

}  // namespace
}  // namespace forebay::cache
