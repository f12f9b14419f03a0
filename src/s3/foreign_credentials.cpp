#include <forebay/http/field_names.hpp>
#include <forebay/s3/foreign_credentials.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace forebay::s3 {
namespace {

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& folded_names, std::string_view name) {
  return std::any_of(folded_names.begin(), folded_names.end(),
                     [name](std::string_view each) { return http::folds_to(name, each); });
}

/// What one Ceph gateway tells another, in whose name and about which bucket.
bool is_of_gateways(std::string_view name) {
  constexpr std::string_view kPrefix = "rgwx-";
  return http::folds_to(name.substr(0, kPrefix.size()), kPrefix);
}

bool is_foreign_field(std::string_view name) {
  // OpenStack Swift ("Object Storage API", TempAuth and Keystone); Google's, Alibaba's and Azure's
  // object stores; what gateways put behind themselves.
  constexpr std::array<std::string_view, 13> kNames{"x-auth-token",
                                                    "x-auth-user",
                                                    "x-auth-key",
                                                    "x-storage-token",
                                                    "x-storage-user",
                                                    "x-storage-pass",
                                                    "x-service-token",
                                                    "x-subject-token",
                                                    "x-goog-authenticated-user-id",
                                                    "x-goog-iam-authorization-token",
                                                    "x-oss-security-token",
                                                    "x-ms-authorization",
                                                    "x-rgw-access-token"};
  return is_of_gateways(name) || is_one_of(kNames, name);
}

/// A signature's parameter as S3 spells it, whatever the case.
bool folds_to_auth_parameter(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames{
      "x-amz-algorithm",      "x-amz-credential",    "x-amz-date",
      "x-amz-expires",        "x-amz-signedheaders", "x-amz-signature",
      "x-amz-security-token", "awsaccesskeyid",      "signature"};
  return is_one_of(kNames, name);
}

bool is_foreign_parameter(std::string_view name) {
  // Swift's temporary URLs and tokens; tokens that a security token service takes; other vendors'
  // signed URLs.
  constexpr std::array<std::string_view, 15> kNames{
      "temp-url-sig",   "temp-url-expires", "temp-url-prefix",   "temp-url-ip-range",
      "x-auth-token",   "x-auth-user",      "x-auth-key",        "webidentitytoken",
      "samlassertion",  "x-goog-algorithm", "x-goog-credential", "x-goog-signature",
      "googleaccessid", "ossaccesskeyid",   "security-token"};
  return is_of_gateways(name) || is_one_of(kNames, name);
}

/// Of an authorisation that is not there.
bool is_part_of_one(std::string_view name) {
  return name != "Expires" && is_auth_parameter(name);
}

bool is_token_field(std::string_view name) {
  return http::iequals(name, "x-amz-security-token") ||
         http::iequals(name, "x-amz-s3session-token");
}

}  // namespace

bool is_credential_field(std::string_view name) {
  return is_foreign_field(name) || is_token_field(name) || http::iequals(name, "authorization");
}

bool is_credential_parameter(std::string_view name) {
  return is_foreign_parameter(name) || folds_to_auth_parameter(name) || is_auth_parameter(name);
}

std::optional<std::string> foreign_credentials(const http::RequestHead& request,
                                               std::span<const http::QueryParameter> query,
                                               bool is_signed) {
  for (const auto& field : request.headers) {
    if (is_foreign_field(field.name) || (!is_signed && is_token_field(field.name)))
      return field.name;
  }
  for (const auto& parameter : query) {
    const bool misspelled =
        folds_to_auth_parameter(parameter.name) && !is_auth_parameter(parameter.name);
    if (misspelled || is_foreign_parameter(parameter.name) ||
        (!is_signed && is_part_of_one(parameter.name)))
      return parameter.name;
  }
  return std::nullopt;
}

}  // namespace forebay::s3
