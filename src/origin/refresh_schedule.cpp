#include "origin/refresh_schedule.hpp"

#include <algorithm>

namespace forebay::origin {
namespace {

using std::chrono::seconds;

constexpr seconds kLeastWait{1};

seconds scaled(seconds duration, double factor) {
  return std::chrono::duration_cast<seconds>(std::chrono::duration<double>{duration} * factor);
}

}  // namespace

seconds until_refresh(seconds life, double random) {
  constexpr seconds kLead = std::chrono::minutes{5};
  constexpr double kJitter = 0.2;
  const seconds lead = std::min(kLead, life / 2);
  return std::max(kLeastWait, life - lead - scaled(lead, kJitter * random));
}

seconds until_retry(int failures, double random) {
  constexpr int kDoublingsMax = 6;
  constexpr seconds kMost{60};
  const seconds wait =
      std::min(kMost, kLeastWait * (1 << std::clamp(failures - 1, 0, kDoublingsMax)));
  return std::max(kLeastWait, scaled(wait, 0.5 + random / 2));
}

}  // namespace forebay::origin
