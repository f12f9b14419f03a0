#include "cache/fill_traffic.hpp"

#include <algorithm>
#include <utility>

namespace forebay::cache {
namespace {

/// Under demand background fills have one part in so many of the time.
constexpr int kPartOfTime = 16;
constexpr milliseconds kPauseMin{500};
constexpr milliseconds kPauseMax{10'000};

}  // namespace

FillTraffic::Demand::Demand(FillTraffic& traffic) : traffic_{&traffic} {
  const std::lock_guard lock{traffic.mutex_};
  if (traffic.demand_++ == 0)
    traffic.next_turn_ = Clock::now() + std::max<Clock::duration>(kPauseMin, traffic.pause_);
}

FillTraffic::Demand::~Demand() {
  if (traffic_ == nullptr)
    return;
  {
    const std::lock_guard lock{traffic_->mutex_};
    if (--traffic_->demand_ != 0)
      return;
  }
  traffic_->waiting_.wake_all();
}

bool FillTraffic::has_demand() const {
  const std::lock_guard lock{mutex_};
  return demand_ != 0;
}

Task<void> FillTraffic::background_turn() {
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  for (;;) {
    waiting_.add(waiter);
    TimePoint until;
    {
      const std::lock_guard lock{mutex_};
      const TimePoint now = Clock::now();
      if (demand_ == 0 || now >= next_turn_) {
        next_turn_ = now + std::max<Clock::duration>(kPauseMin, pause_);
        break;
      }
      until = next_turn_;
    }
    co_await waiter->wait(Deadline::at(until));
    waiting_.remove(waiter);
  }
  waiting_.remove(waiter);
}

void FillTraffic::note_background(Clock::duration took) {
  const std::lock_guard lock{mutex_};
  pause_ = std::clamp<Clock::duration>(took * kPartOfTime, kPauseMin, kPauseMax);
}

}  // namespace forebay::cache
