// What a device that hangs, or that cannot be written, costs: what it holds, and nothing else.
#include "scripted_fetcher.hpp"
#include "support/disk_fixture.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/cache/block_cache.hpp>

#include <atomic>
#include <thread>

namespace forebay::cache {
namespace {

using test::Fault;

constexpr int kObjects = 20;
/// More than the pool has frames for.
constexpr int kReaders = 300;

class DeviceIslandTest : public test::DiskFixture {
 protected:
  /// Two devices, "a" and "b", with half of the objects each.
  void SetUp() override {
    config.devices = {device("a", 16), device("b", 16)};
    config.device_stall = milliseconds{50};
    start();
    for (int i = 0; i < kObjects; ++i) {
      const ObjectPtr object = test::make_object(std::to_string(i), 4 * MiB);
      const std::uint64_t before = store->status()[0].used;
      ASSERT_TRUE(put(object));
      (store->status()[0].used != before ? on_a : on_b).push_back(object);
    }
    ASSERT_EQ(on_a.size(), on_b.size());
  }
  void set_fault(std::function<Fault(const test::DiskOperation&)> fault,
                 const std::string& path = "a") {
    const std::lock_guard lock{disk(path).mutex};
    disk(path).fault = std::move(fault);
  }
  void hang() {
    disk().gate.close();
    set_fault([](const auto&) { return Fault::delay; });
  }
  void come_back() {
    set_fault(nullptr);
    disk().gate.open();
  }
  /// Hangs "a" and waits until the store knows.
  void stall() {
    hang();
    EXPECT_EQ(get(on_a[0]).error(), Errc::overloaded);
    EXPECT_FALSE(store->status()[0].readable);
  }

