#pragma once
// Whether a device still does what it is asked. Pure; time is an argument.
#include <forebay/base/units.hpp>

#include <atomic>
#include <cstdint>

namespace forebay::cache {

/// Condemned by errors in a row; wedged while operations wait and none has ended for a while. Any
/// thread.
class DeviceHealth {
 public:
  static constexpr std::uint32_t kErrorsMax = 8;
  static constexpr std::chrono::seconds kWedgedAfter{10};

  void began(TimePoint now);
  /// True when this one has condemned the device.
  bool ended(bool ok, TimePoint now);

  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  bool usable(TimePoint now) const;

 private:
  std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<Clock::rep> last_progress_{0};
  std::atomic<std::uint32_t> errors_in_a_row_{0};
  std::atomic<bool> failed_{false};
};

}  // namespace forebay::cache
