#include <forebay/runtime/watchdog.hpp>

namespace forebay::runtime {

void Watchdog::arm(Entry& entry, Deadline deadline) {
  entry.unlink();
  if (deadline.when() == TimePoint::max())
    return;
  entry.deadline_ = deadline.when();
  armed_.push_back(entry);
  if (!ticking_) {
    ticking_ = true;
    tick();
  }
}

void Watchdog::tick() {
  timer_.expires_after(kResolution);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) {
      ticking_ = false;
      return;
    }
    const TimePoint now = Clock::now();
    // A callback may arm or disarm any entry, so the late ones are moved out first.
    decltype(armed_) late;
    for (auto it = armed_.begin(); it != armed_.end();) {
      Entry& entry = *it++;
      if (entry.deadline_ > now)
        continue;
      entry.unlink();
      late.push_back(entry);
    }
    while (!late.empty()) {
      Entry& entry = late.front();
      late.pop_front();
      entry.on_deadline();
    }
    if (armed_.empty())
      ticking_ = false;
    else
      tick();
  });
}

}  // namespace forebay::runtime
