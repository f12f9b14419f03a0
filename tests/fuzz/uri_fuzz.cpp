// Percent-encoding and queries: one decoding, and an encoding that leaves nothing to read twice.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/uri.hpp>

namespace forebay::fuzz {

void check(std::string_view input) {
  const auto encoded = http::percent_encode(input);
  ASSERT(http::percent_decode(encoded).value() == input);
  const auto kept = http::percent_encode(input, http::Slash::keep);
  ASSERT(http::percent_decode(kept).value() == input);

  const auto decoded = http::percent_decode(input);
  ASSERT(!decoded || decoded.value().size() <= input.size());

  const http::Target target = http::split_target(input);
  ASSERT(target.path.size() + (target.query ? target.query->size() + 1 : 0) == input.size());

  const auto query = http::parse_query(input);
  if (!query)
    return;
  const std::string text = http::format_query(query.value());
  const auto again = http::parse_query(text);
  ASSERT(again && again.value() == query.value());
  ASSERT(http::format_query(again.value()) == text);
}

}  // namespace forebay::fuzz
