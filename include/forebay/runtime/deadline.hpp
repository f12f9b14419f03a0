#pragma once
// Deadlines: points in time, never durations, so that they can be handed down and only ever shrink.
#include <forebay/base/units.hpp>

#include <algorithm>

namespace forebay {

class Deadline {
 public:
  static Deadline after(Clock::duration timeout) { return Deadline{Clock::now() + timeout}; }
  static Deadline at(TimePoint when) { return Deadline{when}; }
  static Deadline never() { return Deadline{TimePoint::max()}; }

  /// The earlier of the two.
  Deadline capped(Deadline other) const { return Deadline{std::min(when_, other.when_)}; }
  Deadline capped(Clock::duration timeout) const { return capped(after(timeout)); }

  bool expired() const { return when_ != TimePoint::max() && Clock::now() >= when_; }
  TimePoint when() const { return when_; }

 private:
  explicit Deadline(TimePoint when) : when_{when} {}
  TimePoint when_;
};

}  // namespace forebay
