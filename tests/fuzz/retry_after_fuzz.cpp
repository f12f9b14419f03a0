// Retry-After: never a wait below zero, never beyond a day.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/origin/retry_policy.hpp>

namespace forebay::fuzz {

void check(std::string_view input) {
  using std::chrono::seconds;
  constexpr std::chrono::sys_seconds kNow{seconds{1'900'000'000}};
  const auto wait = origin::parse_retry_after(input, kNow);
  ASSERT(!wait || (*wait >= seconds{0} && *wait <= std::chrono::days{1}));
  if (wait)
    ASSERT(origin::parse_retry_after(std::to_string(wait->count()), kNow) == wait);
}

}  // namespace forebay::fuzz
