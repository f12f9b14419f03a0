#include "proxy/origin_request.hpp"

#include <forebay/http/field_names.hpp>
#include <forebay/http/header_rules.hpp>

namespace forebay::proxy {

std::string origin_target(const Request& request) {
  using Kind = s3::Authorization::Kind;
  const Kind kind = request.caller->authorization.kind;
  const bool is_preflight = request.operation == s3::Operation::cors_preflight;
  if (kind == Kind::passed_on && !is_preflight)
    return request.head.target;
  http::Query query = request.query;
  if (kind == Kind::presigned || kind == Kind::presigned_v2 || is_preflight)
    std::erase_if(query, [](const auto& each) { return s3::is_auth_parameter(each.name); });
  std::string target = kind == Kind::passed_on
                           ? std::string{http::split_target(request.head.target).path}
                           : s3::path_style(request.address);
  if (!query.empty())
    target.append("?").append(http::format_query(query));
  return target;
}

http::RequestHead origin_head(const Request& request) {
  http::RequestHead head;
  head.method = request.head.method;
  head.target = request.origin_target;
  head.headers = http::end_to_end(request.head.headers);
  head.headers.remove("Expect");
  const bool is_preflight = request.operation == s3::Operation::cors_preflight;
  if (!request.is_passed_on()) {
    head.headers.remove("Host");
    http::remove_odd_names(head.headers);
  }
  if (!request.is_passed_on() || is_preflight)
    head.headers.remove("Authorization");
  // As the client spelled it, who may have signed it.
  if (request.body.framing == http::Framing::chunked)
    head.headers.set("Transfer-Encoding",
                     std::string{request.head.headers.value_or_empty("Transfer-Encoding")});
  return head;
}

}  // namespace forebay::proxy
