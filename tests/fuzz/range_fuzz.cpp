// Range and Content-Range: what is understood is written back and understood alike.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/range.hpp>

namespace forebay::fuzz {
namespace {

void check_range(std::string_view value, std::uint64_t size) {
  const auto request = http::parse_range(value);
  if (request.kind != http::RangeRequest::Kind::single)
    return;
  const auto again = http::parse_range(http::format_range(request.spec));
  ASSERT(again.kind == http::RangeRequest::Kind::single && again.spec == request.spec);
  const auto bytes = http::resolve(request.spec, size);
  ASSERT(!bytes || (bytes->first <= bytes->last && bytes->last < size));
  if (bytes) {
    const auto closed = http::parse_range(http::format_range(*bytes));
    ASSERT(http::resolve(closed.spec, size) == bytes);
  }
}

void check_content_range(std::string_view value) {
  const auto parsed = http::parse_content_range(value);
  if (!parsed)
    return;
  const http::ContentRange& range = parsed.value();
  ASSERT(range.range.first <= range.range.last && range.range.last < range.total);
  const auto again = http::parse_content_range(http::format_content_range(range));
  ASSERT(again && again.value() == range);
}

}  // namespace

void check(std::string_view input) {
  std::uint64_t size = 0;
  for (int i = 0; i < 3; ++i)
    size = size * 1000 + take_byte(input);
  check_range(input, size);
  check_content_range(input);
}

}  // namespace forebay::fuzz
