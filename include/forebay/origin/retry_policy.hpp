#pragma once
// When a request that may be repeated is sent to the origin again, and after how long. Pure: time
// and chance are arguments.
#include <forebay/base/units.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace forebay::origin {

/// The wait that a Retry-After field asks for (RFC 9110 section 10.2.3: seconds or a date); nullopt
/// where it is neither. A date in the past is no wait; a wait of more than a day counts as a day.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::sys_seconds now);

/// True for the answers that another attempt may not get: 429, 500, 502, 503, 504.
bool is_retryable_status(int status);

/// Bounds what retries add to the origin's load: each request earns a fraction of a retry, so that
/// an origin in trouble sees little more than the readers ask for. One for the node, any thread.
class RetryBudget {
 public:
  struct Config {
    int percent = 10;      ///< Retries for each hundred requests.
    int retries_max = 20;  ///< Saved up at most, and there at the start.
  };

  explicit RetryBudget(const Config& config);

  /// A request was sent for the first time.
  void earn();
  /// False where nothing is left: do not retry.
  bool spend();

 private:
  std::int64_t earned_by_request_;
  std::int64_t balance_max_;
  std::atomic<std::int64_t> balance_;  ///< In hundredths of a retry.
};

/// What an origin that asks for less has asked for. One for the node, any thread.
class Pressure {
 public:
  /// The origin said 429 or 503 at `now`; where it named no time, a second is left to it.
  void note(TimePoint now, std::optional<std::chrono::seconds> retry_after);
  /// When the last such time ends; long past where there was none.
  TimePoint until() const;

 private:
  std::atomic<Clock::rep> until_{0};
};

/// Jittered exponential back-off for a safe request.
class RetryPolicy {
 public:
  struct Config {
    int attempts_max = 3;             ///< The first one included.
    milliseconds backoff_first{50};   ///< The longest wait before the second attempt; then doubled.
    milliseconds backoff_max{2'000};  ///< Where doubling ends.
  };

  /// What is known when an attempt has failed in a way that is_retryable() or
  /// is_retryable_status().
  struct Failure {
    int attempts_made = 1;
    std::optional<std::chrono::seconds> retry_after = {};
    Clock::duration time_left = Clock::duration::max();  ///< Until the request's deadline.
  };

  /// The budget must outlive this.
  RetryPolicy(const Config& config, RetryBudget& budget) : config_{config}, budget_{budget} {}

  /// How long to wait before the next attempt, which the budget has then paid for; nullopt to give
  /// up. Never less than Retry-After asks, never as long as the deadline is away. `random` is in
  /// [0, 1).
  std::optional<Clock::duration> next_wait(const Failure& failure, double random) const;

 private:
  Config config_;
  RetryBudget& budget_;
};

}  // namespace forebay::origin
