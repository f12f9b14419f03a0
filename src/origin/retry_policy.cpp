#include <forebay/base/assert.hpp>
#include <forebay/http/date.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/origin/retry_policy.hpp>

#include <algorithm>

namespace forebay::origin {
namespace {

constexpr std::int64_t kRetry = 100;
constexpr std::chrono::seconds kRetryAfterMax = std::chrono::days{1};

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::sys_seconds now) {
  // Both a length and this are 1*DIGIT.
  if (const auto seconds = http::parse_content_length(value); seconds) {
    const auto bounded = std::min<std::uint64_t>(seconds.value(), kRetryAfterMax.count());
    return std::chrono::seconds{bounded};
  }
  const auto date = http::parse_date(value);
  if (!date)
    return std::nullopt;
  return std::clamp(date.value() - now, std::chrono::seconds{0}, kRetryAfterMax);
}

bool is_retryable_status(int status) {
  switch (status) {
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

RetryBudget::RetryBudget(const Config& config)
    : earned_by_request_{config.percent},
      balance_max_{config.retries_max * kRetry},
      balance_{balance_max_} {}

void RetryBudget::earn() {
  std::int64_t balance = balance_.load(std::memory_order_relaxed);
  std::int64_t more = 0;
  do {
    more = std::min(balance + earned_by_request_, balance_max_);
  } while (!balance_.compare_exchange_weak(balance, more, std::memory_order_relaxed));
}

bool RetryBudget::spend() {
  std::int64_t balance = balance_.load(std::memory_order_relaxed);
  while (balance >= kRetry) {
    if (balance_.compare_exchange_weak(balance, balance - kRetry, std::memory_order_relaxed))
      return true;
  }
  return false;
}

std::optional<Clock::duration> RetryPolicy::next_wait(const Failure& failure, double random) const {
  ASSERT(failure.attempts_made >= 1 && random >= 0 && random < 1);
  if (failure.attempts_made >= config_.attempts_max)
    return std::nullopt;
  milliseconds longest = config_.backoff_first;
  for (int doubled = 1; doubled < failure.attempts_made && longest < config_.backoff_max; ++doubled)
    longest *= 2;
  longest = std::min(longest, config_.backoff_max);
  const std::chrono::duration<double, std::milli> jittered = longest * random;
  Clock::duration wait = std::chrono::duration_cast<Clock::duration>(jittered);
  // Jitter comes on top: those who were told the same second should not come back together.
  if (failure.retry_after)
    wait += *failure.retry_after;
  if (wait >= failure.time_left || !budget_.spend())
    return std::nullopt;
  return wait;
}

void Pressure::note(TimePoint now, std::optional<std::chrono::seconds> retry_after) {
  const auto until = (now + retry_after.value_or(std::chrono::seconds{1})).time_since_epoch();
  Clock::rep known = until_.load(std::memory_order_relaxed);
  while (known < until.count() &&
         !until_.compare_exchange_weak(known, until.count(), std::memory_order_relaxed)) {
  }
}

TimePoint Pressure::until() const {
  return TimePoint{Clock::duration{until_.load(std::memory_order_relaxed)}};
}

}  // namespace forebay::origin
