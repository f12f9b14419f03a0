#include "net/descriptors.hpp"

#include <algorithm>
#include <limits>

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace forebay::net {
namespace {

/// The cheapest kind of descriptor, which means nothing to anybody.
int take_descriptor() {
  return ::eventfd(0, EFD_CLOEXEC);
}

}  // namespace

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
    const int descriptor = take_descriptor();
    if (descriptor < 0)
      return;
    held_.push_back(descriptor);
  }
}

int first_spare_descriptor(std::size_t spare) {
  constexpr rlim_t kMost = std::numeric_limits<int>::max();
  rlimit limit{};
  if (spare == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return static_cast<int>(kMost);
  const rlim_t most = std::min(limit.rlim_cur, kMost);
  return static_cast<int>(most - std::min<rlim_t>(most, spare));
}

int next_descriptor() {
  const int next = take_descriptor();
  if (next < 0)
    return std::numeric_limits<int>::max();
  ::close(next);
  return next;
}

}  // namespace forebay::net
