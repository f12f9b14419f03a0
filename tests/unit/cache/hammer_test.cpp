// Readers, writers, drops and purges of a small store at once; run under the thread sanitizer too.
#include "support/disk_fixture.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <filesystem>
#include <random>

namespace forebay::cache {
namespace {

using test::make_object;

constexpr int kKeys = 9;
constexpr int kRounds = 80;
constexpr int kTasks = 24;

struct Tally {
  std::atomic<int> hits{0};
  std::atomic<int> misses{0};
  std::atomic<int> written{0};
  std::atomic<int> unexpected{0};
};

ObjectPtr any_object(std::mt19937& random) {
  const auto key = random() % kKeys;
  const std::uint64_t size = 3 * kBlockSize + key * 12'345 + 1;
  return make_object((key % 2 ? "odd" : "even") + std::to_string(key), size,
                     "v" + std::to_string(random() % 2));
}

/// Mostly the last, short block, so that slots turn over quickly.
std::uint32_t any_block(std::mt19937& random) {
  return static_cast<std::uint32_t>(random() % 8 == 0 ? random() % 3 : 3);
}

Task<void> read_once(DiskStore& store, std::mt19937& random, Tally& tally) {
  ObjectPtr object = any_object(random);
  const std::uint32_t block = any_block(random);
  const std::uint32_t pages = page_count(object->block_length(block));
  const auto first = static_cast<std::uint32_t>(random() % pages);
  const auto count = static_cast<std::uint32_t>(1 + random() % std::min(4U, pages - first));
  const auto result = co_await test::get(store, std::move(object), block, first, count);
  ++(result ? tally.hits : tally.misses);
  if (!result && result.error() != Errc::not_found)
    ++tally.unexpected;
}

Task<void> write_once(DiskStore& store, io::BufferPool& pool, std::mt19937& random, Tally& tally) {
  ObjectPtr object = any_object(random);
  const std::uint32_t block = any_block(random);
  const auto placement = random() % 3 == 0 ? Placement::cold : Placement::hot;
  const auto result = co_await test::put(store, pool, std::move(object), block, placement);
  tally.written += result ? 1 : 0;
  if (!result && result.error() != Errc::overloaded)
    ++tally.unexpected;
}

Task<void> hammer(DiskStore* store, io::BufferPool* pool, unsigned seed, Tally* tally) {
  std::mt19937 random{seed};
  for (int round = 0; round < kRounds; ++round) {
    // A miss suspends nowhere: without a turn of the loop recovery would come too late.
    co_await runtime::sleep_until(Deadline::after(std::chrono::microseconds{200}));
    const unsigned dice = random() % 100;
    if (dice < 55) {
      co_await read_once(*store, random, *tally);
    } else if (dice < 92) {
      co_await write_once(*store, *pool, random, *tally);
    } else if (dice < 97) {
      const ObjectPtr current = any_object(random);
      store->drop_superseded(*current);
    } else if (dice < 99) {
      const ObjectPtr touched = any_object(random);
      store->touch(*touched, 3);
      store->admits();
      store->status();
    } else {
      co_await store->purge("bucket", "odd1");
    }
  }
}

class HammerTest : public test::DiskFixture {
 protected:
  /// Works on the store from both workers, from the start on: two of three times it recovers.
  void hammer_store(io::IoEngine& io_engine) {
    Tally tally;
    for (unsigned round = 0; round < 3; ++round) {
      store = DiskStore::open(config, io_engine, pool, workers).value();
      for (unsigned i = 0; i < kTasks; ++i)
        workers.spawn_on(i % 2, "hammer", &hammer, store.get(), &pool, round * kTasks + i, &tally);
      settle();
      stop();
    }
    EXPECT_EQ(tally.unexpected, 0);
    EXPECT_GT(tally.hits, 500);
    EXPECT_GT(tally.misses, 100);
    EXPECT_GT(tally.written, 500);
  }
};

TEST_F(HammerTest, OverMemory) {
  config.devices = {device("a", 16), device("b", 9)};
  config.device_writes_per_day = 1e12;
  hammer_store(engine);
}

TEST_F(HammerTest, OverFiles) {
  std::string name = (std::filesystem::current_path() / "hammer-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(name.data());
  config.devices = {device((directory / "a").string(), 16), device((directory / "b").string(), 9)};
  config.device_writes_per_day = 1e12;
  for (const auto kind : {io::EngineKind::uring, io::EngineKind::pread}) {
    io::EngineConfig engine_config;
    engine_config.kind = kind;
    engine_config.pread_threads = 4;
    const auto files = io::IoEngine::create(engine_config, workers).value();
    hammer_store(*files);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace forebay::cache
