#include "http/text.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/range.hpp>

#include <algorithm>
#include <limits>

namespace forebay::http {
namespace {

constexpr std::string_view kUnit = "bytes";

/// 1*DIGIT; a number beyond 64 bits is held at the largest. nullopt where it is no number.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  return parse_decimal(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

std::optional<RangeSpec> parse_spec(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos)
    return std::nullopt;
  const auto before = text.substr(0, dash);
  const auto after = text.substr(dash + 1);
  if (before.empty()) {
    const auto length = parse_position(after);
    if (!length)
      return std::nullopt;
    return RangeSpec{.form = RangeSpec::Form::suffix, .length = *length};
  }
  const auto first = parse_position(before);
  if (!first)
    return std::nullopt;
  if (after.empty())
    return RangeSpec{.form = RangeSpec::Form::open, .first = *first};
  const auto last = parse_position(after);
  if (!last || *last < *first)
    return std::nullopt;
  return RangeSpec{.form = RangeSpec::Form::closed, .first = *first, .last = *last};
}

}  // namespace

RangeRequest parse_range(std::string_view value) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos || !iequals(value.substr(0, equals), kUnit))
    return {};
  const auto set = trim(value.substr(equals + 1));
  // A list is the origin's to judge as a whole, whatever its elements look like.
  if (set.find(',') != std::string_view::npos)
    return {.kind = RangeRequest::Kind::multiple, .spec = {}};
  if (const auto spec = parse_spec(set)) {
    // Origins that count in signed numbers take the rest for no range at all.
    constexpr std::uint64_t kCountable = std::numeric_limits<std::int64_t>::max();
    if (std::max({spec->first, spec->last, spec->length}) > kCountable)
      return {.kind = RangeRequest::Kind::multiple, .spec = {}};
    return {.kind = RangeRequest::Kind::single, .spec = *spec};
  }
  return {};
}

RangeRequest parse_range(const Headers& request) {
  if (request.count("range") > 1)
    return {.kind = RangeRequest::Kind::multiple, .spec = {}};
  return parse_range(request.value_or_empty("range"));
}

std::optional<ByteRange> resolve(const RangeSpec& spec, std::uint64_t size) {
  if (size == 0)
    return std::nullopt;
  if (spec.form == RangeSpec::Form::suffix) {
    if (spec.length == 0)
      return std::nullopt;
    return ByteRange{size - std::min(spec.length, size), size - 1};
  }
  if (spec.first >= size)
    return std::nullopt;
  const auto last = spec.form == RangeSpec::Form::open ? size - 1 : std::min(spec.last, size - 1);
  return ByteRange{spec.first, last};
}

std::string format_range(const RangeSpec& spec) {
  std::string text{kUnit};
  text += '=';
  if (spec.form != RangeSpec::Form::suffix)
    text += std::to_string(spec.first);
  text += '-';
  if (spec.form == RangeSpec::Form::suffix)
    text += std::to_string(spec.length);
  if (spec.form == RangeSpec::Form::closed)
    text += std::to_string(spec.last);
  return text;
}

std::string format_range(const ByteRange& range) {
  return format_range(
      RangeSpec{.form = RangeSpec::Form::closed, .first = range.first, .last = range.last});
}

Result<ContentRange> parse_content_range(std::string_view value) {
  const auto space = value.find(' ');
  const auto dash = value.find('-');
  const auto slash = value.find('/');
  if (slash == std::string_view::npos || dash == std::string_view::npos || space > dash ||
      dash > slash || !iequals(value.substr(0, space), kUnit))
    return Errc::protocol;
  const auto first = parse_decimal(value.substr(space + 1, dash - space - 1));
  const auto last = parse_decimal(value.substr(dash + 1, slash - dash - 1));
  const auto total = parse_decimal(value.substr(slash + 1));
  if (!first || !last || !total || *first > *last || *last >= *total)
    return Errc::protocol;
  return ContentRange{.range = {*first, *last}, .total = *total};
}

std::string format_content_range(const ContentRange& range) {
  return std::string{kUnit} + ' ' + std::to_string(range.range.first) + '-' +
         std::to_string(range.range.last) + '/' + std::to_string(range.total);
}

std::string format_unsatisfied_range(std::uint64_t total) {
  return std::string{kUnit} + " */" + std::to_string(total);
}

}  // namespace forebay::http
