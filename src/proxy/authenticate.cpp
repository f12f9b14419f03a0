#include "proxy/authenticate.hpp"

#include <forebay/http/uri.hpp>
#include <forebay/s3/foreign_credentials.hpp>
#include <forebay/s3/sigv2.hpp>

#include <algorithm>
#include <utility>

namespace forebay::proxy {
namespace {

/// The bucket that a copy reads from: "bucket/key" or "/bucket/key", percent-encoded, perhaps with
/// a version behind it (API_CopyObject). Of an access point's ARN it is what no allow-list names.
Result<std::string> copy_source_bucket(std::string_view source) {
  TRY(std::string decoded, http::percent_decode(source));
  const std::size_t start = decoded.starts_with('/') ? 1 : 0;
  return decoded.substr(start, decoded.find('/', start) - start);
}

bool is_copy_source(std::string_view name) {
  return http::iequals(name, "x-amz-copy-source");
}

/// Servers do not agree on where the bucket ends in anything else: one takes the field for a URL,
/// another knows tenants.
bool is_plain_bucket_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

s3::Outcome<void> authorize_copy(const origin::Caller& caller, std::string_view source) {
  if (caller.key->allow.empty())
    return success();
  const auto bucket = copy_source_bucket(source);
  if (!bucket)
    return s3::Failure{s3::ErrorCode::invalid_argument};
  if (!is_plain_bucket_name(bucket.value()) || !caller.key->allows(bucket.value(), false))
    return s3::Failure{s3::ErrorCode::access_denied};
  return success();
}

}  // namespace

s3::Outcome<std::shared_ptr<const origin::CallerKey>> find_key(
    const origin::CredentialStore& credentials, const std::string& access_key) {
  auto key = credentials.find(access_key);
  if (!key)
    return s3::Failure{s3::ErrorCode::invalid_access_key_id,
                       std::string{s3::info(s3::ErrorCode::invalid_access_key_id).message},
                       {{"AWSAccessKeyId", access_key}}};
  return key;
}

s3::Outcome<origin::CallerPtr> authenticate(const AuthContext& context,
                                            const http::RequestHead& request,
                                            const s3::Address& address,
                                            std::span<const http::QueryParameter> query) {
  using Kind = s3::Authorization::Kind;
  TRY(s3::Authorization authorization, s3::parse_authorization(request));
  const bool is_signed = authorization.kind != Kind::anonymous;
  if (auto foreign = s3::foreign_credentials(request, query, is_signed); foreign)
    return s3::Failure{s3::ErrorCode::invalid_argument,
                       "The request carries credentials that this node cannot verify.",
                       {{"ArgumentName", *std::move(foreign)}}};
  if (authorization.kind == Kind::anonymous) {
    if (context.anonymous == AnonymousPolicy::deny)
      return s3::Failure{s3::ErrorCode::access_denied};
    return origin::keyless_caller(std::move(authorization));
  }
  TRY(auto key, find_key(context.credentials, authorization.access_key));
  const std::string_view bucket =
      address.virtual_host ? std::string_view{address.bucket} : std::string_view{};
  auto failure =
      authorization.kind == Kind::presigned_v2
          ? s3::verify_v2(request, authorization, key->secret_key, bucket, context.now)
          : s3::verify(request, authorization, key->secret_key, context.now, context.max_skew);
  if (failure)
    return *std::move(failure);
  return std::make_shared<const origin::Caller>(
      origin::Caller{std::move(key), std::move(authorization)});
}

s3::Outcome<void> authorize(const origin::Caller& caller, const s3::Address& address,
                            s3::Operation operation, const http::Headers& headers,
                            std::span<const http::QueryParameter> query) {
  // "tenant:bucket" is another tenant's, whatever the pattern says.
  const bool is_tenants = address.bucket.find(':') != std::string::npos &&
                          !address.bucket.starts_with("arn:") && !caller.key->allow.empty();
  if (is_tenants || !caller.key->allows(address.bucket, s3::is_write(operation)))
    return s3::Failure{s3::ErrorCode::access_denied};
  for (const http::Headers::Field& field : headers) {
    if (is_copy_source(field.name)) {
      TRY(authorize_copy(caller, field.value));
    }
  }
  // A presigned URL may carry the field as a parameter.
  for (const http::QueryParameter& parameter : query) {
    if (is_copy_source(parameter.name)) {
      TRY(authorize_copy(caller, parameter.value));
    }
  }
  return success();
}

}  // namespace forebay::proxy
