#include "support/run_on_worker.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/runtime/waiter.hpp>

#include <set>

#include <gtest/gtest.h>

namespace forebay::io {
namespace {

constexpr std::size_t kFrames = 32 * MiB / kPageSize;

TEST(BufferPool, FramesAreDistinctAlignedAndWritable) {
  BufferPool pool{{32 * MiB}};
  EXPECT_EQ(pool.frame_count(), kFrames);
  auto lease = pool.try_acquire(Share::fill, pool.share_limit(Share::fill));
  ASSERT_TRUE(lease);
  std::set<std::byte*> seen;
  for (const PageRef& page : lease->pages) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(page.data()) % kPageSize, 0U);
    EXPECT_TRUE(seen.insert(page.data()).second);
    page.data()[kPageSize - 1] = std::byte{1};
  }
}

TEST(BufferPool, SharesBoundWhatIsChargedToThem) {
  BufferPool pool{{32 * MiB}};
  const std::size_t limit = pool.share_limit(Share::speculation);
  auto all = pool.try_acquire(Share::speculation, limit);
  ASSERT_TRUE(all);
  EXPECT_FALSE(pool.try_acquire(Share::speculation, 1));
  EXPECT_TRUE(pool.try_acquire(Share::fill, 1));
  std::vector<PageRef> pages = all->pages;
  all.reset();
  // The charge has ended although the frames live on.
  EXPECT_TRUE(pool.try_acquire(Share::speculation, limit));
  EXPECT_EQ(pool.free_count(), kFrames - limit);
}

TEST(BufferPool, AChargeOfHeldFramesCountsAgainstTheShare) {
  BufferPool pool{{32 * MiB}};
  auto lease = pool.try_acquire(Share::fill, pool.share_limit(Share::slot_write));
  auto writes = pool.try_charge(Share::slot_write, lease->pages);
  ASSERT_TRUE(writes);
  EXPECT_FALSE(pool.try_charge(Share::slot_write, {lease->pages.front()}));
}

TEST(BufferPool, TheReclaimerMakesRoom) {
  BufferPool pool{{32 * MiB}};
  std::vector<PageRef> resident;
  while (auto lease = pool.try_acquire(Share::fill, 1))
    resident.push_back(lease->pages.front());
  ASSERT_EQ(pool.free_count(), 0U);
  std::size_t asked = 0;
  pool.set_reclaimer([&](std::size_t wanted) {
    asked = wanted;
    resident.resize(resident.size() - wanted);
    return wanted;
  });
  auto lease = pool.try_acquire(Share::disk_read, 5);
  ASSERT_TRUE(lease);
  EXPECT_EQ(asked, 5U);
  pool.set_reclaimer(nullptr);
}

TEST(BufferPool, WaitersAreServedInTurnWhenFramesComeFree) {
  BufferPool pool{{32 * MiB}};
  runtime::WorkerPool workers{runtime::Config{1}};
  test::run_on_worker(workers, [&pool]() -> Task<void> {
    auto first = pool.try_acquire(Share::fill, pool.share_limit(Share::fill));
    EXPECT_TRUE(first);
    auto timed_out = co_await pool.acquire(Share::fill, 1, Deadline::after(milliseconds{5}));
    EXPECT_EQ(timed_out.error(), Errc::overloaded);
    auto release = std::make_shared<std::optional<Lease>>(std::move(*first));
    boost::asio::post(runtime::Worker::current().context(), [release] { release->reset(); });
    auto lease = co_await pool.acquire(Share::fill, 2, Deadline::after(std::chrono::seconds{30}));
    EXPECT_TRUE(lease);
  });
}

