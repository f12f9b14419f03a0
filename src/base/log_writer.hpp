#pragma once
// The thread that writes the log, so that nobody else waits for whoever reads it.
#include "base/log_ring.hpp"

#include <forebay/base/metrics.hpp>
#include <forebay/base/units.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>

namespace forebay::log {

/// Writes `text` to the descriptor without waiting longer than `patience` for a reader that does
/// not read. False: not all of it was written.
bool write_within(int descriptor, std::string_view text, milliseconds patience) noexcept;

/// Owns the ring, and a thread that formats its lines and writes them to a descriptor. push() on
/// any thread; the rest on the thread that made it. If the reader does not read, lines are dropped
/// when the ring is full, and counted; a line of its own says how many, once the reader is back.
class LogWriter {
 public:
  LogWriter(int descriptor, std::size_t buffer_size, metrics::Counter& dropped);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  /// Writes what was pushed, for a second at most; lines that the reader has not taken by then are
  /// lost. No other thread may push any more.
  ~LogWriter();

  /// Neither waits nor, usually, makes a system call: the first line after a silence wakes the
  /// thread.
  void push(const Line& line) noexcept;

  /// Waits until what has been pushed so far is written; false if that takes longer than
  /// `patience`. Any thread.
  bool flush(milliseconds patience) const noexcept;

  /// What waits in the ring. Any thread.
  std::uint64_t waiting_bytes() const noexcept;

 private:
  class Thread;

  const std::shared_ptr<Thread> shared_;  ///< Outlives this if its thread is stuck in a write.
  std::thread thread_;
};

}  // namespace forebay::log
