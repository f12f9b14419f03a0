// The If-* fields and dates. Input: the object's ETag, its date, then fields, a line each.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/conditional.hpp>
#include <forebay/http/date.hpp>

namespace forebay::fuzz {

void check(std::string_view input) {
  const std::string_view etag = take_line(input);
  const auto date = http::parse_date(take_line(input));
  std::optional<http::sys_seconds> modified;
  if (date) {
    modified = date.value();
    const auto again = http::parse_date(http::format_date(*modified));
    ASSERT(again && again.value() == *modified);
  }
  const http::Headers headers = take_headers(input);
  const auto decided = http::evaluate(headers, etag, modified);
  ASSERT(http::has_preconditions(headers) || decided == http::Precondition::proceed);

  http::Headers more = headers;
  more.add("X-Other", "\"tag\"");
  ASSERT(http::evaluate(more, etag, modified) == decided);

  const auto if_range = http::evaluate_if_range(headers, etag);
  ASSERT((if_range == http::IfRange::no_header) == !headers.contains("If-Range"));

  const auto strong = http::strong_etag(etag);
  if (!strong)
    return;
  ASSERT(strong->find('"') == std::string_view::npos);
  http::Headers same;
  same.add("If-None-Match", "\"" + std::string{*strong} + "\"");
  ASSERT(http::evaluate(same, etag, modified) == http::Precondition::not_modified);
  same.remove("If-None-Match");
  same.add("If-Match", "\"" + std::string{*strong} + "\"");
  ASSERT(http::evaluate(same, etag, modified) == http::Precondition::proceed);
}

}  // namespace forebay::fuzz
