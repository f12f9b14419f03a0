#pragma once
// How much of a full device may be overwritten: a token bucket in bytes. Pure; time is an argument.
#include <forebay/base/units.hpp>

#include <cstdint>

namespace forebay::cache {

/// Refills at `writes_per_day` device sizes a day; holds an eighth of the device (and room for 16
/// blocks at least), full at first, so that a new working set gets a foothold at once. A rate of
/// zero never lets anything be overwritten.
class WriteBudget {
 public:
  WriteBudget(std::uint64_t device_bytes, double writes_per_day, TimePoint now);

  bool has(std::uint64_t bytes, TimePoint now) const;
  /// Takes the tokens; false, and takes nothing, where there are too few.
  bool take(std::uint64_t bytes, TimePoint now);

 private:
  double available(TimePoint now) const;

  double rate_;  ///< Bytes a second.
  double capacity_;
  double tokens_;
  TimePoint filled_;
};

}  // namespace forebay::cache