TEST(BufferPool, AChargeWaitsForTheEndOfOthers) {
  BufferPool pool{{32 * MiB}};
  runtime::WorkerPool workers{runtime::Config{1}};
  test::run_on_worker(workers, [&pool]() -> Task<void> {
    auto frames = pool.try_acquire(Share::fill, pool.share_limit(Share::slot_write));
    auto first = pool.try_charge(Share::slot_write, frames->pages);
    EXPECT_TRUE(first);
    std::vector<PageRef> page{frames->pages.front()};
    auto timed_out =
        co_await pool.charge(Share::slot_write, page, Deadline::after(milliseconds{5}));
    EXPECT_EQ(timed_out.error(), Errc::overloaded);
    auto release = std::make_shared<std::optional<Lease>>(std::move(*first));
    boost::asio::post(runtime::Worker::current().context(), [release] { release->reset(); });
    auto lease =
        co_await pool.charge(Share::slot_write, page, Deadline::after(std::chrono::seconds{30}));
    EXPECT_TRUE(lease);
    EXPECT_EQ(pool.share_used(Share::slot_write), 1U);
  });
  EXPECT_EQ(pool.share_used(Share::slot_write), 0U);
  EXPECT_EQ(pool.free_count(), pool.frame_count());
}

TEST(BufferPool, ADeviceThatKeepsItsFramesKeepsNoMoreThanItsPart) {
  BufferPool pool{{64 * MiB}};
  const std::size_t all = pool.share_limit(Share::disk_read);
  EXPECT_EQ(pool.part_limit(Share::disk_read), all) << "one device alone";
  pool.divide(2);
  for (const Share share : {Share::disk_read, Share::slot_write, Share::speculation}) {
    const std::size_t part = pool.part_limit(share);
    EXPECT_EQ(part, pool.share_limit(share) / 2);
    const auto hung = pool.try_acquire(share, part, 0);
    ASSERT_TRUE(hung);
    EXPECT_FALSE(pool.try_acquire(share, 1, 0));
    EXPECT_TRUE(pool.try_acquire(share, part, 1));
  }
  EXPECT_EQ(pool.part_limit(Share::fill), pool.share_limit(Share::fill));
  pool.divide(100);
  EXPECT_EQ(pool.part_limit(Share::slot_write), kDevicePartMin);
}

TEST(BufferPool, WaitersForASuspendedDeviceAreRefusedAtOnce) {
  BufferPool pool{{32 * MiB}};
  pool.divide(2);
  runtime::WorkerPool workers{runtime::Config{1}};
  test::run_on_worker(workers, [&pool]() -> Task<void> {
    const auto held = pool.try_acquire(Share::disk_read, pool.part_limit(Share::disk_read), 1);
    boost::asio::post(runtime::Worker::current().context(), [&pool] { pool.suspend(1, true); });
    const auto refused = co_await pool.acquire(Share::disk_read, 1, Deadline::never(), 1);
    EXPECT_EQ(refused.error(), Errc::overloaded);
    const auto again = co_await pool.acquire(Share::speculation, 1, Deadline::never(), 1);
    EXPECT_EQ(again.error(), Errc::overloaded) << "although there is room";
    const auto other = co_await pool.acquire(Share::disk_read, 1, Deadline::never(), 0);
    EXPECT_TRUE(other);
    pool.suspend(1, false);
    const auto back = co_await pool.acquire(Share::speculation, 1, Deadline::never(), 1);
    EXPECT_TRUE(back);
  });
  EXPECT_EQ(pool.free_count(), pool.frame_count());
}

TEST(BufferPool, ManyTasksOnTwoWorkersNeverExceedTheShareAndAllFinish) {
  BufferPool pool{{32 * MiB}};
  runtime::WorkerPool workers{runtime::Config{2}};
  constexpr int kTasks = 64;
  constexpr int kRounds = 200;
  std::atomic<int> finished{0};
  std::atomic<bool> exceeded{false};
  constexpr auto work =
      +[](BufferPool* p, std::atomic<int>* done, std::atomic<bool>* over) -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      auto lease = co_await p->acquire(Share::disk_read, 1 + i % 32, Deadline::never());
      if (p->share_used(Share::disk_read) > p->share_limit(Share::disk_read))
        *over = true;
      co_await runtime::sleep_until(Deadline::after(std::chrono::microseconds{50}));
    }
    ++*done;
  };
  for (int i = 0; i < kTasks; ++i)
    workers.spawn_on(static_cast<std::size_t>(i) % 2, "test", work, &pool, &finished, &exceeded);
  ASSERT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{60})));
  EXPECT_EQ(finished, kTasks);
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(pool.free_count(), pool.frame_count());
  EXPECT_EQ(pool.share_used(Share::disk_read), 0U);
}

}  // namespace
}  // namespace forebay::io
