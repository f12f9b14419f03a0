#include <forebay/base/errc.hpp>
#include <forebay/http/uri.hpp>

#include <array>

namespace forebay::http {
namespace {

constexpr std::array<bool, 256> make_unreserved() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-._~"})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kUnreserved = make_unreserved();

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

void append_encoded(std::string& result, std::string_view text, Slash slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kUnreserved[byte] || (c == '/' && slash == Slash::keep)) {
      result += c;
    } else {
      result += '%';
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    }
  }
}

}  // namespace

std::string percent_encode(std::string_view text, Slash slash) {
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  append_encoded(result, text, slash);
  return result;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (text.size() - i < 3)
      return Errc::protocol;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0)
      return Errc::protocol;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (piece.empty())
      continue;
    const auto equals = piece.find('=');
    QueryParameter parameter;
    TRY(parameter.name, percent_decode(piece.substr(0, equals)));
    parameter.bare = equals == std::string_view::npos;
    if (!parameter.bare) {
      TRY(parameter.value, percent_decode(piece.substr(equals + 1)));
    }
    query.push_back(std::move(parameter));
  }
  return query;
}

std::string format_query(std::span<const QueryParameter> query) {
  std::string result;
  for (const auto& parameter : query) {
    if (!result.empty())
      result += '&';
    append_encoded(result, parameter.name, Slash::encode);
    if (!parameter.bare) {
      result += '=';
      append_encoded(result, parameter.value, Slash::encode);
    }
  }
  return result;
}

const QueryParameter* find(std::span<const QueryParameter> query, std::string_view name) {
  for (const auto& parameter : query) {
    if (parameter.name == name)
      return &parameter;
  }
  return nullptr;
}

Target split_target(std::string_view target) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos)
    return {.path = target, .query = std::nullopt};
  return {.path = target.substr(0, mark), .query = target.substr(mark + 1)};
}

}  // namespace forebay::http
