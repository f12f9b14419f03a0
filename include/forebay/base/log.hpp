#pragma once
// One logger a room, all on standard error. Never log a secret, a signature or a query
// string that may hold one.
#include <forebay/base/result.hpp>
#include <forebay/base/units.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/logger.h>
#include <spdlog/spdlog.h>

namespace forebay::log {

struct Config {
  std::string level = "info";         ///< trace, debug, info, warn, error, off
  bool access = true;                 ///< One line a request, on the logger "access".
  std::size_t buffer_size = 1 * MiB;  ///< Of Writer; rounded up to a power of two.
};

/// Sets the level of every logger, present and future. Call once, before threads start.
/// Errc::invalid_config for an unknown level.
Result<void> configure(const Config& config);

/// The logger named `room`, made on first use; there may be 32. Any thread, without a lock; the
/// reference is valid as long as the process lives.
spdlog::logger& get(std::string_view room);

class LogWriter;

/// While it lives, lines pass through a bounded buffer to a thread that writes them, so that
/// logging costs no system call and never waits: a line that finds the buffer full is dropped and
/// counted (forebay_log_lines_dropped_total). One at a time. Without one the thread that logs
/// writes the line itself, and waits a second at most for a reader that does not read.
class Writer {
 public:
  /// Starts the thread.
  explicit Writer(const Config& config);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  /// Writes what is left, for a second at most. No other thread may log any more.
  ~Writer();

 private:
  std::unique_ptr<LogWriter> writer_;
};

/// Waits until every line logged so far is written; false if that takes longer than `patience`.
/// For a process about to end without destroying its Writer. Any thread.
bool flush(milliseconds patience) noexcept;

/// Writes the lines logged so far and then `text`, waiting a second at most for each: for a process
/// about to abort. Any thread.
void last_words(std::string_view text) noexcept;

}  // namespace forebay::log
