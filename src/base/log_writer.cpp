#include "base/log_writer.hpp"

#include "base/log_format.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <string>

#include <climits>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/details/os.h>
#include <unistd.h>

namespace forebay::log {
namespace {

/// How long a line waits at most for company, so that a busy worker wakes nobody.
constexpr milliseconds kTick{10};
/// After so many ticks without a line the thread sleeps until it is woken.
constexpr int kTicksToSleep = 10;
constexpr milliseconds kPollInterval{100};
constexpr milliseconds kLastPatience{1'000};

/// A pipe that polls as writable takes this much without blocking (pipe(7)), and in one piece.
constexpr std::size_t kPieceMax = PIPE_BUF;
/// Time, level and logger.
constexpr std::size_t kPrefixMax = 64;

enum class Written { some, nothing, failed };

/// Waits for a reader, `patience` at most, and writes one piece off the front of `text`.
Written write_piece(int descriptor, std::string_view& text, milliseconds patience) noexcept {
  pollfd writable{.fd = descriptor, .events = POLLOUT, .revents = 0};
  const int ready = ::poll(&writable, 1, static_cast<int>(patience.count()));
  if (ready <= 0)
    return ready == 0 || errno == EINTR ? Written::nothing : Written::failed;
  const ssize_t size = ::write(descriptor, text.data(), std::min(text.size(), kPieceMax));
  if (size > 0) {
    text.remove_prefix(static_cast<std::size_t>(size));
    return Written::some;
  }
  if (size < 0 && errno != EINTR && errno != EAGAIN)
    return Written::failed;
  // Somebody else made the descriptor non-blocking, and it has not room for all of the piece.
  std::this_thread::sleep_for(kTick);
  return Written::nothing;
}

}  // namespace

bool write_within(int descriptor, std::string_view text, milliseconds patience) noexcept {
  const TimePoint end = Clock::now() + patience;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left.count() <= 0 || write_piece(descriptor, text, left) == Written::failed)
      return false;
  }
  return true;
}

/// What the thread and its owner share.
class LogWriter::Thread {
 public:
  Thread(int descriptor, std::size_t buffer_size, metrics::Counter& dropped)
      : ring_{buffer_size}, descriptor_{descriptor}, dropped_{dropped}, noticed_{dropped.value()} {}

  void push(const Line& line) noexcept {
    if (!ring_.push(line)) {
      dropped_.add();
      return;
    }
    if (asleep_.load() != 0)
      wake();
  }

  std::uint64_t pushed() const noexcept { return ring_.pushed(); }
  std::uint64_t written() const noexcept { return written_.load(std::memory_order_acquire); }
  bool ended() const noexcept { return ended_; }

  void end_within(milliseconds patience) noexcept {
    end_at_ = Clock::now() + patience;
    ending_ = true;
    wake();
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "log");
    while (!is_lost()) {
      const auto line = ring_.front();
      if (line) {
        idle_ticks_ = 0;
        take(*line);
        continue;
      }
      write_batch();
      if (ending_ && ring_.empty())
        break;
      pause();
    }
    ended_ = true;
  }

 private:
  void wake() noexcept {
    if (asleep_.exchange(0) != 0)
      asleep_.notify_one();
  }

  /// Whether the time to end has come and what is left must be given up.
  bool is_lost() const noexcept { return ending_ && Clock::now() >= end_at_.load(); }

  void take(const Line& line) {
    if (!batch_.empty() && batch_.size() + line.text.size() + kPrefixMax > kPieceMax)
      write_batch();
    batch_ += format_(line);
    ++batch_lines_;
    ring_.pop();
  }

  void write_batch() {
    const bool written = write(batch_);
    // The process may be ending without this thread, and its metrics be gone.
    if (is_lost())
      return;
    if (!written)
      dropped_.add(batch_lines_);
    batch_.clear();
    batch_lines_ = 0;
    written_.store(ring_.popped(), std::memory_order_release);
    write_notice();
  }

  /// Says how many lines were lost, once those that waited meanwhile are written.
  void write_notice() {
    const std::uint64_t dropped = dropped_.value();
    if (dropped == noticed_)
      return;
    if (!notice_after_)
      notice_after_ = ring_.pushed();
    if (ring_.popped() < *notice_after_)
      return;
    const std::string text =
        fmt::format("{} lines dropped: they came faster than they were read", dropped - noticed_);
    const std::string line{format_({spdlog::details::os::now(), spdlog::level::warn, "log", text})};
    if (write(line))
      noticed_ = dropped;
    notice_after_.reset();
  }

  bool write(std::string_view text) noexcept {
    while (!text.empty()) {
      if (is_lost() || write_piece(descriptor_, text, kPollInterval) == Written::failed)
        return false;
    }
    return true;
  }

  void pause() {
    if (++idle_ticks_ < kTicksToSleep) {
      std::this_thread::sleep_for(kTick);
      return;
    }
    // push() publishes its record and then looks at asleep_; here it is the other way round, and
    // all four are sequentially consistent: one of the two sees the other.
    asleep_ = 1;
    if (ring_.empty() && !ending_)
      asleep_.wait(1);
    asleep_ = 0;
    idle_ticks_ = 0;
  }

  LogRing ring_;
  alignas(64) std::atomic<int> asleep_{0};
  std::atomic<bool> ending_{false};
  std::atomic<bool> ended_{false};
  std::atomic<TimePoint> end_at_{TimePoint::max()};
  std::atomic<std::uint64_t> written_{0};  ///< Of ring_.popped(): what has been written or lost.

  // The thread's own.
  const int descriptor_;
  metrics::Counter& dropped_;
  Formatter format_;
  std::string batch_;
  std::uint64_t batch_lines_ = 0;
  std::uint64_t noticed_;
  std::optional<std::uint64_t> notice_after_;  ///< Of ring_.popped().
  int idle_ticks_ = 0;
};

LogWriter::LogWriter(int descriptor, std::size_t buffer_size, metrics::Counter& dropped)
    : shared_{std::make_shared<Thread>(descriptor, buffer_size, dropped)},
      thread_{[shared = shared_] { shared->run(); }} {}

LogWriter::~LogWriter() {
  shared_->end_within(kLastPatience);
  const TimePoint given_up = Clock::now() + kLastPatience + 2 * kPollInterval;
  while (!shared_->ended() && Clock::now() < given_up)
    std::this_thread::sleep_for(milliseconds{1});
  // A write may block for ever, e.g. to a file on a device that hangs: then the thread, and what it
  // uses, is left to the end of the process.
  if (shared_->ended())
    thread_.join();
  else
    thread_.detach();
}

void LogWriter::push(const Line& line) noexcept {
  shared_->push(line);
}

bool LogWriter::flush(milliseconds patience) const noexcept {
  const std::uint64_t pushed = shared_->pushed();
  const TimePoint end = Clock::now() + patience;
  while (shared_->written() < pushed) {
    if (Clock::now() >= end)
      return false;
    std::this_thread::sleep_for(milliseconds{1});
  }
  return true;
}

std::uint64_t LogWriter::waiting_bytes() const noexcept {
  // In this order: what was written was pushed before.
  const std::uint64_t written = shared_->written();
  return shared_->pushed() - written;
}

}  // namespace forebay::log
