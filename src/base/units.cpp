#include <forebay/base/errc.hpp>
#include <forebay/base/units.hpp>

#include <array>
#include <charconv>
#include <limits>

namespace forebay {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr std::array<Unit, 9> kSizeUnits{{{"TiB", TiB},
                                          {"GiB", GiB},
                                          {"MiB", MiB},
                                          {"KiB", KiB},
                                          {"TB", 1'000'000'000'000},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"KB", 1'000},
                                          {"", 1}}};
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units) {
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{})
    return Errc::invalid_config;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (suffix != unit.suffix)
      continue;
    if (number > std::numeric_limits<std::uint64_t>::max() / unit.factor)
      return Errc::invalid_config;
    return number * unit.factor;
  }
  return Errc::invalid_config;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits);
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : kSizeUnits) {
    const bool binary = unit.suffix.size() != 2;
    if (binary && bytes >= unit.factor && bytes % unit.factor == 0)
      return std::to_string(bytes / unit.factor).append(unit.suffix);
  }
  return std::to_string(bytes);
}

Result<milliseconds> parse_duration(std::string_view text) {
  if (text == "0")
    return milliseconds{0};
  TRY(const std::uint64_t count, parse_with_unit(text, kDurationUnits));
  if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()) * 1000)
    return Errc::invalid_config;
  return milliseconds{static_cast<std::int64_t>(count)};
}

std::string format_duration(milliseconds duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0)
    return "0s";
  for (const Unit& unit : kDurationUnits) {
    if (count % unit.factor == 0)
      return std::to_string(count / unit.factor).append(unit.suffix);
  }
  return std::to_string(count).append("ms");
}

}  // namespace forebay
