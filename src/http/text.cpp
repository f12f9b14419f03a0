#include "http/text.hpp"

#include <charconv>

namespace forebay::http {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> elements;
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (const auto element = trim(text.substr(0, comma)); !element.empty())
      elements.push_back(element);
    if (comma == std::string_view::npos)
      break;
    text.remove_prefix(comma + 1);
  }
  return elements;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  // from_chars into an unsigned type takes no sign and no space, so digits are all it accepts.
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

}  // namespace forebay::http
