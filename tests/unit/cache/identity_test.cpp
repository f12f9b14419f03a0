#include <forebay/cache/identity.hpp>

#include <set>

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

using Key = std::pair<std::uint64_t, std::uint64_t>;

Key key_of(const Hash128& hash) {
  return {hash.high, hash.low};
}

TEST(Identity, EveryFieldCountsAndNoneRunsIntoItsNeighbour) {
  const Identity identities[] = {
      {"o", "b", "k", "e", 10, "v"}, {"ob", "", "k", "e", 10, "v"},  {"", "ob", "k", "e", 10, "v"},
      {"o", "bk", "", "e", 10, "v"}, {"o", "b", "ke", "", 10, "v"},  {"o", "b", "k", "ev", 10, ""},
      {"o", "b", "k", "e", 11, "v"}, {"o", "b", "k", "e", 10, "v1"}, {"o", "b", "k", "e", 1, "0v"},
      {"o", "b", "k", "e", 10, ""},  {"1:o", "b", "k", "e", 10, ""}, {"o", "1:b", "k", "e", 10, ""},
      {"o", "b", "", "1:k", 10, ""}, {"o", "b", "k", "e", 0, "null"}};
  std::set<Key> seen;
  for (const Identity& identity : identities) {
    EXPECT_TRUE(seen.insert(key_of(Object{identity}.hash())).second) << identity.key;
    EXPECT_EQ(Object{identity}.hash(), Object{identity}.hash());
  }
}

TEST(Identity, VersionsShareTheirName) {
  EXPECT_EQ(name_hash("o", "b", "k"), name_hash("o", "b", "k"));
  EXPECT_FALSE(name_hash("o", "b", "k") == name_hash("o", "bk", ""));
  EXPECT_FALSE(name_hash("o", "b", "k") == name_hash("", "ob", "k"));
}

TEST(Identity, BlocksOfAnObjectAreTold) {
  const Object a{{"o", "b", "k", "e", 100 * MiB, ""}};
  const Object b{{"o", "b", "k", "f", 100 * MiB, ""}};
  std::set<Key> seen;
  for (std::uint32_t block = 0; block < a.block_count(); ++block) {
    EXPECT_TRUE(seen.insert(key_of(block_hash(a, block))).second);
    EXPECT_TRUE(seen.insert(key_of(block_hash(b, block))).second);
  }
}

TEST(Identity, BlocksAreCutAtFourMebibytes) {
  const struct {
    const char* name;
    std::uint64_t size;
    std::uint32_t count;
    std::uint32_t last;
  } cases[] = {{"empty", 0, 0, 0},
               {"one byte", 1, 1, 1},
               {"a block", kBlockSize, 1, kBlockSize},
               {"a block and a byte", kBlockSize + 1, 2, 1},
               {"the largest object", 5 * TiB, 1'310'720, kBlockSize}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Object object{{"o", "b", "k", "e", c.size, ""}};
    EXPECT_EQ(object.block_count(), c.count);
    if (c.count != 0) {
      EXPECT_EQ(object.block_length(c.count - 1), c.last);
    }
  }
  EXPECT_EQ(page_count(1), 1U);
  EXPECT_EQ(page_count(kPageSize), 1U);
  EXPECT_EQ(page_count(kPageSize + 1), 2U);
  EXPECT_EQ(page_count(kBlockSize), kPagesPerBlock);
}

}  // namespace
}  // namespace forebay::cache
