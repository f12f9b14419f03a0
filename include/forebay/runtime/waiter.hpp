#pragma once
// Waiting for something that another task, perhaps on another worker, will announce.
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>
#include <forebay/runtime/worker.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace forebay::runtime {

/// One task's place to wait. Made and awaited on one worker; woken from any thread. A wake that
/// comes before the wait is kept; several wakes count as one. Held by shared_ptr, so that who wakes
/// need not know whether the waiter still waits.
class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  /// For the calling worker.
  static std::shared_ptr<Waiter> create();

  /// True when woken, false when the deadline passed first.
  Task<bool> wait(Deadline deadline);
  void wake();

 private:
  explicit Waiter(Worker& worker);

  Worker& worker_;
  boost::asio::steady_timer timer_;
  std::atomic<bool> woken_{false};
};

/// Waiters of one condition. Any thread. The condition itself is guarded by its owner: add() the
/// waiter first, look at the condition, then wait; or hold the condition's lock over both.
class WaitList {
 public:
  void add(std::shared_ptr<Waiter> waiter);
  /// False where it has been woken, or was never added.
  bool remove(const std::shared_ptr<Waiter>& waiter);
  /// Wakes and forgets all.
  void wake_all();
  /// Wakes and forgets the one that waited longest.
  void wake_one();

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Waiter>> waiters_;
};

/// Lets the worker's other tasks have a turn.
Task<void> yield();

/// Suspends the calling task.
Task<void> sleep_until(Deadline deadline);

}  // namespace forebay::runtime
