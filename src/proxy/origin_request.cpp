#include "proxy/origin_request.hpp"

#include <forebay/http/header_rules.hpp>

namespace forebay::proxy {

std::string origin_target(const Request& request) {
  using Kind = s3::Authorization::Kind;
  const Kind kind = request.caller->authorization.kind;
  if (kind == Kind::passed_on)
    return request.head.target;
  http::Query query = request.query;
  if (kind == Kind::presigned || kind == Kind::presigned_v2)
    std::erase_if(query, [](const auto& each) { return s3::is_auth_parameter(each.name); });
  std::string target = s3::path_style(request.address);
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
  if (!request.is_passed_on()) {
    head.headers.remove("Host");
    head.headers.remove("Authorization");
  }
  if (request.body.framing == http::Framing::chunked)
    head.headers.set("Transfer-Encoding", "chunked");
  return head;
}

}  // namespace forebay::proxy
