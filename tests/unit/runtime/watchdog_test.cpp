#include "support/run_on_worker.hpp"

#include <forebay/runtime/waiter.hpp>
#include <forebay/runtime/watchdog.hpp>

#include <gtest/gtest.h>

namespace forebay::runtime {
namespace {

class Entry final : public Watchdog::Entry {
 public:
  explicit Entry(std::shared_ptr<Waiter> waiter) : waiter_{std::move(waiter)} {}
  int fired = 0;

 private:
  void on_deadline() override {
    ++fired;
    waiter_->wake();
  }
  std::shared_ptr<Waiter> waiter_;
};

TEST(Watchdog, CallsBackOncePastTheDeadline) {
  WorkerPool pool{Config{1}};
  test::run_on_worker(pool, []() -> Task<void> {
    const auto waiter = Waiter::create();
    Entry late{waiter};
    Entry disarmed{waiter};
    Entry far{waiter};
    Watchdog& watchdog = Worker::current().watchdog();
    watchdog.arm(late, Deadline::after(milliseconds{1}));
    watchdog.arm(disarmed, Deadline::after(milliseconds{1}));
    watchdog.arm(far, Deadline::after(std::chrono::hours{1}));
    Watchdog::disarm(disarmed);
    co_await waiter->wait(Deadline::never());
    const bool again = co_await waiter->wait(Deadline::after(3 * Watchdog::kResolution));
    EXPECT_FALSE(again);
    EXPECT_EQ(late.fired, 1);
    EXPECT_EQ(disarmed.fired, 0);
    EXPECT_EQ(far.fired, 0);
  });
}

TEST(Watchdog, ArmingAgainReplacesTheDeadline) {
  WorkerPool pool{Config{1}};
  test::run_on_worker(pool, []() -> Task<void> {
    const auto waiter = Waiter::create();
    Entry entry{waiter};
    Watchdog& watchdog = Worker::current().watchdog();
    watchdog.arm(entry, Deadline::after(std::chrono::hours{1}));
    watchdog.arm(entry, Deadline::after(milliseconds{1}));
    const bool fired = co_await waiter->wait(Deadline::after(std::chrono::seconds{30}));
    EXPECT_TRUE(fired);
  });
}

}  // namespace
}  // namespace forebay::runtime
