#include "cache/device_health.hpp"

#include <algorithm>

namespace forebay::cache {

void DeviceHealth::began(TimePoint now) {
  const std::lock_guard lock{mutex_};
  if (in_flight_++ == 0)
    last_progress_ = now;
}

DeviceHealth::Change DeviceHealth::ended(Direction direction, bool ok, TimePoint now) {
  const std::lock_guard lock{mutex_};
  Change change;
  --in_flight_;
  last_progress_ = now;
  silent_since_ = {};
  if (stalled() && --owed_ == 0) {
    stalled_ = false;
    change.recovered = true;
  }
  if (direction == Direction::read) {
    read_errors_ = ok ? 0 : read_errors_ + 1;
    change.condemned = read_errors_ == kReadErrorsMax && !failed_.exchange(true);
  } else if (ok) {
    change.opened = closed_.exchange(false);
  } else if (!closed_.exchange(true)) {
    retry_after_ = kRetryMin;
    retry_at_ = now + retry_after_;
    change.closed = true;
  }
  return change;
}

bool DeviceHealth::look(TimePoint now) {
  const std::lock_guard lock{mutex_};
  if (stalled() || in_flight_ == 0 || now - last_progress_ < stall_)
    return false;
  if (silent_since_ == TimePoint{})
    silent_since_ = now;
  if (now - silent_since_ < kGrace)
    return false;
  owed_ = in_flight_;
  stalled_ = true;
  return true;
}

TimePoint DeviceHealth::next_look(TimePoint now) const {
  const std::lock_guard lock{mutex_};
  if (stalled())
    return now + stall_;
  return std::max(last_progress_ + stall_, now + kGrace);
}

bool DeviceHealth::may_write_locked(TimePoint now) const {
  return readable() && (!closed_.load(std::memory_order_relaxed) || now >= retry_at_);
}

bool DeviceHealth::may_write(TimePoint now) const {
  const std::lock_guard lock{mutex_};
  return may_write_locked(now);
}

bool DeviceHealth::begin_write(TimePoint now) {
  const std::lock_guard lock{mutex_};
  if (!may_write_locked(now))
    return false;
  if (closed_.load(std::memory_order_relaxed)) {
    retry_after_ = std::min(2 * retry_after_, kRetryMax);
    retry_at_ = now + retry_after_;
  }
  return true;
}

}  // namespace forebay::cache
