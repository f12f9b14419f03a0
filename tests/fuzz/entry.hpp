#pragma once
// What every fuzz target defines, and how it takes its input apart.
#include <forebay/http/message.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace forebay::fuzz {

/// Holds a parser to its word on this input, with ASSERT.
void check(std::string_view input);

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// Cuts the first line off, without its '\n'.
inline std::string_view take_line(std::string_view& input) {
  const auto end = input.find('\n');
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return line;
}

/// Cuts the first byte off; 0 where there is none.
inline std::size_t take_byte(std::string_view& input) {
  if (input.empty())
    return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}

/// "Name: value" in each line.
inline http::Headers take_headers(std::string_view input) {
  http::Headers headers;
  while (!input.empty()) {
    const std::string_view line = take_line(input);
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos)
      headers.add(std::string{line.substr(0, colon)}, std::string{line.substr(colon + 2)});
  }
  return headers;
}

inline bool same_fields(const http::Headers& a, const http::Headers& b) {
  const auto same = [](const auto& x, const auto& y) {
    return x.name == y.name && x.value == y.value;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

}  // namespace forebay::fuzz
