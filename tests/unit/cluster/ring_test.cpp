#include <forebay/cluster/ring.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::cluster {
namespace {

constexpr std::size_t kExtents = 1'000'000;

std::vector<Member> equal_members(std::size_t count) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < count; ++i)
    members.push_back({"node-" + std::to_string(i), 1});
  return members;
}

/// Extents of objects of 16 each.
std::uint64_t placement(std::size_t extent) {
  return placement_of("default", "train", "shard-" + std::to_string(extent / 16), extent % 16);
}

std::vector<std::string> owner_ids(const Ring& ring, std::size_t count) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(ring.members()[ring.owner(placement(i))].id);
  return ids;
}

/// The heaviest member's share, where 1 is a fair one.
double heaviest(const Ring& ring, std::size_t extents) {
  std::vector<std::size_t> owned(ring.members().size());
  for (std::size_t i = 0; i < extents; ++i)
    ++owned[ring.owner(placement(i))];
  return static_cast<double>(*std::max_element(owned.begin(), owned.end())) *
         static_cast<double>(owned.size()) / static_cast<double>(extents);
}

TEST(Ring, IsTheSameWhateverTheOrderOfItsMembers) {
  auto members = equal_members(7);
  const Ring ring{members};
  std::reverse(members.begin(), members.end());
  EXPECT_EQ(owner_ids(ring, 1000), owner_ids(Ring{members}, 1000));
}

TEST(Ring, KeepsItsFormat) {
  // What other nodes of the cluster, built at other times, must agree on.
  EXPECT_EQ(placement_of("default", "bucket", "key", 0), 18446121275914327364U);
  EXPECT_EQ(placement_of("default", "bucket", "key", 1), 5720882351297145942U);
  const Ring ring{equal_members(5)};
  const std::vector<std::string> expected{"node-3", "node-2", "node-0", "node-0",
                                          "node-2", "node-4", "node-4", "node-4"};
  EXPECT_EQ(owner_ids(ring, expected.size()), expected);
}

TEST(Ring, PartsOfANameAreNotMistakenForEachOther) {
  EXPECT_NE(placement_of("a", "b", "c", 0), placement_of("a", "bc", "", 0));
  EXPECT_NE(placement_of("a", "b", "c", 0), placement_of("ab", "", "c", 0));
  EXPECT_NE(placement_of("a", "b", "c", 0), placement_of("a", "b", "c", 1));
}

TEST(Ring, BalancesEqualNodes) {
  EXPECT_LT(heaviest(Ring{equal_members(30)}, kExtents), 1.10);
  EXPECT_LT(heaviest(Ring{equal_members(1000)}, kExtents), 1.15);
}

TEST(Ring, MovesNoMoreThanItMust) {
  for (const std::size_t count : {3, 8, 30}) {
    SCOPED_TRACE(count);
    const auto before = owner_ids(Ring{equal_members(count)}, 100'000);
    const auto after = owner_ids(Ring{equal_members(count + 1)}, 100'000);
    const std::string joined = "node-" + std::to_string(count);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] == after[i])
        continue;
      ++moved;
      EXPECT_EQ(after[i], joined) << "nothing moves between members that stay";
    }
    const double fair = static_cast<double>(before.size()) / static_cast<double>(count + 1);
    EXPECT_NEAR(static_cast<double>(moved) / fair, 1, 0.2);
  }
}

TEST(Ring, SharesByWeight) {
  auto members = equal_members(10);
  members[0].weight = 3;
  const Ring ring{members};
  std::size_t owned = 0;
  for (std::size_t i = 0; i < 200'000; ++i)
    owned += ring.members()[ring.owner(placement(i))].id == "node-0" ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(owned) / 200'000, 3.0 / 12, 0.03);
}

TEST(Ring, TheNextOwnerIsWhoOwnsItWhenTheFirstIsGone) {
  const auto members = equal_members(6);
  const Ring ring{members};
  for (std::size_t i = 0; i < 2'000; ++i) {
    const auto owners = ring.owners(placement(i), 3);
    ASSERT_EQ(owners.size(), 3U);
    EXPECT_EQ(owners[0], ring.owner(placement(i)));
    auto rest = members;
    std::erase(rest, ring.members()[owners[0]]);
    const Ring smaller{rest};
    EXPECT_EQ(smaller.members()[smaller.owner(placement(i))], ring.members()[owners[1]]);
    EXPECT_NE(owners[1], owners[2]);
  }
}

TEST(Ring, OfOneAndOfNone) {
  const Ring one{equal_members(1)};
  EXPECT_EQ(one.owner(placement(5)), 0U);
  EXPECT_EQ(one.owners(placement(5), 9).size(), 1U);
  EXPECT_TRUE(Ring{{}}.owners(placement(5), 2).empty());
}

}  // namespace
}  // namespace forebay::cluster
