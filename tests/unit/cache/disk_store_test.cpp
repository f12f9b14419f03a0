#include "cache/slab_layout.hpp"
#include "support/disk_fixture.hpp"

#include <forebay/base/errc.hpp>

#include <atomic>
#include <random>
#include <thread>

namespace forebay::cache {
namespace {

using test::Fault;
using test::make_object;

class DiskStoreTest : public test::DiskFixture {
 protected:
  /// A store of one device, "a".
  void open(std::uint64_t slots) {
    config.devices = {device("a", slots)};
    start();
  }
  void set_fault(std::function<Fault(const test::DiskOperation&)> fault,
                 const std::string& path = "a") {
    const std::lock_guard lock{disk(path).mutex};
    disk(path).fault = std::move(fault);
  }
  std::uint64_t writes() {
    const std::lock_guard lock{disk().mutex};
    return disk().writes;
  }
};

TEST_F(DiskStoreTest, GivesBackWhatItWasGivenWholeAndInParts) {
  open(4);
  const struct {
    const char* name;
    std::uint64_t size;
    std::uint32_t block;
  } cases[] = {{"whole blocks", 8 * MiB, 1},
               {"a last block of some pages", 5 * MiB + 12'345, 1},
               {"one byte", 1, 0},
               {"one byte over a page", kPageSize + 1, 0}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const ObjectPtr object = make_object(c.name, c.size);
    EXPECT_FALSE(store->contains(*object, c.block));
    EXPECT_EQ(get(object, c.block).error(), Errc::not_found);
    ASSERT_TRUE(put(object, c.block));
    EXPECT_TRUE(store->contains(*object, c.block));
    EXPECT_TRUE(get(object, c.block));
    const std::uint32_t pages = page_count(object->block_length(c.block));
    for (std::uint32_t first = 0; first < pages; first += 7)
      EXPECT_TRUE(get(object, c.block, first, std::min(3U, pages - first)));
    EXPECT_TRUE(get(object, c.block, pages - 1, 1));
  }
}

TEST_F(DiskStoreTest, ABlockThatIsThereIsNotWrittenAgain) {
  open(4);
  const ObjectPtr object = make_object("k", 4 * MiB);
  ASSERT_TRUE(put(object));
  const std::uint64_t before = writes();
  EXPECT_TRUE(put(object));
  EXPECT_EQ(writes(), before);
}

TEST_F(DiskStoreTest, ABlockIsOneWrite) {
  open(4);
  const std::uint64_t before = writes();
  ASSERT_TRUE(put(make_object("k", 4 * MiB)));
  EXPECT_EQ(writes(), before + 1);
}

TEST_F(DiskStoreTest, ARestartKeepsTheCache) {
  open(6);
  const ObjectPtr a = make_object("a", 10 * MiB + 1);
  const ObjectPtr b = make_object("b", 3 * MiB, "v7", "null");
  for (std::uint32_t block = 0; block < 3; ++block)
    ASSERT_TRUE(put(a, block));
  ASSERT_TRUE(put(b));
  for (int round = 0; round < 3; ++round) {
    start();
    for (std::uint32_t block = 0; block < 3; ++block)
      EXPECT_TRUE(get(a, block));
    EXPECT_TRUE(get(b));
    EXPECT_EQ(store->status()[0].used, 4U);
    EXPECT_EQ(store->status()[0].scanned, 6U);
    EXPECT_FALSE(store->contains(*make_object("b", 3 * MiB, "v7"), 0)) << "another version id";
    EXPECT_FALSE(store->contains(*make_object("a", 10 * MiB, "v1"), 0)) << "another size";
  }
}

TEST_F(DiskStoreTest, TheLeastRecentlyUsedGivesWayAcrossARestartToo) {
  open(3);
  std::vector<ObjectPtr> objects;
  for (int i = 0; i < 5; ++i)
    objects.push_back(make_object(std::to_string(i), 4 * MiB));
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(put(objects[i]));
  ASSERT_TRUE(get(objects[0]));
  ASSERT_TRUE(put(objects[3]));
  EXPECT_FALSE(store->contains(*objects[1], 0));
  EXPECT_TRUE(store->contains(*objects[0], 0));
  // On disk the order is that of the writes.
  start();
  ASSERT_TRUE(put(objects[4]));
  EXPECT_FALSE(store->contains(*objects[0], 0));
  EXPECT_TRUE(store->contains(*objects[2], 0));
  EXPECT_TRUE(store->contains(*objects[3], 0));
}

TEST_F(DiskStoreTest, AWarmUpOfAFullDeviceKeepsWhatItBrings) {
  open(8);
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(put(make_object("old" + std::to_string(i), MiB)));
  start();  // What was there before is old.
  const ObjectPtr warm = make_object("warm", 5 * kBlockSize);
  EXPECT_EQ(store->room_ahead(5), 4U) << "half of the slots";
  for (std::uint32_t block = 0; block < 4; ++block)
    ASSERT_TRUE(put(warm, block, Placement::cold));
  EXPECT_EQ(store->room(Placement::cold), Room::share_spent);
  EXPECT_EQ(put(warm, 4, Placement::cold).error(), Errc::overloaded);
  for (std::uint32_t block = 0; block < 4; ++block)
    EXPECT_TRUE(store->contains(*warm, block));
  EXPECT_EQ(store->stored_count(*warm), 4U);
  EXPECT_EQ(store->first_missing(*warm, 0, 5), 4U);
  // Once read it is one of many, and makes room.
  store->touch(*warm, 0);
  EXPECT_EQ(store->room(Placement::cold), Room::yes);
  ASSERT_TRUE(put(warm, 4, Placement::cold));
  // Demand evicts the oldest first, then what came ahead and was not read.
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(put(make_object("new" + std::to_string(i), MiB)));
  EXPECT_TRUE(store->contains(*warm, 0));
  EXPECT_FALSE(store->contains(*warm, 1));
  EXPECT_TRUE(store->contains(*warm, 2));
}

TEST_F(DiskStoreTest, WhatWasReadLatelyDoesNotGiveWayToWhatComesAhead) {
  open(2);
  ASSERT_TRUE(put(make_object("a", MiB)));
  ASSERT_TRUE(put(make_object("b", MiB)));
  EXPECT_EQ(store->room(Placement::cold), Room::recently_used);
  EXPECT_EQ(put(make_object("warm", MiB), 0, Placement::cold).error(), Errc::overloaded);
  start();
  ASSERT_TRUE(get(make_object("a", MiB)));
  ASSERT_TRUE(put(make_object("warm", MiB), 0, Placement::cold));
  EXPECT_TRUE(store->contains(*make_object("a", MiB), 0));
  EXPECT_FALSE(store->contains(*make_object("b", MiB), 0));
}

TEST_F(DiskStoreTest, TheShareOfWhatComesAheadIsEachDevices) {
  config.devices = {device("a", 4), device("b", 8)};
  start();
  EXPECT_EQ(store->room_ahead(100), 6U);
  const ObjectPtr warm = make_object("warm", 7 * kBlockSize);
  for (std::uint32_t block = 0; block < 6; ++block)
    ASSERT_TRUE(put(warm, block, Placement::cold)) << block;
  EXPECT_EQ(store->room_ahead(100), 0U);
  EXPECT_EQ(put(warm, 6, Placement::cold).error(), Errc::overloaded);
  // A write that failed, and a purge, give the share back.
  EXPECT_EQ(purge("bucket", "warm").blocks, 6U);
  set_fault([](const auto& op) { return op.is_write ? Fault::error : Fault::none; });
  EXPECT_FALSE(put(warm, 0, Placement::cold));
  EXPECT_EQ(store->room_ahead(100), 4U) << "one of them is closed for writing";
  while (store->room_ahead(100) != 6U)
    std::this_thread::yield();
}

TEST_F(DiskStoreTest, WhatComesAheadDrawsTokens) {
  config.device_writes_per_day = 0;
  open(2);
  ASSERT_TRUE(put(make_object("a", MiB)));
  ASSERT_TRUE(put(make_object("b", MiB)));
  start();
  EXPECT_EQ(store->room(Placement::cold), Room::no_token);
}

TEST_F(DiskStoreTest, AFullStoreOverwritesOnlyWithTokens) {
  config.device_writes_per_day = 0;
  open(2);
  EXPECT_TRUE(store->admits());
  ASSERT_TRUE(put(make_object("a", MiB)));
  ASSERT_TRUE(put(make_object("b", MiB)));
  EXPECT_FALSE(store->admits());
  EXPECT_EQ(put(make_object("c", MiB)).error(), Errc::overloaded);
  EXPECT_TRUE(store->contains(*make_object("a", MiB), 0));
  config.device_writes_per_day = 1;
  start();
  EXPECT_TRUE(store->admits());
  EXPECT_TRUE(put(make_object("c", MiB)));
}

Task<void> read_whole(DiskStore* store, ObjectPtr object, std::atomic<bool>* right) {
  const std::uint32_t pages = page_count(object->block_length(0));
  const auto result = co_await test::get(*store, std::move(object), 0, 0, pages);
  *right = result.has_value();
}

TEST_F(DiskStoreTest, WhatIsBeingReadIsNoVictim) {
  open(1);
  const ObjectPtr object = make_object("k", 4 * MiB);
  ASSERT_TRUE(put(object));
  disk().gate.close();
  set_fault([](const auto& op) { return op.is_write ? Fault::none : Fault::delay; });
  std::atomic<bool> right{false};
  workers.spawn_on(0, "read", &read_whole, store.get(), object, &right);
  while (disk().gate.waiting() == 0)
    std::this_thread::yield();
  EXPECT_EQ(put(make_object("other", MiB)).error(), Errc::overloaded);
  // Dropped under the reader: the slot waits for it.
  store->drop_superseded(*make_object("k", MiB, "v2"));
  EXPECT_FALSE(store->contains(*object, 0));
  EXPECT_EQ(put(make_object("other", MiB)).error(), Errc::overloaded);
  disk().gate.open();
  settle();
  EXPECT_TRUE(right);
  EXPECT_TRUE(put(make_object("other", MiB)));
}

TEST_F(DiskStoreTest, SupersededVersionsAreFreedAndKeptVersionsStay) {
  open(4);
  const ObjectPtr old = make_object("k", MiB, "v1");
  const ObjectPtr kept = make_object("k", MiB, "v2", "id");
  ASSERT_TRUE(put(old));
  ASSERT_TRUE(put(kept));
  store->drop_superseded(*make_object("k", MiB, "v3"));
  EXPECT_FALSE(store->contains(*old, 0));
  EXPECT_TRUE(store->contains(*kept, 0));
  EXPECT_EQ(store->status()[0].used, 1U);
}

TEST_F(DiskStoreTest, ASupersededVersionIsKeptWhileAReaderHoldsIt) {
  open(4);
  const ObjectPtr old = make_object("k", 8 * MiB, "v1");
  const ObjectPtr older = make_object("k", MiB, "v0");
  const ObjectPtr current = make_object("k", MiB, "v2");
  ASSERT_TRUE(put(old, 0));
  ASSERT_TRUE(put(older));
  {
    // Two readers, each with an instance of its own.
    const Hold first = store->hold(make_object("k", 8 * MiB, "v1"));
    std::optional<Hold> second = store->hold(make_object("k", 8 * MiB, "v1"));
    for (int noticed = 0; noticed < 2; ++noticed)
      store->drop_superseded(*current);
    EXPECT_FALSE(store->contains(*older, 0)) << "nobody holds it";
    ASSERT_TRUE(put(old, 1)) << "a fill in progress";
    second.reset();
    EXPECT_TRUE(get(old, 0));
  }
  EXPECT_EQ(store->status()[0].used, 0U);
}

TEST_F(DiskStoreTest, AHeldVersionThatIsCurrentAgainStays) {
  open(4);
  const ObjectPtr a = make_object("k", MiB, "a");
  const ObjectPtr b = make_object("k", MiB, "b");
  ASSERT_TRUE(put(a));
  {
    const Hold reader = store->hold(a);
    store->drop_superseded(*b);
    store->drop_superseded(*a);
  }
  EXPECT_TRUE(get(a));
}

TEST_F(DiskStoreTest, AHeldBlockGivesWayAsEver) {
  open(1);
  const ObjectPtr held = make_object("k", MiB, "v1");
  ASSERT_TRUE(put(held));
  const Hold reader = store->hold(held);
  store->drop_superseded(*make_object("k", MiB, "v2"));
  EXPECT_TRUE(put(make_object("other", MiB)));
  EXPECT_FALSE(store->contains(*held, 0));
}

Task<void> read_versions(DiskStore* store, ObjectPtr object, ObjectPtr next) {
  for (int round = 0; round < 20'000; ++round) {
    const Hold hold = store->hold(object);
    if (round % 7 == 0)
      store->drop_superseded(*next);
  }
  co_return;
}

TEST_F(DiskStoreTest, ReadersThatLeaveWhileAnOverwriteIsNoticedLeaveNothing) {
  open(8);
  for (int round = 0; round < 20; ++round) {
    const ObjectPtr old = make_object("k", MiB, "v" + std::to_string(round));
    const ObjectPtr next = make_object("k", MiB, "v" + std::to_string(round + 1));
    ASSERT_TRUE(put(old));
    for (std::size_t worker = 0; worker < workers.size(); ++worker)
      workers.spawn_on(worker, "read", &read_versions, store.get(), old, next);
    settle();
    EXPECT_EQ(store->status()[0].used, 0U) << round;
  }
}

TEST_F(DiskStoreTest, APurgeErasesAcrossARestart) {
  open(8);
  const ObjectPtr a = make_object("dir/a", 9 * MiB);
  const ObjectPtr superseded = make_object("dir/a", MiB, "v0");
  const ObjectPtr b = make_object("other", MiB);
  ASSERT_TRUE(put(superseded));
  for (std::uint32_t block = 0; block < 3; ++block)
    ASSERT_TRUE(put(a, block));
  ASSERT_TRUE(put(b));
  // Freed in memory; its header is still there.
  store->drop_superseded(*a);
  EXPECT_EQ(purge("elsewhere", "").blocks, 0U);
  EXPECT_EQ(purge("bucket", "dir/").blocks, 3U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(store->contains(*a, 0));
    EXPECT_FALSE(store->contains(*superseded, 0));
    EXPECT_TRUE(get(b));
    EXPECT_EQ(store->status()[0].used, 1U);
    start();
  }
}

TEST_F(DiskStoreTest, APurgeReachesSlotsThatAreNotScannedYet) {
  open(50);
  std::vector<ObjectPtr> objects;
  for (int i = 0; i < 50; ++i) {
    objects.push_back(make_object((i % 2 ? "gone" : "kept") + std::to_string(i), 4 * KiB));
    ASSERT_TRUE(put(objects.back()));
  }
  disk().gate.close();
  // Some headers are read before the purge, the others after it.
  set_fault([](const auto& op) {
    return !op.is_write && op.offset > 20 * kSlotSize ? Fault::delay : Fault::none;
  });
  start(false);
  while (disk().gate.waiting() == 0)
    std::this_thread::yield();
  purge("bucket", "gone");
  disk().gate.open();
  settle();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50; ++i)
      EXPECT_EQ(store->contains(*objects[i], 0), i % 2 == 0) << i;
    set_fault(nullptr);
    start();
  }
}

TEST_F(DiskStoreTest, APurgeReachesWritesInFlight) {
  constexpr auto write = +[](DiskStore* to, io::BufferPool* from, ObjectPtr object) -> Task<void> {
    const auto written = co_await test::put(*to, *from, std::move(object), 0, Placement::hot);
    EXPECT_TRUE(written);
  };
  constexpr auto erase = +[](DiskStore* from, std::atomic<bool>* done) -> Task<void> {
    co_await from->purge("bucket", "gone");
    *done = true;
  };
  open(8);
  const ObjectPtr gone = make_object("gone", 4 * MiB);
  const ObjectPtr kept = make_object("kept", 4 * MiB);
  disk().gate.close();
  set_fault([](const auto& op) { return op.is_write ? Fault::delay : Fault::none; });
  workers.spawn_on(0, "write", write, store.get(), &pool, gone);
  workers.spawn_on(0, "write", write, store.get(), &pool, kept);
  while (disk().gate.waiting() != 2)
    std::this_thread::yield();
  std::atomic<bool> purged{false};
  workers.spawn_on(1, "purge", erase, store.get(), &purged);
  while (!purged)
    std::this_thread::yield();
  disk().gate.open();
  settle();
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(store->contains(*gone, 0));
    EXPECT_TRUE(get(kept));
    EXPECT_EQ(store->status()[0].used, 1U);
    set_fault(nullptr);
    start();
  }
  // It may come back after that.
  EXPECT_TRUE(put(gone));
  EXPECT_TRUE(get(gone));
}

