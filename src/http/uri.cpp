#include <forebay/base/errc.hpp>
#include <forebay/http/uri.hpp>

#include <algorithm>
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
  const auto stays = [slash](char c) {
    return kUnreserved[static_cast<unsigned char>(c)] || (c == '/' && slash == Slash::keep);
  };
  while (!text.empty()) {
    const auto run =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), stays) - text.begin());
    result.append(text, 0, run);
    if (run == text.size())
      return;
    const auto byte = static_cast<unsigned char>(text[run]);
    const std::array<char, 3> encoded{'%', kDigits[byte >> 4], kDigits[byte & 15]};
    result.append(encoded.data(), encoded.size());
    text.remove_prefix(run + 1);
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
  for (;;) {
    const std::size_t run = std::min(text.find('%'), text.size());
    result.append(text, 0, run);
    text.remove_prefix(run);
    if (text.empty())
      return result;
    if (text.size() < 3)
      return Errc::protocol;
    const int high = hex_digit(text[1]);
    const int low = hex_digit(text[2]);
    if (high < 0 || low < 0)
      return Errc::protocol;
    result += static_cast<char>(high * 16 + low);
    text.remove_prefix(3);
  }
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  query.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) + 1);
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
