#pragma once
// Small things that several parsers of this room share.
#include <algorithm>
#include <string_view>

namespace forebay::s3 {

constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

constexpr bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

}  // namespace forebay::s3