TEST_F(DiskStoreTest, WritesAreServedWhileSlotsAreScanned) {
  constexpr int kOld = 30;
  constexpr int kNew = 34;
  const auto named = [](const char* name, int i) {
    return make_object(name + std::to_string(i), 4 * KiB);
  };
  open(kOld + kNew);
  for (int i = 0; i < kOld; ++i)
    ASSERT_TRUE(put(named("old", i)));
  disk().gate.close();
  // The first ten headers are slow; the readers that wait for them leave ten more unscanned.
  set_fault([](const auto& op) {
    const bool early = op.offset >= slot_offset(0) && op.offset < slot_offset(10);
    return !op.is_write && early && op.length == kHeaderSize ? Fault::delay : Fault::none;
  });
  start(false);
  while (store->status()[0].scanned < kOld + kNew - 20)
    std::this_thread::yield();
  // What is not scanned is not overwritten.
  for (int i = 0; i < kNew - 10; ++i)
    ASSERT_TRUE(put(named("new", i)));
  disk().gate.open();
  settle();
  for (int i = kNew - 10; i < kNew; ++i)
    ASSERT_TRUE(put(named("new", i)));
  EXPECT_EQ(store->status()[0].used, kOld + kNew);
  // Now full: what was found goes first, the oldest before all.
  ASSERT_TRUE(put(named("one more", 0)));
  EXPECT_FALSE(store->contains(*named("old", 0), 0));
  for (int i = 1; i < kOld; ++i)
    EXPECT_TRUE(get(named("old", i))) << i;
  for (int i = 0; i < kNew; ++i)
    EXPECT_TRUE(get(named("new", i))) << i;
}

