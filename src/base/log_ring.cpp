#include "base/log_ring.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/units.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace forebay::log {
namespace {

/// In a record's first word: the record holds no line, it fills the end of the ring.
constexpr std::uint64_t kPadding = std::uint64_t{1} << 63;

}  // namespace

/// What follows the first word of a record; the text comes next.
struct LogRing::Meta {
  spdlog::log_clock::time_point time;
  spdlog::level::level_enum level;
  std::string_view logger;
  std::size_t text_size;
};

LogRing::LogRing(std::size_t size_bytes)
    : size_{std::bit_ceil(std::max(size_bytes, kSizeMin))},
      bytes_{std::make_unique<std::byte[]>(size_)} {}

std::atomic_ref<LogRing::Word> LogRing::word(std::uint64_t position) const noexcept {
  // Records begin at multiples of a word, in memory that new[] has aligned.
  return std::atomic_ref<Word>{*reinterpret_cast<Word*>(at(position))};
}

bool LogRing::push(const Line& line) noexcept {
  const Meta meta{line.time, line.level, line.logger, std::min(line.text.size(), kTextMax)};
  const std::uint64_t needed = align_up(sizeof(Word) + sizeof(Meta) + meta.text_size, sizeof(Word));
  std::uint64_t position = 0;
  std::uint64_t padding = 0;
  do {
    // The head first: a tail read after it is never behind it.
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    position = tail_.load(std::memory_order_relaxed);
    const std::uint64_t to_end = size_ - (position & (size_ - 1));
    padding = needed <= to_end ? 0 : to_end;
    if (position + padding + needed - head > size_)
      return false;
  } while (!tail_.compare_exchange_weak(position, position + padding + needed,
                                        std::memory_order_relaxed));
  if (padding != 0)
    word(position).store(padding | kPadding, std::memory_order_release);
  std::byte* const record = at(position + padding);
  std::memcpy(record + sizeof(Word), &meta, sizeof(Meta));
  std::memcpy(record + sizeof(Word) + sizeof(Meta), line.text.data(), meta.text_size);
  // Sequentially consistent, as is empty(): a consumer about to sleep sees the record, or its
  // producer sees that the consumer sleeps.
  word(position + padding).store(needed, std::memory_order_seq_cst);
  return true;
}

std::optional<Line> LogRing::front() noexcept {
  std::uint64_t first = word(popped()).load(std::memory_order_acquire);
  if ((first & kPadding) != 0) {
    release(first & ~kPadding);
    // A line: padding is never followed by padding.
    first = word(popped()).load(std::memory_order_acquire);
  }
  if (first == 0)
    return std::nullopt;
  const std::byte* const record = at(popped()) + sizeof(Word);
  Meta meta{};
  std::memcpy(&meta, record, sizeof(Meta));
  const auto* text = reinterpret_cast<const char*>(record + sizeof(Meta));
  return Line{meta.time, meta.level, meta.logger, {text, meta.text_size}};
}

void LogRing::pop() noexcept {
  const std::uint64_t record_size = word(popped()).load(std::memory_order_relaxed);
  ASSERT(record_size != 0 && (record_size & kPadding) == 0);
  release(record_size);
}

bool LogRing::empty() const noexcept {
  return word(popped()).load(std::memory_order_seq_cst) == 0;
}

void LogRing::release(std::uint64_t record_size) noexcept {
  std::memset(at(popped()), 0, record_size);
  head_.store(popped() + record_size, std::memory_order_release);
}

}  // namespace forebay::log
