#pragma once
// Coarse deadlines for socket operations: arming one is two pointer writes, not a timer.
#include <forebay/runtime/deadline.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

namespace forebay::runtime {

/// Calls back whoever is armed past its deadline, at most `kResolution` late. One per worker; that
/// worker's thread only. Ticks only while something is armed.
class Watchdog {
 public:
  static constexpr milliseconds kResolution{20};

  /// One operation under watch. Owned by the object that performs the operation; must outlive its
  /// armed time.
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    virtual ~Entry() = default;

   protected:
    /// Runs on the worker's thread, at most once per arming; the entry is disarmed already.
    virtual void on_deadline() = 0;

   private:
    friend class Watchdog;
    TimePoint deadline_;
  };

  explicit Watchdog(boost::asio::io_context& context) : timer_{context} {}

  /// Replaces an earlier arming. Deadline::never() disarms.
  void arm(Entry& entry, Deadline deadline);
  static void disarm(Entry& entry) { entry.unlink(); }

 private:
  void tick();

  boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>> armed_;
  boost::asio::steady_timer timer_;
  bool ticking_ = false;
};

}  // namespace forebay::runtime