TEST_F(DiskStoreTest, AReadErrorDropsTheBlockAndManyCondemnTheDevice) {
  config.devices = {device("a", 20), device("b", 20)};
  start();
  std::vector<ObjectPtr> objects;
  for (int i = 0; i < 30; ++i) {
    objects.push_back(make_object(std::to_string(i), 4 * KiB));
    ASSERT_TRUE(put(objects.back()));
  }
  EXPECT_EQ(store->status()[0].used, 15U) << "striped evenly";
  EXPECT_EQ(store->status()[1].used, 15U);
  set_fault([](const auto&) { return Fault::error; });
  int errors = 0;
  int hits = 0;
  for (const ObjectPtr& object : objects) {
    const auto result = get(object);
    hits += result ? 1 : 0;
    errors += !result && result.error() == Errc::device_failed ? 1 : 0;
    EXPECT_EQ(store->contains(*object, 0), result.has_value());
  }
  EXPECT_EQ(hits, 15) << "the other device serves on";
  EXPECT_EQ(errors, 8) << "after that the blocks are forgotten";
  EXPECT_FALSE(store->status()[0].readable);
  EXPECT_FALSE(store->status()[0].writable);
  settle();
  EXPECT_EQ(store->status()[0].used, 0U);
  // What comes now goes to the one that works, and no further.
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(put(make_object("new" + std::to_string(i), 4 * KiB)));
  EXPECT_EQ(store->status()[1].used, 20U);
}

