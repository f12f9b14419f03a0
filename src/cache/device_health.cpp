#include "cache/device_health.hpp"

namespace forebay::cache {

void DeviceHealth::began(TimePoint now) {
  if (in_flight_.fetch_add(1) == 0)
    last_progress_.store(now.time_since_epoch().count());
}

bool DeviceHealth::ended(bool ok, TimePoint now) {
  in_flight_.fetch_sub(1);
  last_progress_.store(now.time_since_epoch().count());
  if (ok) {
    errors_in_a_row_.store(0);
    return false;
  }
  return errors_in_a_row_.fetch_add(1) + 1 >= kErrorsMax && !failed_.exchange(true);
}

bool DeviceHealth::usable(TimePoint now) const {
  if (failed())
    return false;
  const TimePoint last{Clock::duration{last_progress_.load()}};
  return in_flight_.load() == 0 || now - last < kWedgedAfter;
}

}  // namespace forebay::cache
