#pragma once
// The canonical request, the string to sign and the signature of SigV4, as S3 defines them: the
// path is encoded once and never normalised. Amazon S3 API Reference, "Signature Calculations for
// the Authorization Header".
#include "s3/sha256_state.hpp"

#include <forebay/http/message.hpp>
#include <forebay/s3/error.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::s3 {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kService = "s3";
inline constexpr std::string_view kTerminator = "aws4_request";

/// "YYYYMMDD/region/s3/aws4_request"
std::string credential_scope(std::string_view date, std::string_view region);

/// "AKID/YYYYMMDD/region/s3/aws4_request", taken apart.
struct CredentialScope {
  std::string access_key;
  std::string date;
  std::string region;
};
Outcome<CredentialScope> parse_credential_scope(std::string_view text);

/// `names` joined by ';', the form of SignedHeaders.
std::string join_names(const std::vector<std::string>& names);

/// invalid_uri where the target does not decode. Names in `signed_headers` are lower case; a field
/// that the request lacks has an empty value.
Outcome<std::string> canonical_request(const http::RequestHead& request,
                                       const std::vector<std::string>& signed_headers,
                                       std::string_view payload_hash);

std::string string_to_sign(std::string_view canonical_request, std::chrono::sys_seconds time,
                           std::string_view region);

/// The signing key of that secret, day (YYYYMMDD) and region. Derived keys are cached per thread.
HmacKey derived_key(std::string_view secret_key, std::string_view date, std::string_view region);

/// The signature, in hexadecimal, under the key derived from `secret_key` and the scope.
std::string signature(std::string_view secret_key, std::string_view date, std::string_view region,
                      std::string_view string_to_sign);

/// "2013-05-24T00:00:00Z", as in error bodies.
std::string format_iso_date(std::chrono::sys_seconds time);

/// How long it takes says nothing of where `a` and `b` differ.
bool is_equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace forebay::s3