TEST_F(DiskStoreTest, AFailedWriteIsShownToNobody) {
  open(12);
  set_fault([](const auto& op) {
    return op.is_write && op.offset == slot_offset(0) ? Fault::torn : Fault::none;
  });
  EXPECT_EQ(put(make_object("a", 4 * MiB)).error(), Errc::device_failed);
  EXPECT_FALSE(store->contains(*make_object("a", 4 * MiB), 0));
  EXPECT_EQ(store->status()[0].used, 0U);
  start();
  const auto torn = get(make_object("a", 4 * MiB));
  EXPECT_EQ(torn.error(), Errc::corrupt);
  EXPECT_EQ(store->status()[0].used, 0U);
}

TEST_F(DiskStoreTest, SilentFaultsOfTheDeviceAreMisses) {
  open(4);
  for (const Fault fault : {Fault::flip, Fault::lost}) {
    SCOPED_TRACE(static_cast<int>(fault));
    const ObjectPtr written = make_object("written" + std::to_string(int(fault)), 4 * MiB);
    set_fault([fault](const auto& op) { return op.is_write ? fault : Fault::none; });
    EXPECT_TRUE(put(written)) << "the device said so";
    EXPECT_EQ(get(written).error(), Errc::corrupt);
    EXPECT_FALSE(store->contains(*written, 0));
  }
  set_fault(nullptr);
  const ObjectPtr read = make_object("read", 4 * MiB);
  ASSERT_TRUE(put(read));
  set_fault([](const auto& op) { return op.is_write ? Fault::none : Fault::flip; });
  EXPECT_EQ(get(read).error(), Errc::corrupt);
  EXPECT_EQ(get(read).error(), Errc::not_found);
}

