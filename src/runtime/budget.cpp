#include <forebay/runtime/budget.hpp>

namespace forebay::runtime {

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

Budget::Permit Budget::try_acquire() {
  return take() ? Permit{*this} : Permit{};
}

Task<Budget::Permit> Budget::acquire(Deadline deadline) {
  if (take())
    co_return Permit{*this};
  const std::shared_ptr<Waiter> waiter = Waiter::create();
  for (bool in_time = true;;) {
    waiters_.add(waiter);
    const bool taken = take();
    if (!taken && in_time) {
      in_time = co_await waiter->wait(deadline);
      waiters_.remove(waiter);
      continue;
    }
    // A wake that reached this one needlessly must reach another.
    if (!waiters_.remove(waiter))
      waiters_.wake_one();
    if (taken)
      co_return Permit{*this};
    co_return Permit{};
  }
}

}  // namespace forebay::runtime
