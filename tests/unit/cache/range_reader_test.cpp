#include "scripted_fetcher.hpp"
#include "support/run_on_worker.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

constexpr std::uint64_t kPool = 64 * MiB;

class RangeReaderTest : public testing::Test {
 protected:
  RangeReaderTest() {
    CacheConfig config;
    config.fill_stall = milliseconds{30};
    cache = BlockCache::create(config, pool, nullptr, workers).value();
  }
  ~RangeReaderTest() override {
    EXPECT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
    workers.stop();
    cache.reset();
    EXPECT_EQ(pool.free_count(), pool.frame_count());
  }

  FetcherPtr fetcher(std::string caller = "a") {
    return std::make_shared<ScriptedFetcher>(script, std::move(caller));
  }

  io::BufferPool pool{{kPool}};
  runtime::WorkerPool workers{runtime::Config{2}};
  std::unique_ptr<BlockCache> cache;
  std::shared_ptr<Script> script = std::make_shared<Script>();
};

TEST_F(RangeReaderTest, AColdReadFillsAndAHotOneAsksNobody) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const ObjectPtr object = make_object(9 * MiB + 7);
    const auto cold = co_await read_all(*cache, object, 0, 9 * MiB + 7, fetcher());
    EXPECT_TRUE(cold);
    EXPECT_EQ(script->opened, 1);
    EXPECT_EQ(script->bytes, 9 * MiB + 7);
    const auto hot = co_await read_all(*cache, object, 1, 9 * MiB + 7, fetcher());
    EXPECT_TRUE(hot);
    EXPECT_EQ(hot.value().cached, 9 * MiB + 6);
    EXPECT_EQ(hot.value().filled, 0U);
    EXPECT_EQ(script->opened, 1);
    EXPECT_EQ(cache->coverage(*object, 0, 9 * MiB + 6).cached, 3U);
  });
}

TEST_F(RangeReaderTest, ManyReadersShareOneFill) {
  constexpr int kReaders = 40;
  const ObjectPtr object = make_object(6 * MiB);
  std::atomic<int> right{0};
  constexpr auto read = +[](RangeReaderTest* test, ObjectPtr o, std::atomic<int>* ok,
                            BlockCache* block_cache, FetcherPtr f) -> Task<void> {
    static_cast<void>(test);
    const auto result = co_await read_all(*block_cache, std::move(o), 0, 6 * MiB, std::move(f));
    *ok += result ? 1 : 0;
  };
  for (int i = 0; i < kReaders; ++i)
    workers.spawn_on(static_cast<std::size_t>(i) % 2, "read", read,
                     static_cast<RangeReaderTest*>(this), object, &right, cache.get(), fetcher());
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{60})));
  EXPECT_EQ(right, kReaders);
  EXPECT_EQ(script->bytes, 6 * MiB);
}

TEST_F(RangeReaderTest, ATruncatedOrStalledBodyIsReplacedOnce) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    script->truncations = 1;
    const auto truncated = co_await read_all(*cache, make_object(5 * MiB), 0, 5 * MiB, fetcher());
    EXPECT_TRUE(truncated);
    EXPECT_EQ(script->opened, 2);
    script->stalls = 1;
    const auto stalled =
        co_await read_all(*cache, make_object(5 * MiB, "v2"), 0, 5 * MiB, fetcher());
    EXPECT_TRUE(stalled);
    EXPECT_EQ(script->opened, 4);
  });
}

TEST_F(RangeReaderTest, OneFailedFillFailsNobody) {
  constexpr int kReaders = 20;
  const ObjectPtr object = make_object(5 * MiB);
  script->outages = 1;
  script->open_gate.close();
  std::atomic<int> started{0};
  std::atomic<int> right{0};
  constexpr auto read = +[](BlockCache* from, ObjectPtr o, std::atomic<int>* begun,
                            std::atomic<int>* ok, FetcherPtr by) -> Task<void> {
    ++*begun;
    const auto result = co_await read_all(*from, std::move(o), 0, 5 * MiB, std::move(by));
    *ok += result ? 1 : 0;
  };
  for (int i = 0; i < kReaders; ++i)
    workers.spawn_on(0, "read", read, cache.get(), object, &started, &right, fetcher());
  while (started != kReaders || script->open_gate.waiting() == 0)
    std::this_thread::yield();
  script->open_gate.open();
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{60})));
  EXPECT_EQ(right, kReaders);
  EXPECT_EQ(script->opened, 2);
}

TEST_F(RangeReaderTest, AFillThatBreaksTwiceIsFollowedByAnother) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    script->truncations = 2;
    const auto result = co_await read_all(*cache, make_object(5 * MiB), 0, 5 * MiB, fetcher());
    EXPECT_TRUE(result);
  });
}

TEST_F(RangeReaderTest, TwoFillsThatBreakFailTheirReaderAndLeaveNothing) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    script->truncations = 4;
    const ObjectPtr object = make_object(5 * MiB);
    const auto result = co_await read_all(*cache, object, 0, 5 * MiB, fetcher());
    EXPECT_EQ(result.error(), Errc::truncated);
    EXPECT_EQ(cache->coverage(*object, 0, 5 * MiB - 1).cached, 0U);
  });
}

TEST_F(RangeReaderTest, AChangedObjectIsReported) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    script->changed = true;
    const auto result = co_await read_all(*cache, make_object(5 * MiB), 0, 5 * MiB, fetcher());
    EXPECT_EQ(result.error(), Errc::changed);
  });
}

