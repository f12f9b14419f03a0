// Authorisation by SigV4 and SigV2: nobody gets in without the key, and what this node signs itself
// verifies. Input: a request's head.
#include "entry.hpp"
#include "net/head_parser.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/sigv2.hpp>
#include <forebay/s3/sigv4.hpp>

namespace forebay::fuzz {
namespace {

constexpr s3::sys_seconds kNow{std::chrono::seconds{1369353600}};  // 2013-05-24T00:00:00Z
/// No seed is signed with it.
constexpr std::string_view kSecret = "fuzzed requests do not know this";

void check_forgery(const http::RequestHead& request) {
  using Kind = s3::Authorization::Kind;
  const auto authorization = s3::parse_authorization(request);
  if (!authorization || authorization.value().kind == Kind::anonymous)
    return;
  ASSERT(s3::auth_scheme(request) != s3::AuthScheme::anonymous);
  ASSERT(s3::auth_scheme(request) != s3::AuthScheme::ambiguous);
  if (authorization.value().kind == Kind::presigned_v2)
    ASSERT(s3::verify_v2(request, authorization.value(), kSecret, "", kNow));
  else
    ASSERT(s3::verify(request, authorization.value(), kSecret, kNow));
}

void check_own_signature(http::RequestHead request) {
  request.headers.set("Host", "origin.example");
  const auto target = http::split_target(request.target);
  if (!http::percent_decode(target.path) || !http::parse_query(target.query.value_or("")))
    return;
  const s3::Credential credential{"AKID", std::string{kSecret}, ""};
  http::RequestHead presigned = request;
  s3::sign(request, credential, "us-east-1", s3::kEmptyPayload, kNow);
  const auto by_header = s3::parse_authorization(request);
  ASSERT(by_header && by_header.value().access_key == "AKID");
  ASSERT(!s3::verify(request, by_header.value(), kSecret, kNow));

  s3::PresignParams params;
  params.timestamp = kNow;
  params.expires = std::chrono::seconds{60};
  for (const auto& field : presigned.headers) {
    if (http::to_lower(field.name).starts_with("x-amz-"))
      return;
  }
  s3::presign(presigned, credential, "us-east-1", params);
  const auto by_query = s3::parse_authorization(presigned);
  ASSERT(by_query && by_query.value().kind == s3::Authorization::Kind::presigned);
  ASSERT(!s3::verify(presigned, by_query.value(), kSecret, kNow));
  ASSERT(s3::verify(presigned, by_query.value(), kSecret, kNow + std::chrono::seconds{61}));
}

}  // namespace

void check(std::string_view input) {
  const auto request = net::parse_request_head(bytes_of(input));
  if (!request || http::check_request(request.value()))
    return;
  check_forgery(request.value());
  if (request.value().target.starts_with('/'))
    check_own_signature(request.value());
}

}  // namespace forebay::fuzz
