#include "support/run_on_worker.hpp"

#include <forebay/runtime/waiter.hpp>

#include <thread>

#include <gtest/gtest.h>

namespace forebay::runtime {
namespace {

TEST(Waiter, AWakeBeforeTheWaitIsKept) {
  WorkerPool pool{Config{1}};
  test::run_on_worker(pool, []() -> Task<void> {
    const auto waiter = Waiter::create();
    waiter->wake();
    const bool woken = co_await waiter->wait(Deadline::never());
    EXPECT_TRUE(woken);
  });
}

TEST(Waiter, TheDeadlineEndsTheWait) {
  WorkerPool pool{Config{1}};
  test::run_on_worker(pool, []() -> Task<void> {
    const auto waiter = Waiter::create();
    const bool woken = co_await waiter->wait(Deadline::after(milliseconds{5}));
    EXPECT_FALSE(woken);
  });
}

TEST(Waiter, AWakeFromAnotherThreadEndsTheWait) {
  WorkerPool pool{Config{1}};
  constexpr int kRounds = 2000;
  test::run_on_worker(pool, []() -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      const auto waiter = Waiter::create();
      std::thread other{[waiter] { waiter->wake(); }};
      const bool woken = co_await waiter->wait(Deadline::after(std::chrono::seconds{30}));
      other.join();
      EXPECT_TRUE(woken);
    }
  });
}

TEST(Waiter, ASpuriousCancelDoesNotEndALaterWait) {
  WorkerPool pool{Config{1}};
  test::run_on_worker(pool, []() -> Task<void> {
    const auto waiter = Waiter::create();
    // The wake is consumed at once, while the cancel that it posted is still to come.
    waiter->wake();
    const bool first = co_await waiter->wait(Deadline::never());
    const bool second = co_await waiter->wait(Deadline::after(milliseconds{5}));
    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
  });
}

TEST(WaitList, WakesEachOnce) {
  WorkerPool pool{Config{1}};
  test::run_on_worker(pool, []() -> Task<void> {
    WaitList list;
    const auto first = Waiter::create();
    const auto second = Waiter::create();
    list.add(first);
    list.add(second);
    list.wake_one();
    const bool first_woken = co_await first->wait(Deadline::never());
    EXPECT_TRUE(first_woken);
    const bool second_woken = co_await second->wait(Deadline::after(milliseconds{5}));
    EXPECT_FALSE(second_woken);
    list.wake_all();
    const bool then = co_await second->wait(Deadline::never());
    EXPECT_TRUE(then);
  });
}

}  // namespace
}  // namespace forebay::runtime
