#pragma once
// How many fills may go on, and which of them give way.
#include <forebay/runtime/budget.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>
#include <forebay/runtime/waiter.hpp>

#include <cstddef>
#include <mutex>
#include <utility>

namespace forebay::cache {

/// A fill has a slot for as long as it may hold frames: there are as many slots as the share of its
/// class has blocks, so that who has one never waits for room in the share. Fills that nobody waits
/// for begin while no reader waits for one; where there is always such a reader, one at a time,
/// seldom enough that they cost readers little. Any thread.
class FillTraffic {
 public:
  enum class Class { demand, background };

  FillTraffic(std::size_t demand_slots, std::size_t background_slots, std::size_t writes)
      : demand_slots_{demand_slots},
        background_slots_{background_slots},
        background_writes_{writes} {}

  using Permit = runtime::Budget::Permit;
  runtime::Budget& slots(Class of) {
    return of == Class::demand ? demand_slots_ : background_slots_;
  }
  /// Blocks of background fills on their way to a device: they leave writes to demand.
  runtime::Budget& background_writes() { return background_writes_; }

  /// Held by a fill for which a reader waits, while it brings bytes.
  class Demand {
   public:
    Demand() = default;
    explicit Demand(FillTraffic& traffic);
    Demand(Demand&& other) noexcept : traffic_{std::exchange(other.traffic_, nullptr)} {}
    Demand& operator=(Demand&& other) noexcept {
      std::swap(traffic_, other.traffic_);
      return *this;
    }
    ~Demand();

   private:
    FillTraffic* traffic_ = nullptr;
  };
  bool has_demand() const;

  /// Waits until a background fill may begin.
  Task<void> background_turn();
  /// Tells how long one took: under demand the next begins only after a multiple of that.
  void note_background(Clock::duration took);

 private:
  runtime::Budget demand_slots_;
  runtime::Budget background_slots_;
  runtime::Budget background_writes_;
  runtime::WaitList waiting_;  ///< Background fills that give way.

  mutable std::mutex mutex_;
  std::size_t demand_ = 0;    ///< Guarded by mutex_.
  Clock::duration pause_{0};  ///< Guarded by mutex_: between background fills under demand.
  TimePoint next_turn_;       ///< Guarded by mutex_: of a background fill under demand.
};

}  // namespace forebay::cache
