#include "cache/write_budget.hpp"

#include "cache/slab_layout.hpp"

#include <algorithm>
#include <chrono>

namespace forebay::cache {
namespace {

constexpr double kSecondsPerDay = 86'400;
constexpr std::uint64_t kBurstShare = 8;
constexpr std::uint64_t kBurstMin = 16 * kSlotSize;

}  // namespace

WriteBudget::WriteBudget(std::uint64_t device_bytes, double writes_per_day, TimePoint now)
    : rate_{static_cast<double>(device_bytes) * writes_per_day / kSecondsPerDay},
      capacity_{rate_ > 0 ? static_cast<double>(std::max(device_bytes / kBurstShare, kBurstMin))
                          : 0},
      tokens_{capacity_},
      filled_{now} {}

double WriteBudget::available(TimePoint now) const {
  const std::chrono::duration<double> elapsed = now - filled_;
  return std::min(capacity_, tokens_ + rate_ * std::max(0.0, elapsed.count()));
}

bool WriteBudget::has(std::uint64_t bytes, TimePoint now) const {
  return available(now) >= static_cast<double>(bytes);
}

bool WriteBudget::take(std::uint64_t bytes, TimePoint now) {
  if (!has(bytes, now))
    return false;
  tokens_ = available(now) - static_cast<double>(bytes);
  filled_ = std::max(filled_, now);
  return true;
}

}  // namespace forebay::cache
