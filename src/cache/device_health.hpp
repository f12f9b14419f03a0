#pragma once
// Whether a device still does what it is asked. Time is an argument.
#include <forebay/base/units.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace forebay::cache {

/// A device is condemned, until the next start, by failed reads in a row. It is stalled while
/// operations are under way and none has ended for `stall`, and then until as many have ended as
/// were under way. A failed write closes it for writing until one succeeds; while it is closed, one
/// write is let through now and then to find out. Any thread.
class DeviceHealth {
 public:
  static constexpr std::uint32_t kReadErrorsMax = 8;
  static constexpr std::chrono::seconds kRetryMin{1};
  static constexpr std::chrono::seconds kRetryMax{60};
  /// The time between the two looks that find a stall: completions that wait for a late event loop
  /// are seen meanwhile.
  static constexpr milliseconds kGrace{20};

  enum class Direction { read, write };
  /// What the end of an operation has changed.
  struct Change {
    bool condemned = false;
    bool recovered = false;  ///< From a stall.
    bool closed = false;     ///< For writing.
    bool opened = false;

    bool any() const { return condemned || recovered || closed || opened; }
  };

  explicit DeviceHealth(milliseconds stall) : stall_{stall} {}

  void began(TimePoint now);
  Change ended(Direction direction, bool ok, TimePoint now);

  /// Called at next_look() while an operation is under way. True when this look finds a stall.
  bool look(TimePoint now);
  TimePoint next_look(TimePoint now) const;

  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  bool stalled() const { return stalled_.load(std::memory_order_relaxed); }
  bool readable() const { return !failed() && !stalled(); }
  /// Readable, and not closed for writing.
  bool writable() const { return readable() && !closed_.load(std::memory_order_relaxed); }
  /// Whether a write would be let through now.
  bool may_write(TimePoint now) const;
  /// The same, for a write that follows; of those that find out, the next one waits its time.
  bool begin_write(TimePoint now);

 private:
  bool may_write_locked(TimePoint now) const;

  const milliseconds stall_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> stalled_{false};
  std::atomic<bool> closed_{false};

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::uint32_t in_flight_ = 0;
  std::uint32_t owed_ = 0;  ///< Ends until a stall is over.
  TimePoint last_progress_{};
  TimePoint silent_since_{};  ///< Of the first look that found it silent; zero where none has.
  std::uint32_t read_errors_ = 0;
  std::chrono::seconds retry_after_{0};
  TimePoint retry_at_{};
};

}  // namespace forebay::cache
