#include "config/text.hpp"

#include <forebay/net/connect.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

namespace forebay::config {
namespace {

std::string join(const std::vector<std::string_view>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string bound_text(Type type, double bound) {
  const auto whole = static_cast<std::uint64_t>(bound);
  if (type == Type::size)
    return format_size(whole);
  if (type == Type::duration)
    return format_duration(milliseconds{whole});
  return fmt::format("{}", bound);
}

/// "32MiB to 16TiB"
std::string range_text(const Key& key) {
  return fmt::format("{} to {}", bound_text(key.type, key.bounds.min),
                     bound_text(key.type, key.bounds.max));
}

std::string text_length(const Key& key) {
  if (key.bounds.min == 0 && std::isinf(key.bounds.max))
    return "a text";
  if (key.bounds.min == 0)
    return fmt::format("a text of at most {} characters", key.bounds.max);
  if (std::isinf(key.bounds.max))
    return "a text that is not empty";
  return fmt::format("a text of {} to {} characters", key.bounds.min, key.bounds.max);
}

std::string item_names(const Key& key) {
  std::vector<std::string_view> names;
  names.reserve(key.items.size());
  for (const Key& item : key.items)
    names.push_back(item.name);
  return join(names);
}

using Parsed = std::variant<Value, Misfit>;

/// `value` where `measure` is within the bounds.
Parsed within(const Key& key, double measure, Value value) {
  if (measure < key.bounds.min)
    return Misfit{"is too small"};
  if (measure > key.bounds.max)
    return Misfit{"is too large"};
  return value;
}

/// Parses all of `text`.
template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || rest != text.data() + text.size())
    return std::nullopt;
  return number;
}

Parsed parse_text(const Key& key, std::string_view text) {
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (control)
    return Misfit{"holds a control character"};
  const auto length = static_cast<double>(text.size());
  if (length < key.bounds.min)
    return Misfit{"is empty"};
  if (length > key.bounds.max)
    return Misfit{"is too long"};
  if (key.secret)
    return Secret{text};
  return std::string{text};
}

Parsed parse_choice(const Key& key, std::string_view text) {
  if (std::ranges::find(key.choices, text) != key.choices.end())
    return std::string{text};
  return Misfit{"is not a choice"};
}

Parsed parse_url(const Key& key, std::string_view text) {
  if (text.empty() && key.bounds.min == 0)
    return std::string{};
  std::string_view authority = text;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme))
      authority = text.substr(scheme.size());
  }
  if (authority.size() == text.size())
    return Misfit{"does not begin with http:// or https://"};
  constexpr std::string_view kForeign = "/?#@ ";
  if (authority.find_first_of(kForeign) != std::string_view::npos)
    return Misfit{"has more than a host and a port"};
  const bool has_port = authority.rfind(':') != std::string_view::npos && !authority.ends_with(']');
  const auto endpoint =
      net::parse_host_port(has_port ? std::string{authority} : std::string{authority} + ":80");
  if (!endpoint || endpoint.value().port == 0)
    return Misfit{"has no usable host or port"};
  return std::string{text};
}

Parsed parse_path(const Key& key, std::string_view text, std::string_view directory) {
  Parsed checked = parse_text(key, text);
  if (std::holds_alternative<Misfit>(checked) || text.empty())
    return checked;
  // An absolute path replaces the directory.
  return (std::filesystem::path{directory} / text).lexically_normal().string();
}

Parsed parse_number(const Key& key, std::string_view text) {
  if (key.type == Type::number) {
    const auto number = whole_number<double>(text);
    if (!number || !std::isfinite(*number))
      return Misfit{"is not a number"};
    return within(key, *number, *number);
  }
  if (key.type == Type::integer) {
    const auto number = whole_number<std::uint64_t>(text);
    if (!number)
      return Misfit{"is not a whole number"};
    return within(key, static_cast<double>(*number), *number);
  }
  if (key.type == Type::size) {
    const auto size = parse_size(text);
    if (!size)
      return Misfit{"is not a size"};
    return within(key, static_cast<double>(size.value()), size.value());
  }
  const auto duration = parse_duration(text);
  if (!duration)
    return Misfit{"is not a duration"};
  return within(key, static_cast<double>(duration.value().count()), duration.value());
}

}  // namespace

