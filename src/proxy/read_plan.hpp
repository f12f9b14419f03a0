#pragma once
// From a verdict and the client's fields to the answer of a GET. Pure.
#include <forebay/http/message.hpp>
#include <forebay/http/range.hpp>
#include <forebay/origin/object_lookup.hpp>

#include <cstdint>
#include <optional>

namespace forebay::proxy {

/// What to send: status, fields, and the bytes [range.first, range.last]. The body is never empty.
struct ReadPlan {
  http::ResponseHead head;
  http::ByteRange range;
};

/// nullopt where the origin must answer itself: conditionals that do not hold or that it alone can
/// decide, unsatisfiable and multiple ranges, a part together with a range, an empty object.
/// Precedence: RFC 9110 section 13.2.2, GetObject's page.
std::optional<ReadPlan> plan_read(const http::RequestHead& request, const origin::Verdict& verdict);

/// How many bytes the request's range may span, as far as that can be known without the size:
/// nullopt for the whole object, or for a range that is open or not single.
std::optional<std::uint64_t> requested_length(const http::RequestHead& request);

}  // namespace forebay::proxy