  std::vector<ObjectPtr> on_a;
  std::vector<ObjectPtr> on_b;
};

Task<void> read_page(DiskStore* store, ObjectPtr object, std::uint32_t page,
                     std::atomic<int>* served, std::atomic<int>* refused) {
  const auto result = co_await test::get(*store, std::move(object), 0, page, 1);
  ++*(result ? served : refused);
}

TEST_F(DeviceIslandTest, ADeviceThatHangsLosesItsOwnPartAndItsReadersAreLetGo) {
  hang();
  std::atomic<int> served{0};
  std::atomic<int> refused{0};
  const auto read_all = [&](const std::vector<ObjectPtr>& objects) {
    for (std::size_t i = 0; i < kReaders; ++i)
      workers.spawn_on(i % 2, "read", &read_page, store.get(), objects[i % objects.size()],
                       static_cast<std::uint32_t>(i % kPagesPerBlock), &served, &refused);
  };
  read_all(on_a);
  read_all(on_b);
  while (served + refused < 2 * kReaders)
    std::this_thread::yield();
  EXPECT_EQ(served, kReaders) << "the other device serves on";
  EXPECT_EQ(refused, kReaders) << "while it still hangs";
  EXPECT_FALSE(store->status()[0].readable);
  EXPECT_TRUE(store->status()[1].readable);
  for (const ObjectPtr& object : on_a)
    EXPECT_FALSE(store->contains(*object, 0)) << "not to be had now";
  // The operations under way have their frames, and no more than the device's part.
  EXPECT_EQ(pool.share_used(io::Share::disk_read), disk().gate.waiting());
  EXPECT_LE(disk().gate.waiting(), pool.part_limit(io::Share::disk_read));
  // What is stored now goes to the other one.
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(put(test::make_object("new" + std::to_string(i), 4 * KiB)));
  EXPECT_EQ(store->status()[1].used, on_b.size() + 3);
  come_back();
  settle();
  EXPECT_EQ(pool.share_used(io::Share::disk_read), 0U);
  EXPECT_TRUE(store->status()[0].readable);
  for (const ObjectPtr& object : on_a)
    EXPECT_TRUE(get(object));
}

Task<void> write_block(DiskStore* store, io::BufferPool* pool, ObjectPtr object,
                       std::atomic<int>* written) {
  const auto result = co_await test::put(*store, *pool, std::move(object), 0, Placement::hot);
  *written += result ? 1 : 0;
}

TEST_F(DeviceIslandTest, WritesThatHangLeaveRoomForTheOtherDevices) {
  hang();
  std::atomic<int> written{0};
  for (std::size_t i = 0; i < 10; ++i)
    workers.spawn_on(i % 2, "write", &write_block, store.get(), &pool,
                     test::make_object("new" + std::to_string(i), 4 * MiB), &written);
  while (written < 9)
    std::this_thread::yield();
  EXPECT_EQ(disk().gate.waiting(), 1U) << "as many blocks as are its part of the share";
  EXPECT_EQ(pool.share_used(io::Share::slot_write), kPagesPerBlock);
  come_back();
  settle();
  EXPECT_EQ(written, 10);
}

TEST_F(DeviceIslandTest, APurgeDoesNotWaitForADeviceThatHangsAndErasesWhenItIsBack) {
  stall();
  const Purged purged = purge("bucket", "");
  EXPECT_EQ(purged.blocks, static_cast<std::size_t>(kObjects));
  ASSERT_EQ(purged.unreached.size(), 1U);
  EXPECT_EQ(purged.unreached[0].device, "a");
  EXPECT_EQ(purged.unreached[0].blocks, on_a.size());
  come_back();
  settle();
  EXPECT_TRUE(purge("bucket", "").unreached.empty());
  for (int round = 0; round < 2; ++round) {
    for (const ObjectPtr& object : on_a)
      EXPECT_FALSE(store->contains(*object, 0));
    EXPECT_EQ(store->status()[0].used, 0U);
    start();
  }
}

TEST_F(DeviceIslandTest, APurgeThatADeviceStopsUnderEndsToo) {
  hang();
  const Purged purged = purge("bucket", "");
  ASSERT_EQ(purged.unreached.size(), 1U);
  EXPECT_EQ(purged.unreached[0].blocks, on_a.size());
  come_back();
  settle();
  EXPECT_TRUE(purge("bucket", "").unreached.empty());
}

TEST_F(DeviceIslandTest, ADeviceThatCannotBeWrittenKeepsWhatItHolds) {
  config.devices = {device("full", 8)};
  start();
  std::vector<ObjectPtr> objects;
  for (int i = 0; i < 8; ++i) {
    objects.push_back(test::make_object(std::to_string(i), 4 * KiB));
    ASSERT_TRUE(put(objects.back()));
  }
  set_fault([](const auto& op) { return op.is_write ? Fault::error : Fault::none; }, "full");
  int tried = 0;
  for (int i = 0; i < 20; ++i)
    tried +=
        put(test::make_object("new" + std::to_string(i), 4 * KiB)).error() == Errc::device_failed;
  EXPECT_LE(tried, 3) << "now and then";
  EXPECT_FALSE(store->status()[0].writable);
  EXPECT_TRUE(store->status()[0].readable);
  EXPECT_EQ(store->status()[0].used, 8U);
  for (const ObjectPtr& object : objects)
    EXPECT_TRUE(get(object));
  const Purged purged = purge("bucket", "3");
  EXPECT_EQ(purged.blocks, 1U);
  ASSERT_EQ(purged.unreached.size(), 1U);
  EXPECT_EQ(purged.unreached[0].blocks, 1U);
  // It is found out within a second or two that it can be written again.
  set_fault(nullptr, "full");
  const ObjectPtr fresh = test::make_object("fresh", 4 * KiB);
  while (!put(fresh))
    std::this_thread::yield();
  EXPECT_TRUE(store->status()[0].writable);
  settle();
  EXPECT_TRUE(purge("bucket", "3").unreached.empty());
  start();
  EXPECT_FALSE(store->contains(*objects[3], 0));
}

TEST_F(DeviceIslandTest, AWriteThatIsTornCostsItsVictimAndNothingElse) {
  config.devices = {device("full", 4)};
  start();
  std::vector<ObjectPtr> objects;
  for (int i = 0; i < 4; ++i) {
    objects.push_back(test::make_object(std::to_string(i), 4 * MiB));
    ASSERT_TRUE(put(objects.back()));
  }
  set_fault([](const auto& op) { return op.is_write ? Fault::torn : Fault::none; }, "full");
  const ObjectPtr torn = test::make_object("torn", 4 * MiB);
  EXPECT_EQ(put(torn).error(), Errc::device_failed);
  EXPECT_FALSE(store->contains(*torn, 0));
  EXPECT_EQ(store->status()[0].used, 4U);
  set_fault(nullptr, "full");
  while (!put(test::make_object("after", 4 * KiB)))
    std::this_thread::yield();
  for (std::size_t i = 2; i < 4; ++i)
    EXPECT_TRUE(get(objects[i])) << "the next victim was another";
  // What is left of the first does not match its checksums.
  EXPECT_TRUE(store->contains(*objects[0], 0));
  EXPECT_EQ(get(objects[0], 0, 31, 1).has_value(), true);
  // Its header is another's, and a purge of that one erases it.
  purge("bucket", "torn");
  start();
  EXPECT_FALSE(store->contains(*torn, 0));
}

/// The cache above a store of one device that hangs on demand.
class CacheIslandTest : public testing::Test {
 protected:
  ~CacheIslandTest() override {
    stop();
    EXPECT_EQ(pool.free_count(), pool.frame_count());
  }
  void start() {
    stop();
    CacheConfig config;
    config.disk.devices = {{"a", 64 * MiB}};
    config.disk.device_stall = milliseconds{50};
    cache = BlockCache::create(config, pool, &engine, workers).value();
    settle();
  }
  void stop() {
    settle();
    cache.reset();
  }
  void settle() { EXPECT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30}))); }

  test::MemoryEngine engine;
  io::BufferPool pool{{32 * MiB}};
  runtime::WorkerPool workers{runtime::Config{2}};
  std::unique_ptr<BlockCache> cache;
  std::shared_ptr<Script> script = std::make_shared<Script>();
};

