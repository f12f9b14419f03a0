#include "proxy/upload_pace.hpp"

#include <algorithm>
#include <chrono>

namespace forebay::proxy {

UploadPace::UploadPace(std::uint64_t min_rate, milliseconds grace)
    : min_rate_{min_rate}, grace_{grace}, left_{grace} {}

Deadline UploadPace::deadline(TimePoint now) const {
  return min_rate_ == 0 ? Deadline::never() : Deadline::at(now + left_);
}

void UploadPace::waited(Clock::duration time) {
  left_ = std::max(left_ - time, Clock::duration::zero());
}

void UploadPace::received(std::uint64_t size) {
  if (min_rate_ == 0)
    return;
  using Seconds = std::chrono::duration<double>;
  const Seconds bought{static_cast<double>(size) / static_cast<double>(min_rate_)};
  // Compared before it is converted: the product of a large body and a low rate fits no integer.
  const Seconds missing = grace_ - left_;
  left_ = bought >= missing ? grace_ : left_ + std::chrono::duration_cast<Clock::duration>(bought);
}

}  // namespace forebay::proxy
