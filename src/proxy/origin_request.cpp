#include "proxy/origin_request.hpp"

#include <forebay/http/header_rules.hpp>

#include <algorithm>
#include <array>

namespace forebay::proxy {
namespace {

constexpr std::array<std::string_view, 7> kPresignParameters{
    "X-Amz-Algorithm",     "X-Amz-Credential", "X-Amz-Date",          "X-Amz-Expires",
    "X-Amz-SignedHeaders", "X-Amz-Signature",  "X-Amz-Security-Token"};

bool is_presign_parameter(const http::QueryParameter& parameter) {
  return std::find(kPresignParameters.begin(), kPresignParameters.end(), parameter.name) !=
         kPresignParameters.end();
}

}  // namespace

std::string origin_target(const Request& request) {
  http::Query query = request.query;
  if (request.caller->authorization.kind == s3::Authorization::Kind::presigned)
    std::erase_if(query, is_presign_parameter);
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
  for (const char* name : {"Host", "Authorization", "Expect"})
    head.headers.remove(name);
  if (request.body.framing == http::Framing::chunked)
    head.headers.set("Transfer-Encoding", "chunked");
  return head;
}

}  // namespace forebay::proxy
