#pragma once
// SIGTERM and SIGINT as something the main thread waits for.
#include <forebay/base/units.hpp>

#include <csignal>

namespace forebay::app {

/// Blocks both signals for the thread that makes it and for those it starts later, and lets SIGPIPE
/// be an error of the write that caused it. Made before the first thread, used on that thread.
class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// The number of a signal, or 0 when none came within `timeout`.
  int wait(milliseconds timeout) const;

 private:
  sigset_t stopping_{};
};

}  // namespace forebay::app
