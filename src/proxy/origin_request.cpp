#include "proxy/origin_request.hpp"

#include <forebay/http/field_names.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/s3/foreign_credentials.hpp>

namespace forebay::proxy {

std::string origin_target(const Request& request) {
  using Kind = s3::Authorization::Kind;
  const Kind kind = request.caller->authorization.kind;
  if (kind == Kind::passed_on && !request.is_preflight())
    return request.head.target;
  http::Query query = request.query;
  if (request.is_preflight())
    std::erase_if(query, [](const auto& each) { return s3::is_credential_parameter(each.name); });
  else if (kind == Kind::presigned || kind == Kind::presigned_v2)
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
  head.headers = request.head.headers;
  http::remove_hop_by_hop(head.headers);
  head.headers.remove("Expect");
  if (!request.is_passed_on()) {
    head.headers.remove("Host");
    head.headers.remove("Authorization");
    http::remove_ambiguous_names(head.headers);
  }
  if (request.is_preflight())
    head.headers.remove_if([](const auto& field) { return s3::is_credential_field(field.name); });
  // In the client's spelling, which its signature may cover.
  if (request.body.framing == http::Framing::chunked)
    head.headers.set("Transfer-Encoding",
                     std::string{request.head.headers.value_or_empty("Transfer-Encoding")});
  return head;
}

}  // namespace forebay::proxy
