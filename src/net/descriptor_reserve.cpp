#include "net/descriptor_reserve.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace forebay::net {
DescriptorReserve::DescriptorReserve(std::size_t count) : count_{count} {
  held_.reserve(count);
  refill();
}

DescriptorReserve::~DescriptorReserve() {
  for (const int descriptor : held_)
    ::close(descriptor);
}

bool DescriptorReserve::release_one() {
  const std::lock_guard lock{mutex_};
  if (held_.empty())
    return false;
  ::close(held_.back());
  held_.pop_back();
  return true;
}

void DescriptorReserve::refill() {
  const std::lock_guard lock{mutex_};
  while (held_.size() < count_) {
    // The cheapest kind of descriptor, which means nothing to anybody.
    const int descriptor = ::eventfd(0, EFD_CLOEXEC);
    if (descriptor < 0)
      return;
    held_.push_back(descriptor);
  }
}

}  // namespace forebay::net
