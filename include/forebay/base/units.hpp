#pragma once
// Sizes in bytes, alignment, and their text forms ("64MiB", "1500ms").
#include <forebay/base/result.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace forebay {

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;
inline constexpr std::uint64_t TiB = 1024 * GiB;

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;

constexpr std::uint64_t div_ceil(std::uint64_t value, std::uint64_t divisor) {
  return (value + divisor - 1) / divisor;
}
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return div_ceil(value, alignment) * alignment;
}
constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
  return value / alignment * alignment;
}

/// "4096", "128KiB", "4MiB", "1GiB", "2TiB" (also KB, MB, GB, TB: powers of 1000).
/// Errc::invalid_config otherwise.
Result<std::uint64_t> parse_size(std::string_view text);
/// The shortest exact form, in binary units: 4194304 -> "4MiB", 4095 -> "4095".
std::string format_size(std::uint64_t bytes);

/// "250ms", "5s", "2m", "1h", "1d"; a bare "0" is zero. Errc::invalid_config otherwise.
Result<milliseconds> parse_duration(std::string_view text);
/// The shortest exact form: 5000 ms -> "5s".
std::string format_duration(milliseconds duration);

}  // namespace forebay
