// Fills of a cache with a device: what they keep, and what becomes of their readers.
#include "cache/slab_layout.hpp"
#include "scripted_fetcher.hpp"
#include "support/run_on_worker.hpp"

#include <forebay/base/metrics.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

class FillTest : public testing::Test {
 protected:
  ~FillTest() override {
    EXPECT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
    if (cache)
      cache->stop();
    workers.stop();
    cache.reset();
    EXPECT_EQ(pool.free_count(), pool.frame_count());
  }

  /// With one device of so many slots, none of which is ever overwritten.
  void open(std::uint64_t slots) {
    CacheConfig config;
    config.disk.devices = {{"a", slot_offset(slots)}};
    config.disk.device_writes_per_day = 0;
    cache = BlockCache::create(config, pool, &engine, workers).value();
  }
  FetcherPtr fetcher() { return std::make_shared<ScriptedFetcher>(script, "a"); }
  test::MemoryDisk& disk() { return *engine.disks.at("a"); }
  /// Every write waits at the disk's gate until it is opened.
  void hold_writes() {
    const std::lock_guard lock{disk().mutex};
    disk().gate.close();
    disk().fault = [](const test::DiskOperation& operation) {
      return operation.is_write ? test::Fault::delay : test::Fault::none;
    };
  }
  /// Fills the first blocks of the object in the background of the test.
  void start_ensure(const ObjectPtr& object, std::uint32_t blocks, FillReason reason) {
    constexpr auto run = +[](BlockCache* into, ObjectPtr of, std::uint32_t end, FetcherPtr by,
                             FillReason why) -> Task<void> {
      co_await into->ensure(std::move(of), 0, end, std::move(by), why);
    };
    workers.spawn_on(0, "ensure", run, cache.get(), object, blocks, fetcher(), reason);
  }

  test::MemoryEngine engine;
  io::BufferPool pool{{64 * MiB}};
  runtime::WorkerPool workers{runtime::Config{2}};
  std::unique_ptr<BlockCache> cache;
  std::shared_ptr<Script> script = std::make_shared<Script>();
};

TEST_F(FillTest, AReaderOutlivesAPrestageThatTheDeviceHasNoRoomFor) {
  open(1);
  const ObjectPtr object = make_object(6 * kBlockSize);
  script->hold_at = kBlockSize;
  script->body_gate.close();
  start_ensure(object, 6, FillReason::prestage);
  while (script->body_gate.waiting() == 0)
    std::this_thread::yield();
  test::run_on_worker(workers, [&]() -> Task<void> {
    script->body_gate.open();
    const auto read = co_await read_all(*cache, object, 0, 6 * kBlockSize, fetcher());
    EXPECT_TRUE(read) << read.error().message();
    EXPECT_EQ(script->opened, 2) << "the reader's own fill took over";
  });
}

TEST_F(FillTest, WhatNobodyWaitsForAndCannotBeKeptIsNotFetched) {
  open(1);
  test::run_on_worker(workers, [this]() -> Task<void> {
    const ObjectPtr first = make_object(kBlockSize);
    const bool kept = co_await cache->ensure(first, 0, 1, fetcher(), FillReason::background);
    EXPECT_TRUE(kept);
    while (!cache->disk()->contains(*first, 0))
      co_await runtime::yield();
    for (const FillReason reason : {FillReason::background, FillReason::prestage}) {
      const ObjectPtr second = make_object(kBlockSize, "v2");
      const bool filled = co_await cache->ensure(second, 0, 1, fetcher(), reason);
      EXPECT_FALSE(filled);
    }
    EXPECT_EQ(script->opened, 1);
  });
}