std::string_view text_of(const Value& value) {
  if (const auto* secret = std::get_if<Secret>(&value))
    return *secret;
  return std::get<std::string>(value);
}

bool is_scalar(const Key& key) {
  return key.type != Type::text_list && key.type != Type::map_list;
}

std::string environment_name(const Key& key) {
  std::string name = "FOREBAY_";
  for (const char c : key.name)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::string allowed_briefly(const Key& key) {
  switch (key.type) {
    case Type::text:
      return text_length(key);
    case Type::enumeration:
      return join(key.choices);
    case Type::size:
    case Type::duration:
    case Type::integer:
    case Type::number:
      return range_text(key);
    case Type::boolean:
      return "true, false";
    case Type::host_port:
      return "host:port";
    case Type::url:
      return std::string{
                 "http:// or https://, a host, and a port where it is not the scheme's own"} +
             (key.bounds.min == 0 ? ", or \"\" for none" : "");
    case Type::path:
      return key.bounds.min == 0 ? "the path of a file, or \"\" for none" : "the path of a file";
    case Type::text_list:
      return "a list of texts";
    case Type::map_list:
      return fmt::format("a list of maps with the keys {}", item_names(key));
  }
  return {};
}

std::string allowed(const Key& key) {
  std::string brief = allowed_briefly(key);
  switch (key.type) {
    case Type::size:
      return "a size such as 4096, 64KiB or 4MiB, " + brief;
    case Type::duration:
      return "a duration such as 250ms, 5s, 2m, 1h or 1d, " + brief;
    case Type::integer:
      return "a whole number, " + brief;
    case Type::number:
      return "a number, " + brief;
    case Type::host_port:
      return brief + ", such as 127.0.0.1:9000 or [::1]:9000";
    default:
      return brief;
  }
}

std::variant<Value, Misfit> parse_scalar(const Key& key, std::string_view text,
                                         std::string_view directory) {
  switch (key.type) {
    case Type::text:
      return parse_text(key, text);
    case Type::enumeration:
      return parse_choice(key, text);
    case Type::boolean:
      if (text != "true" && text != "false")
        return Misfit{"is not a boolean"};
      return text == "true";
    case Type::host_port:
      if (!net::parse_host_port(text))
        return Misfit{"is not host:port"};
      return std::string{text};
    case Type::url:
      return parse_url(key, text);
    case Type::path:
      return parse_path(key, text, directory);
    default:
      return parse_number(key, text);
  }
}

std::string quoted_or_hidden(const Key& key, std::string_view text) {
  // A URL with more than a host may have a password or a signature in it.
  const bool may_hold_secret =
      key.type == Type::url && text.find_first_of("@?") != std::string_view::npos;
  if (key.secret || may_hold_secret)
    return "the value";
  constexpr std::size_t kShown = 80;
  return fmt::format("\"{}{}\"", text.substr(0, kShown), text.size() > kShown ? "..." : "");
}

bool count_fits(const Key& key, std::size_t count) {
  const auto measure = static_cast<double>(count);
  return measure >= key.bounds.min && measure <= key.bounds.max;
}

std::string quoted_where_needed(std::string_view text) {
  // What YAML reads as the same text whatever stands around it: a colon ends a key only before a
  // space, a dash begins an item only in the first place.
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"._/:+-"}.find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.front() != '-' && text.front() != ':' && text.back() != ':' &&
      text != "null" && std::all_of(text.begin(), text.end(), plain))
    return std::string{text};
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    // A line break of a quoted text would be folded, and a control character be no YAML.
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string format_scalar(const Key& key, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value))
    return *flag ? "true" : "false";
  if (const auto* duration = std::get_if<milliseconds>(&value))
    return format_duration(*duration);
  if (const auto* number = std::get_if<double>(&value))
    return fmt::format("{}", *number);
  if (const auto* whole = std::get_if<std::uint64_t>(&value))
    return key.type == Type::size ? format_size(*whole) : std::to_string(*whole);
  return quoted_where_needed(text_of(value));
}

}  // namespace forebay::config
