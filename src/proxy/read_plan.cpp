#include "proxy/read_plan.hpp"

#include <forebay/http/conditional.hpp>

#include <string>
#include <utility>

namespace forebay::proxy {
namespace {

constexpr int kOk = 200;
constexpr int kPartialContent = 206;

/// The checksum of a whole object beside a part of its bytes makes clients reject them.
bool is_whole_object_checksum(const http::Headers::Field& field) {
  return http::to_lower(field.name).starts_with("x-amz-checksum-");
}

}  // namespace

std::optional<ReadPlan> plan_read(const http::RequestHead& request,
                                  const origin::Verdict& verdict) {
  if (verdict.size == 0 || http::evaluate(request.headers, verdict.etag, verdict.last_modified) !=
                               http::Precondition::proceed)
    return std::nullopt;

  ReadPlan plan;
  plan.head.status = kOk;
  plan.head.headers = verdict.headers;
  plan.range = {0, verdict.size - 1};
  const http::RangeRequest range = http::parse_range(request.headers);
  if (verdict.part) {
    if (request.headers.contains("Range"))
      return std::nullopt;
    plan.head.status = kPartialContent;
    plan.range = *verdict.part;
  } else if (range.kind == http::RangeRequest::Kind::multiple) {
    return std::nullopt;
  } else if (range.kind == http::RangeRequest::Kind::single) {
    const auto bytes = http::resolve(range.spec, verdict.size);
    if (!bytes ||
        http::evaluate_if_range(request.headers, verdict.etag) == http::IfRange::undecidable)
      return std::nullopt;
    plan.head.status = kPartialContent;
    plan.range = *bytes;
  }
  if (plan.head.status == kPartialContent) {
    const http::ContentRange content_range{plan.range, verdict.size};
    plan.head.headers.set("Content-Range", http::format_content_range(content_range));
    plan.head.headers.remove_if(is_whole_object_checksum);
  }
  plan.head.headers.set("Content-Length", std::to_string(plan.range.length()));
  return plan;
}

std::optional<std::uint64_t> requested_length(const http::RequestHead& request) {
  const http::RangeRequest range = http::parse_range(request.headers);
  if (range.kind != http::RangeRequest::Kind::single)
    return std::nullopt;
  switch (range.spec.form) {
    case http::RangeSpec::Form::closed:
      return range.spec.last - range.spec.first + 1;
    case http::RangeSpec::Form::suffix:
      return range.spec.length;
    case http::RangeSpec::Form::open:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace forebay::proxy
