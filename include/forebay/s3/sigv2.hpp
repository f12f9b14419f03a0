#pragma once
// AWS Signature Version 2, by query string only: what boto3 makes of generate_presigned_url unless
// told otherwise. "Signing and authenticating REST requests" (Amazon S3 User Guide). Pure.
#include <forebay/http/message.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/error.hpp>
#include <forebay/s3/sigv4.hpp>

#include <optional>
#include <string_view>

namespace forebay::s3 {

/// Reads ?AWSAccessKeyId=&Signature=&Expires= of a request whose scheme is sigv2 by query. `query`
/// is its own. access_denied where one of the three is missing or no number.
Outcome<Authorization> parse_presigned_v2(const http::RequestHead& request,
                                          const http::Query& query);

/// Proves that the holder of `secret_key` presigned this request and that it has not expired.
/// SigV2 covers few parameters: of the others only those of may_stay_unsigned (query_rules.hpp) are
/// accepted, all else is access_denied. Parameters must have passed check_parameters.
/// `bucket` is the one that the Host names, or "". As verify() in sigv4.hpp.
std::optional<Failure> verify_v2(const http::RequestHead& request,
                                 const Authorization& authorization, std::string_view secret_key,
                                 std::string_view bucket, sys_seconds now);

/// base64(HMAC-SHA1(secret_key, text)): SigV2's signature, of POST policies too.
std::string signature_v2(std::string_view secret_key, std::string_view text);

}  // namespace forebay::s3
