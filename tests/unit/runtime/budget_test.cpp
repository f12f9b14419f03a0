#include "support/run_on_worker.hpp"

#include <forebay/runtime/budget.hpp>

#include <optional>

#include <gtest/gtest.h>

namespace forebay::runtime {
namespace {

Deadline patience() {
  return Deadline::after(std::chrono::seconds{30});
}

Task<void> take_and_count(Budget* budget, int* taken) {
  const Budget::Permit permit = co_await budget->acquire(patience());
  if (permit)
    ++*taken;
}

TEST(Budget, EveryReleaseReachesOneWhoStillWaits) {
  runtime::WorkerPool workers{runtime::Config{1}};
  Budget budget{1};
  int taken = 0;
  test::run_on_worker(workers, [&]() -> Task<void> {
    // Those who gave up, and those who were served before, must not be woken in place of others.
    std::optional<Budget::Permit> held = co_await budget.acquire(patience());
    for (int round = 0; round < 3; ++round) {
      const Budget::Permit none = co_await budget.acquire(Deadline::after(milliseconds{2}));
      EXPECT_FALSE(none);
    }
    constexpr int kWaiters = 8;
    for (int i = 0; i < kWaiters; ++i)
      runtime::Worker::current().tasks().spawn("waiter", &take_and_count, &budget, &taken);
    co_await runtime::yield();
    held.reset();
    const Deadline deadline = Deadline::after(std::chrono::seconds{5});
    while (taken != kWaiters && !deadline.expired())
      co_await runtime::sleep_until(Deadline::after(milliseconds{1}));
    EXPECT_EQ(taken, kWaiters);
  });
}

}  // namespace
}  // namespace forebay::runtime
