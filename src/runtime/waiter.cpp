#include <forebay/runtime/waiter.hpp>

#include <utility>

#include <boost/asio/post.hpp>

namespace forebay::runtime {

Waiter::Waiter(Worker& worker) : worker_{worker}, timer_{worker.context()} {}

std::shared_ptr<Waiter> Waiter::create() {
  return std::shared_ptr<Waiter>{new Waiter{Worker::current()}};
}

Task<bool> Waiter::wait(Deadline deadline) {
  const std::shared_ptr<Waiter> self = shared_from_this();
  while (!woken_.exchange(false)) {
    if (deadline.expired())
      co_return false;
    timer_.expires_at(deadline.when());
    // A wake between the exchange above and here has posted its cancel to this thread: it runs
    // after the wait began.
    co_await timer_.async_wait(use_task);
  }
  co_return true;
}

void Waiter::wake() {
  if (woken_.exchange(true))
    return;
  boost::asio::post(worker_.context(), [self = shared_from_this()] { self->timer_.cancel(); });
}

void WaitList::add(std::shared_ptr<Waiter> waiter) {
  const std::lock_guard lock{mutex_};
  waiters_.push_back(std::move(waiter));
}

bool WaitList::remove(const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock{mutex_};
  return std::erase(waiters_, waiter) != 0;
}

void WaitList::wake_all() {
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock{mutex_};
    waiters.swap(waiters_);
  }
  for (const auto& waiter : waiters)
    waiter->wake();
}

void WaitList::wake_one() {
  std::shared_ptr<Waiter> first;
  {
    const std::lock_guard lock{mutex_};
    if (waiters_.empty())
      return;
    first = std::move(waiters_.front());
    waiters_.erase(waiters_.begin());
  }
  first->wake();
}

Task<void> yield() {
  co_await boost::asio::post(Worker::current().context(), use_task);
}

Task<void> sleep_until(Deadline deadline) {
  boost::asio::steady_timer timer{Worker::current().context(), deadline.when()};
  co_await timer.async_wait(use_task);
}

}  // namespace forebay::runtime
