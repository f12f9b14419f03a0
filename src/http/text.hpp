#pragma once
// Small things that several parsers of this room share.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace forebay::http {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// tchar of RFC 9110 section 5.6.2.
constexpr bool is_token_char(char c) {
  return is_digit(c) || is_alpha(c) ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}
/// A token: one token character or more.
constexpr bool is_token(std::string_view text) {
  for (char c : text) {
    if (!is_token_char(c))
      return false;
  }
  return !text.empty();
}

/// Without leading and trailing spaces and tabs (OWS).
std::string_view trim(std::string_view text);

/// The elements of a comma-separated list (RFC 9110 section 5.6.1), trimmed, empty ones left out.
std::vector<std::string_view> split_list(std::string_view text);

/// 1*DIGIT, at most UINT64_MAX; nullopt otherwise.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace forebay::http