Task<void> read_range(BlockCache* cache, ObjectPtr object, std::uint64_t first,
                      std::shared_ptr<Script> script, std::atomic<int>* ended) {
  const auto fetcher = std::make_shared<ScriptedFetcher>(std::move(script), "a");
  const std::uint64_t end = first + 64 * KiB;
  const auto tally = co_await read_all(*cache, std::move(object), first, end, fetcher);
  // What the cache cannot serve now its caller asks of the origin.
  EXPECT_TRUE(tally || tally.error() == Errc::overloaded);
  ++*ended;
}

TEST_F(CacheIslandTest, ReadersOfADeviceThatHangsGoToTheOriginAndNothingIsLeftBehind) {
  const ObjectPtr object = make_object(16 * MiB);
  const auto read_all_blocks = [&](int readers) {
    std::atomic<int> ended{0};
    for (int i = 0; i < readers; ++i)
      workers.spawn_on(static_cast<std::size_t>(i) % 2, "read", &read_range, cache.get(), object,
                       static_cast<std::uint64_t>(i) * 256 * KiB % (16 * MiB), script, &ended);
    while (ended < readers)
      std::this_thread::yield();
  };
  start();
  // One after another: each block finds room on its way to the disk.
  for (int i = 0; i < 4; ++i) {
    read_all_blocks(1 + 16 * i);
    settle();
  }
  // RAM is empty after a restart.
  start();
  EXPECT_EQ(cache->coverage(*object, 0, 16 * MiB - 1).cached, 4U);
  script->opened = 0;
  test::MemoryDisk& disk = *engine.disks.at("a");
  disk.gate.close();
  disk.fault = [](const auto&) { return Fault::delay; };
  read_all_blocks(200);
  EXPECT_GT(script->opened, 0);
  EXPECT_GT(disk.gate.waiting(), 0U) << "it hangs still";
  disk.gate.open();
  settle();
  EXPECT_EQ(pool.share_used(io::Share::disk_read), 0U);
  EXPECT_EQ(cache->coverage(*object, 0, 16 * MiB - 1).cached, 4U);
}

}  // namespace
}  // namespace forebay::cache
