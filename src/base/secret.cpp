#include <forebay/base/secret.hpp>

#include <algorithm>
#include <array>

#include <string.h>

namespace forebay {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_without_case(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(),
                    [](char wanted, char found) { return wanted == lower(found); });
}

/// The length of "Signature=" and its like where `text` begins with one; 0: it does not.
std::size_t opens_secret_value(std::string_view text) {
  constexpr std::array<std::string_view, 3> kNames{"signature", "security-token", "temp_url_sig"};
  constexpr std::array<std::string_view, 2> kEquals{"=", "%3d"};
  for (const std::string_view name : kNames) {
    if (!starts_without_case(text, name))
      continue;
    for (const std::string_view equals : kEquals) {
      if (starts_without_case(text.substr(name.size()), equals))
        return name.size() + equals.size();
    }
  }
  return 0;
}

}  // namespace

void wipe(std::string& text) noexcept {
  // Within the capacity a resize allocates nothing.
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

std::string mask_signatures(std::string_view text) {
  std::string masked;
  masked.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t opening = opens_secret_value(text.substr(at));
    if (opening == 0) {
      masked += text[at++];
      continue;
    }
    masked.append(text.substr(at, opening)).append("***");
    at = std::min(text.find('&', at + opening), text.size());
  }
  return masked;
}

}  // namespace forebay
