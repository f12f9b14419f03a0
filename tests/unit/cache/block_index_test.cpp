#include "cache/block_index.hpp"

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

std::vector<StoredBlock> with_prefix(const BlockIndex& index, std::string_view bucket,
                                     std::string_view prefix) {
  std::vector<StoredBlock> all;
  for (std::size_t part = 0; part < BlockIndex::kParts; ++part) {
    const auto some = index.with_prefix(part, bucket, prefix);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

ObjectPtr object(std::string key, std::string etag, std::string version = "") {
  return std::make_shared<const Object>(
      Identity{"o", "b", std::move(key), std::move(etag), 100 * MiB, std::move(version)});
}

StoredBlock stored(ObjectPtr o, std::uint32_t block, std::uint32_t slot) {
  StoredBlock s;
  s.object = std::move(o);
  s.block = block;
  s.slot = slot;
  s.sequence = slot;
  return s;
}

TEST(BlockIndex, FindsWhatWasInserted) {
  BlockIndex index;
  const ObjectPtr a = object("k", "1");
  EXPECT_TRUE(index.insert(stored(a, 3, 30)));
  EXPECT_FALSE(index.insert(stored(a, 3, 31)));
  ASSERT_TRUE(index.find(*a, 3));
  EXPECT_EQ(index.find(*a, 3)->slot, 30U);
  EXPECT_FALSE(index.contains(*a, 2));
  EXPECT_FALSE(index.contains(*object("k", "2"), 3));
}

TEST(BlockIndex, ErasesOnlyWhatIsStillThere) {
  BlockIndex index;
  const ObjectPtr a = object("k", "1");
  index.insert(stored(a, 3, 30));
  EXPECT_FALSE(index.erase(stored(a, 3, 31)));
  EXPECT_FALSE(index.erase(stored(a, 2, 30)));
  EXPECT_TRUE(index.erase(stored(a, 3, 30)));
  EXPECT_FALSE(index.erase(stored(a, 3, 30)));
  EXPECT_FALSE(index.contains(*a, 3));
  EXPECT_TRUE(with_prefix(index, "b", "").empty());
}

TEST(BlockIndex, BlocksOfOneVersionShareItsObject) {
  BlockIndex index;
  const ObjectPtr a = object("k", "1");
  index.insert(stored(a, 0, 1));
  EXPECT_EQ(index.canonical(a->identity()), a);
  EXPECT_NE(index.canonical(object("k", "2")->identity()), a);
}

TEST(BlockIndex, OnlyUnversionedVersionsAreSuperseded) {
  BlockIndex index;
  const ObjectPtr old = object("k", "1");
  const ObjectPtr null_version = object("k", "2", "null");
  const ObjectPtr kept = object("k", "3", "abc");
  const ObjectPtr other_key = object("k2", "1");
  std::uint32_t slot = 0;
  for (const ObjectPtr& o : {old, null_version, kept, other_key})
    index.insert(stored(o, 5, slot++));
  const auto gone = index.superseded_by(*object("k", "4"));
  ASSERT_EQ(gone.size(), 2U);
  EXPECT_EQ(gone[0], old);
  EXPECT_EQ(gone[1], null_version);
  EXPECT_TRUE(index.superseded_by(*other_key).empty());
}

TEST(BlockIndex, KnowsWhatIsMissingOfAVersion) {
  BlockIndex index;
  const ObjectPtr a = object("k", "1");
  EXPECT_EQ(index.stored_count(*a), 0U);
  EXPECT_EQ(index.first_missing(*a, 3, 9), 3U);
  for (const std::uint32_t block : {0U, 1U, 3U})
    index.insert(stored(a, block, block));
  EXPECT_EQ(index.stored_count(*a), 3U);
  EXPECT_EQ(index.stored_count(*object("k", "2")), 0U);
  EXPECT_EQ(index.first_missing(*a, 0, 25), 2U);
  EXPECT_EQ(index.first_missing(*a, 3, 25), 4U);
  EXPECT_EQ(index.first_missing(*a, 0, 1), 1U);
  index.erase(stored(a, 1, 1));
  EXPECT_EQ(index.stored_count(*a), 2U);
  EXPECT_EQ(index.first_missing(*a, 0, 25), 1U);
}

TEST(BlockIndex, FindsKeysByPrefix) {
  BlockIndex index;
  std::uint32_t slot = 0;
  for (const char* key : {"a/1", "a/2", "b/1"}) {
    index.insert(stored(object(key, "e"), 0, slot++));
    index.insert(stored(object(key, "e"), 9, slot++));
  }
  EXPECT_EQ(with_prefix(index, "b", "a/").size(), 4U);
  EXPECT_EQ(with_prefix(index, "b", "").size(), 6U);
  EXPECT_TRUE(with_prefix(index, "other", "").empty());
}

}  // namespace
}  // namespace forebay::cache
