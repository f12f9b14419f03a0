#pragma once
// Where lines of the log wait for the thread that writes them.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <spdlog/common.h>

namespace forebay::log {

/// One line as it was logged, not yet formatted.
struct Line {
  spdlog::log_clock::time_point time;
  spdlog::level::level_enum level = spdlog::level::info;
  std::string_view logger;  ///< Its characters must outlive the ring.
  std::string_view text;
};

/// A bounded queue of lines in one allocation: many threads push, one takes. Lock-free and without
/// a system call on either side. A producer reserves its record by moving the tail, fills it, and
/// publishes it by writing the record's size into its first word; the consumer clears what it has
/// read before it moves the head, so an unpublished word is always zero.
class LogRing {
 public:
  /// The longest text that is kept whole; the rest of a longer one is cut off.
  static constexpr std::size_t kTextMax = 16 * 1024;
  static constexpr std::size_t kSizeMin = 64 * 1024;

  /// Rounded up to a power of two, and to kSizeMin.
  explicit LogRing(std::size_t size_bytes);

  /// Copies the line. False if there is no room: the line is lost. Any thread.
  bool push(const Line& line) noexcept;

  /// The oldest line, or nothing while its producer has not published it. Valid until pop().
  /// Consumer only, as is all below.
  std::optional<Line> front() noexcept;
  /// Removes the line that front() returned.
  void pop() noexcept;
  bool empty() const noexcept;

  /// Bytes pushed and popped since the ring was made; their difference is what waits. Any thread.
  std::uint64_t pushed() const noexcept { return tail_.load(std::memory_order_relaxed); }
  std::uint64_t popped() const noexcept { return head_.load(std::memory_order_relaxed); }

 private:
  using Word = std::uint64_t;
  struct Meta;

  std::byte* at(std::uint64_t position) const noexcept { return &bytes_[position & (size_ - 1)]; }
  std::atomic_ref<Word> word(std::uint64_t position) const noexcept;
  void release(std::uint64_t record_size) noexcept;

  const std::size_t size_;
  const std::unique_ptr<std::byte[]> bytes_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};  ///< Moved by producers.
  alignas(64) std::atomic<std::uint64_t> head_{0};  ///< Moved by the consumer.
};

}  // namespace forebay::log