TEST_F(RangeReaderTest, ARefusedFillFailsItsReader) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    script->refusals = 1;
    const auto result = co_await read_all(*cache, make_object(5 * MiB), 0, 5 * MiB, fetcher());
    EXPECT_EQ(result.error(), Errc::refused);
    EXPECT_EQ(script->opened, 1);
  });
}

TEST_F(RangeReaderTest, ObjectsLargerThanThePoolAreReadThrough) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const auto result = co_await read_all(*cache, make_object(3 * kPool), 0, 3 * kPool, fetcher());
    EXPECT_TRUE(result);
  });
}

TEST_F(RangeReaderTest, WhatIsPurgedIsFetchedAgain) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const ObjectPtr object = make_object(5 * MiB);
    auto result = co_await read_all(*cache, object, 0, 5 * MiB, fetcher());
    EXPECT_TRUE(result);
    const Purged other = co_await cache->purge("b", "x");
    EXPECT_EQ(other.blocks, 0U);
    const Purged purged = co_await cache->purge("b", "");
    EXPECT_EQ(purged.blocks, 2U);
    EXPECT_EQ(cache->coverage(*object, 0, 5 * MiB - 1).cached, 0U);
    result = co_await read_all(*cache, object, 0, 5 * MiB, fetcher());
    EXPECT_TRUE(result);
    EXPECT_EQ(script->opened, 2);
  });
}

TEST_F(RangeReaderTest, AReaderOfFewBytesWaitsForNoMoreThanThose) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    // The body comes in pieces of some 50 KB, and no more than two of them.
    script->hold_at = 100'000;
    script->body_gate.close();
    const ObjectPtr object = make_object(kBlockSize);
    RangeReader reader{*cache, object, 60'000, 60'010, fetcher(), patience()};
    const TimePoint began = Clock::now();
    const auto view = co_await reader.next(patience());
    EXPECT_TRUE(view);
    EXPECT_LT(Clock::now() - began, std::chrono::seconds{10}) << "found only at the deadline";
    script->body_gate.open();
  });
}

TEST_F(RangeReaderTest, AReaderThatLeavesEndsItsFillAtTheNextBlock) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const ObjectPtr object = make_object(64 * MiB);
    {
      RangeReader reader{*cache, object, 0, 64 * MiB, fetcher(), patience()};
      const auto view = co_await reader.next(Deadline::after(std::chrono::seconds{20}));
      EXPECT_TRUE(view);
    }
    co_return;
  });
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  EXPECT_LE(script->bytes, 2 * kBlockSize);
}

TEST_F(RangeReaderTest, AnOpenBodyCanBeAdoptedOnce) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const ObjectPtr object = make_object(9 * MiB);
    RangeReader reader{*cache, object, 0, 9 * MiB, fetcher(), patience()};
    reader.adopt(std::make_unique<ScriptedSource>(script, 0, 9 * MiB));
    RangeReader late{*cache, object, 0, 9 * MiB, fetcher(), patience()};
    late.adopt(std::make_unique<ScriptedSource>(script, 0, 9 * MiB));
    const auto result = co_await read_all(*cache, object, 0, 9 * MiB, fetcher());
    EXPECT_TRUE(result);
    EXPECT_EQ(script->opened, 0);
    EXPECT_EQ(script->bytes, 9 * MiB);
  });
}

TEST_F(RangeReaderTest, WhoIsFarAheadOfAFillDoesNotWaitForIt) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const std::uint64_t size = 3 * kExtentSize;
    const ObjectPtr object = make_object(size);
    script->hold_at = MiB;
    script->body_gate.close();
    RangeReader reader{*cache, object, 0, size, fetcher(), patience()};
    reader.adopt(std::make_unique<ScriptedSource>(script, 0, size));
    RangeReader far{*cache, object, 2 * kExtentSize, size, fetcher(), patience()};
    const auto bytes = co_await far.next(Deadline::after(std::chrono::seconds{20}));
    EXPECT_EQ(bytes.error(), Errc::overloaded);
    RangeReader near{*cache, object, kExtentSize, size, fetcher(), patience()};
    const auto waited = co_await near.next(Deadline::after(milliseconds{50}));
    EXPECT_EQ(waited.error(), Errc::timeout);
    script->body_gate.open();
    EXPECT_EQ(script->opened, 0);
  });
}

TEST_F(RangeReaderTest, AFillThatWaitsForItsReaderKeepsNoConnection) {
  test::run_on_worker(workers, [this]() -> Task<void> {
    const std::uint64_t size = 6 * kBlockSize;
    const ObjectPtr object = make_object(size);
    RangeReader slow{*cache, object, 0, size, fetcher(), patience()};
    const auto bytes = co_await slow.next(Deadline::after(std::chrono::seconds{20}));
    EXPECT_TRUE(bytes);
    const Deadline patience = Deadline::after(std::chrono::seconds{20});
    while (script->bodies != 0 && !patience.expired())
      co_await runtime::sleep_until(Deadline::after(milliseconds{10}));
    EXPECT_EQ(script->bodies, 0);
    // That is not the one replacement which a broken body gets.
    script->truncations = 1;
    const auto rest = co_await read_all(*cache, object, 0, size, fetcher());
    EXPECT_TRUE(rest);
    EXPECT_EQ(script->opened, 3);
    EXPECT_LT(script->bytes, size + kBlockSize);
  });
}

}  // namespace
}  // namespace forebay::cache