TEST_F(FillTest, NoFrameIsHeldWhileABodyIsReplaced) {
  open(4);
  const ObjectPtr object = make_object(kBlockSize);
  script->truncations = 1;
  script->hold_open = 2;
  script->open_gate.close();
  start_ensure(object, 1, FillReason::background);
  // The first body breaks after some bytes; the next waits for a connection.
  while (script->open_gate.waiting() == 0)
    std::this_thread::yield();
  EXPECT_GT(script->bytes, 0U);
  EXPECT_EQ(pool.free_count(), pool.frame_count());
  script->open_gate.open();
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  EXPECT_TRUE(cache->disk()->contains(*object, 0));
}

TEST_F(FillTest, APurgeReachesBlocksThatWaitForTheirWrite) {
  constexpr auto erase = +[](BlockCache* from, std::atomic<bool>* done) -> Task<void> {
    co_await from->purge("b", "");
    *done = true;
  };
  open(20);
  // Half of what may be written at once.
  const auto writes = pool.share_limit(io::Share::slot_write) * kPageSize / kBlockSize / 2;
  const ObjectPtr object = make_object((writes + 2) * kBlockSize);
  hold_writes();
  start_ensure(object, object->block_count(), FillReason::prestage);
  while (disk().gate.waiting() != writes || script->bytes < (writes + 1) * kBlockSize)
    std::this_thread::yield();
  // The fill has come to a stop with one block more, for which there is no room among the writes.
  workers.run_on_each([](runtime::Worker&) {});
  std::atomic<bool> purged{false};
  workers.spawn_on(1, "purge", erase, cache.get(), &purged);
  while (!purged)
    std::this_thread::yield();
  disk().gate.open();
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  EXPECT_EQ(script->bytes, object->identity().size);
  for (std::uint32_t block = 0; block < object->block_count(); ++block)
    EXPECT_FALSE(cache->disk()->contains(*object, block)) << block;
}

TEST_F(FillTest, WhoReadsFromDiskWaitsForTheFirstReadOnly) {
  constexpr std::uint32_t kBlocks = 10;
  open(kBlocks);
  const ObjectPtr object = make_object(kBlocks * kBlockSize);
  start_ensure(object, kBlocks, FillReason::background);
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  // Nothing of it is left in RAM.
  cache->stop();
  cache.reset();
  open(kBlocks);
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  std::uint64_t longest = 0;
  {
    const std::lock_guard lock{disk().mutex};
    disk().gate.close();
    disk().fault = [&longest](const test::DiskOperation& operation) {
      longest = std::max(longest, operation.length);
      return test::Fault::delay;
    };
  }
  metrics::Counter& waits = metrics::Registry::instance().counter(
      "forebay_cache_reader_waits_total", "", {{"for", "disk"}});
  const std::uint64_t before = waits.value();
  std::atomic<bool> done{false};
  // Every read takes some milliseconds, and so does the client.
  constexpr auto serve = +[](test::Gate* gate, std::atomic<bool>* stop) -> Task<void> {
    while (!*stop) {
      co_await runtime::sleep_until(Deadline::after(milliseconds{5}));
      gate->open();
      gate->close();
    }
    gate->open();
  };
  workers.spawn_on(1, "device", serve, &disk().gate, &done);
  test::run_on_worker(workers, [&]() -> Task<void> {
    RangeReader reader{*cache, object, 0, object->identity().size, fetcher(), patience()};
    while (!reader.done()) {
      View view = reader.try_next();
      if (!view) {
        auto next = co_await reader.next(patience());
        EXPECT_TRUE(next);
        if (!next)
          break;
        view = std::move(next).value();
      }
      const std::size_t size = view.size();
      view = {};
      co_await runtime::sleep_until(Deadline::after(milliseconds{size * 5 / MiB}));
      reader.advance(size);
    }
    done = true;
  });
  EXPECT_LE(longest, 1 * MiB);
  EXPECT_LE(waits.value() - before, 3U) << "of 40 reads";
  EXPECT_EQ(script->opened, 1 + kBlocks / kBlocksPerExtent);
}

}  // namespace
}  // namespace forebay::cache
