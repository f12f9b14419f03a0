#include "origin/refresh_schedule.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::origin {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

TEST(RefreshSchedule, RefreshesWellBeforeTheEnd) {
  struct Case {
    std::string name;
    seconds life;
    double random;
    seconds expected;
  };
  const std::vector<Case> cases{
      {"an hour", 1h, 0, 55min},
      {"an hour, jittered", 1h, 0.5, 55min - 30s},
      {"half the life", 4min, 0, 2min},
      {"half the life, jittered", 100s, 0.999, 41s},
      {"the two meet", 10min, 0, 5min},
      {"never at once", 1s, 0.9, 1s},
      {"over already", 0s, 0, 1s},
      {"long over", -1h, 0.9, 1s},
      {"for ever", std::chrono::years{7'000}, 0, std::chrono::years{7'000} - 5min},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(until_refresh(c.life, c.random), c.expected);
  }
}

TEST(RefreshSchedule, RetriesEverLater) {
  struct Case {
    int failures;
    double random;
    seconds expected;
  };
  const std::vector<Case> cases{{1, 0, 1s},  {1, 0.99, 1s},  {2, 0, 1s},
                                {3, 0, 2s},  {3, 0.999, 3s}, {6, 0, 16s},
                                {7, 0, 30s}, {8, 0.5, 45s},  {1'000'000, 0, 30s}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.failures);
    EXPECT_EQ(until_retry(c.failures, c.random), c.expected);
  }
}

}  // namespace
}  // namespace forebay::origin
