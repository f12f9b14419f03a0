#include "proxy/budget.hpp"

namespace forebay::proxy {

bool Budget::take() {
  std::size_t free = free_.load();
  while (free != 0) {
    if (free_.compare_exchange_weak(free, free - 1))
      return true;
  }
  return false;
}

void Budget::release() {
  free_.fetch_add(1);
  waiters_.wake_one();
}

Task<Budget::Permit> Budget::acquire(Deadline deadline) {
  if (take())
    co_return Permit{*this};
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  for (;;) {
    waiters_.add(waiter);
    if (take())
      co_return Permit{*this};
    const bool woken = co_await waiter->wait(deadline);
    if (!woken) {
      // The wake that came too late for this one must reach another.
      waiters_.wake_one();
      co_return Permit{};
    }
  }
}

}  // namespace forebay::proxy
