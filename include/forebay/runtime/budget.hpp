#pragma once
// A bound on how many of something may go on at once.
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace forebay::runtime {

/// Any worker. Must outlive its permits.
class Budget {
 public:
  explicit Budget(std::size_t limit) : free_{limit} {}

  /// One unit, given back when it goes.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept : budget_{std::exchange(other.budget_, nullptr)} {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(budget_, other.budget_);
      return *this;
    }
    ~Permit() {
      if (budget_ != nullptr)
        budget_->release();
    }
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class Budget;
    explicit Permit(Budget& budget) : budget_{&budget} {}
    Budget* budget_ = nullptr;
  };

  /// An empty permit when the deadline passes first.
  Task<Permit> acquire(Deadline deadline);
  /// The same without waiting. It may overtake who waits.
  Permit try_acquire();

 private:
  bool take();
  void release();

  std::atomic<std::size_t> free_;
  WaitList waiters_;
};

}  // namespace forebay::runtime
