#include <forebay/origin/retry_policy.hpp>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::origin {
namespace {

using std::chrono::seconds;

TEST(ParseRetryAfter, TakesSecondsAndDates) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  constexpr std::chrono::sys_seconds kNow{seconds{784'111'777}};
  struct Case {
    std::string value;
    std::optional<seconds> wait;
  };
  const std::vector<Case> cases{
      {"0", seconds{0}},
      {"120", seconds{120}},
      {"86400", seconds{86'400}},
      {"86401", seconds{86'400}},
      {"18446744073709551615", seconds{86'400}},
      {"Sun, 06 Nov 1994 08:49:47 GMT", seconds{10}},
      {"Sun, 06 Nov 1994 08:49:27 GMT", seconds{0}},
      {"Tue, 06 Nov 2001 08:49:37 GMT", seconds{86'400}},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {"18446744073709551616", std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.value);
    EXPECT_EQ(parse_retry_after(c.value, kNow), c.wait);
  }
}

TEST(IsRetryableStatus, IsWhatAnotherAttemptMayNotGet) {
  for (const int status : {429, 500, 502, 503, 504})
    EXPECT_TRUE(is_retryable_status(status)) << status;
  for (const int status : {200, 206, 301, 304, 400, 403, 404, 412, 416, 501, 505, 507})
    EXPECT_FALSE(is_retryable_status(status)) << status;
}

class RetryPolicyTest : public testing::Test {
 protected:
  std::optional<Clock::duration> next(int attempts_made, double random,
                                      std::optional<seconds> retry_after = std::nullopt,
                                      Clock::duration time_left = Clock::duration::max()) {
    return policy_.next_wait(
        {.attempts_made = attempts_made, .retry_after = retry_after, .time_left = time_left},
        random);
  }

 private:
  RetryBudget budget_{{.percent = 10, .retries_max = 1'000}};
  RetryPolicy policy_{
      {.attempts_max = 100, .backoff_first = milliseconds{50}, .backoff_max = milliseconds{300}},
      budget_};
};

TEST_F(RetryPolicyTest, DoublesUpToItsBound) {
  struct Case {
    int attempts_made;
    milliseconds half;  ///< What a random of one half gives.
  };
  for (const Case& c : {Case{1, milliseconds{25}},
                        {2, milliseconds{50}},
                        {3, milliseconds{100}},
                        {4, milliseconds{150}},
                        {99, milliseconds{150}}}) {
    SCOPED_TRACE(c.attempts_made);
    EXPECT_EQ(next(c.attempts_made, 0.5), c.half);
    EXPECT_EQ(next(c.attempts_made, 0), milliseconds{0});
  }
  EXPECT_EQ(next(100, 0.5), std::nullopt);
}

TEST_F(RetryPolicyTest, WaitsNoLessThanItWasAskedTo) {
  EXPECT_EQ(next(1, 0, seconds{3}), seconds{3});
  EXPECT_EQ(next(1, 0.5, seconds{3}), milliseconds{3'025});
}

TEST_F(RetryPolicyTest, GivesUpWhereTheDeadlineComesFirst) {
  EXPECT_EQ(next(1, 0.5, {}, milliseconds{26}), milliseconds{25});
  EXPECT_EQ(next(1, 0.5, {}, milliseconds{25}), std::nullopt);
  EXPECT_EQ(next(1, 0, seconds{3}, seconds{2}), std::nullopt);
  EXPECT_EQ(next(1, 0, {}, milliseconds{-1}), std::nullopt);
}

TEST(RetryBudget, EarnsOneRetryWithEveryTenRequests) {
  RetryBudget budget{{.percent = 10, .retries_max = 2}};
  EXPECT_TRUE(budget.spend());
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  for (int i = 0; i < 9; ++i)
    budget.earn();
  EXPECT_FALSE(budget.spend());
  budget.earn();
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
  for (int i = 0; i < 1'000; ++i)
    budget.earn();
  EXPECT_TRUE(budget.spend());
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend()) << "no more than retries_max is saved up";
}

TEST(RetryBudget, IsOnlySpentOnRetriesThatAreMade) {
  RetryBudget budget{{.percent = 0, .retries_max = 1}};
  const RetryPolicy policy{{.attempts_max = 2}, budget};
  EXPECT_FALSE(policy.next_wait({.attempts_made = 2}, 0.5)) << "the last attempt was made";
  EXPECT_FALSE(policy.next_wait({.attempts_made = 1, .time_left = Clock::duration{0}}, 0.5));
  EXPECT_TRUE(policy.next_wait({.attempts_made = 1}, 0.5)) << "paid for";
  EXPECT_FALSE(policy.next_wait({.attempts_made = 1}, 0.5)) << "nothing left";
}

TEST(RetryBudget, CountsRightOnSeveralThreads) {
  RetryBudget budget{{.percent = 10, .retries_max = 1'000'000}};
  while (budget.spend()) {
  }
  std::atomic<int> spent{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&budget, &spent] {
      for (int i = 0; i < 1'000; ++i) {
        budget.earn();
        if (budget.spend())
          ++spent;
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  while (budget.spend())
    ++spent;
  EXPECT_EQ(spent, 400);
}

TEST(Pressure, LastsAsLongAsTheLongestWish) {
  Pressure pressure;
  const TimePoint now = Clock::now();
  EXPECT_LT(pressure.until(), now);
  pressure.note(now, std::nullopt);
  EXPECT_EQ(pressure.until(), now + std::chrono::seconds{1});
  pressure.note(now, std::chrono::seconds{5});
  pressure.note(now, std::chrono::seconds{2});
  EXPECT_EQ(pressure.until(), now + std::chrono::seconds{5});
}

}  // namespace
}  // namespace forebay::origin