TEST_F(DiskStoreTest, AFlippedBitAnywhereIsAMissOrMeansNothing) {
  open(2);
  const ObjectPtr object = make_object("k", 150'000);
  std::mt19937_64 random{7};
  constexpr int kRounds = 60;
  int misses = 0;
  for (int round = 0; round < kRounds; ++round) {
    disk().keep_log = true;
    ASSERT_TRUE(put(object));
    const std::uint64_t slot = disk().log.back().offset;
    disk().log.clear();
    // Header, pages, and what lies behind them.
    const std::uint64_t in_slot = random() % (round % 2 ? 4096 : 170'000);
    disk().bytes[slot + in_slot] ^= static_cast<std::byte>(1 << (random() % 8));
    if (round % 3 == 0)
      start();
    // Bytes that come back as whole are compared by get().
    misses += get(object) ? 0 : 1;
    purge("bucket", "");
  }
  EXPECT_GT(misses, kRounds / 2);
  EXPECT_LT(misses, kRounds);
}

TEST_F(DiskStoreTest, ASlotOfAnotherSlabOrPlaceIsNothing) {
  open(4);
  ASSERT_TRUE(put(make_object("k", 4 * KiB)));
  const auto whole = disk().bytes;
  // Moved to another slot of the same slab.
  const auto slot_at = [](std::vector<std::byte>& bytes, std::uint64_t slot) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(slot_offset(slot));
  };
  auto from = whole;
  std::copy(slot_at(from, 0), slot_at(from, 1), slot_at(disk().bytes, 2));
  start();
  EXPECT_EQ(store->status()[0].used, 1U);
  // The same bytes under the superblock of a slab that was formatted anew.
  stop();
  std::fill(disk().bytes.begin(), disk().bytes.begin() + 4096, std::byte{0});
  start();
  EXPECT_EQ(store->status()[0].used, 0U);
  start();
  EXPECT_EQ(store->status()[0].used, 0U);
  EXPECT_TRUE(put(make_object("k", 4 * KiB)));
}

TEST_F(DiskStoreTest, ADamagedOrForeignSuperblockIsACleanStart) {
  const struct {
    const char* name;
    std::size_t offset;
  } cases[] = {{"magic", 0}, {"version", 8}, {"uuid", 13}, {"size", 52}, {"checksum", 4095}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    engine.disks.clear();
    open(3);
    ASSERT_TRUE(put(make_object("k", 4 * KiB)));
    stop();
    disk().bytes[c.offset] ^= std::byte{1};
    start();
    EXPECT_EQ(store->status()[0].used, 0U);
    EXPECT_TRUE(put(make_object("k", 4 * KiB)));
    start();
    EXPECT_TRUE(get(make_object("k", 4 * KiB)));
  }
}

TEST_F(DiskStoreTest, AnotherSizeIsACleanStart) {
  for (const std::uint64_t slots : {2U, 9U}) {
    SCOPED_TRACE(slots);
    engine.disks.clear();
    open(5);
    for (int i = 0; i < 5; ++i)
      ASSERT_TRUE(put(make_object(std::to_string(i), 4 * KiB)));
    stop();
    disk().bytes.resize(device("a", slots).size_bytes);
    open(slots);
    EXPECT_EQ(store->status()[0].used, 0U);
    EXPECT_EQ(store->status()[0].slots, slots);
    for (std::uint64_t i = 0; i < slots; ++i)
      EXPECT_TRUE(put(make_object(std::to_string(i), 4 * KiB)));
  }
}

TEST_F(DiskStoreTest, ADeviceThatCannotBeReadOrIsTooSmallIsAnError) {
  config.devices = {{"a", 64 * KiB}};
  EXPECT_EQ(DiskStore::open(config, engine, pool, workers).error(), Errc::invalid_config);
  engine.disks.clear();
  config.devices = {device("a", 2)};
  engine.disks["a"] = std::make_shared<test::MemoryDisk>(config.devices[0].size_bytes);
  set_fault([](const auto&) { return Fault::error; });
  EXPECT_EQ(DiskStore::open(config, engine, pool, workers).error(), Errc::device_failed);
}

TEST_F(DiskStoreTest, AnIdentityTooLongForAHeaderIsNotStored) {
  open(2);
  EXPECT_EQ(put(make_object(std::string(5000, 'k'), 4 * KiB)).error(), Errc::too_large);
  EXPECT_TRUE(put(make_object("a", 4 * KiB)));
  EXPECT_TRUE(put(make_object("b", 4 * KiB)));
  EXPECT_EQ(store->status()[0].used, 2U) << "the slot was given back";
}

}  // namespace
}  // namespace forebay::cache
