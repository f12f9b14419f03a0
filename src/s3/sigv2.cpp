#include "s3/sigv4_canonical.hpp"
#include "s3/text.hpp"

#include <forebay/s3/checksum.hpp>
#include <forebay/s3/query_rules.hpp>
#include <forebay/s3/sigv2.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tuple>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace forebay::s3 {
namespace {

/// The parameters that are part of the resource.
bool is_sub_resource(std::string_view name) {
  constexpr std::array<std::string_view, 35> kNames{
      "accelerate",  "acl",
      "analytics",   "cors",
      "delete",      "inventory",
      "legal-hold",  "lifecycle",
      "location",    "logging",
      "metrics",     "notification",
      "object-lock", "partNumber",
      "policy",      "publicAccessBlock",
      "replication", "requestPayment",
      "restore",     "response-cache-control",
      "retention",   "response-content-disposition",
      "select",      "response-content-encoding",
      "select-type", "response-content-language",
      "tagging",     "response-content-type",
      "torrent",     "response-expires",
      "uploadId",    "uploads",
      "versionId",   "versioning",
      "versions",
  };
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name == "website";
}

/// A field's value, or that of the parameter that a presigned URL carries in its place.
std::string_view field_or_parameter(const http::RequestHead& request, const http::Query& query,
                                    std::string_view name) {
  if (const auto value = request.headers.get(name); value)
    return *value;
  const auto* const parameter = http::find(query, name);
  return parameter == nullptr ? std::string_view{} : std::string_view{parameter->value};
}

std::string canonical_amz_headers(const http::RequestHead& request, const http::Query& query) {
  std::map<std::string, std::string> fields;
  for (const auto& field : request.headers) {
    const std::string name = http::to_lower(field.name);
    if (!name.starts_with("x-amz-"))
      continue;
    std::string& value = fields[name];
    value.append(value.empty() ? "" : ",").append(field.value);
  }
  for (const auto& parameter : query) {
    if (parameter.name.starts_with("x-amz-"))
      fields.try_emplace(parameter.name, parameter.value);
  }
  std::string text;
  for (const auto& [name, value] : fields)
    text.append(name).append(":").append(value).append("\n");
  return text;
}

/// The path as it was sent, not decoded, and the sub-resources, decoded.
std::string canonical_resource(const http::RequestHead& request, const http::Query& query,
                               std::string_view bucket) {
  std::string text;
  if (!bucket.empty())
    text.append("/").append(bucket);
  text.append(http::split_target(request.target).path);
  http::Query parts;
  std::copy_if(query.begin(), query.end(), std::back_inserter(parts),
               [](const auto& parameter) { return is_sub_resource(parameter.name); });
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::tie(a.name, a.value) < std::tie(b.name, b.value);
  });
  char separator = '?';
  for (const auto& parameter : parts) {
    text += separator;
    separator = '&';
    text += parameter.name;
    if (!parameter.bare)
      text.append("=").append(parameter.value);
  }
  return text;
}

/// Whether what is signed of a value could as well be a shorter value and another sub-resource:
/// the string to sign holds values as they are, undecoded separators and all.
bool holds_sub_resource(std::string_view value) {
  for (auto at = value.find('&'); at != std::string_view::npos; at = value.find('&')) {
    value.remove_prefix(at + 1);
    if (is_sub_resource(value.substr(0, value.find_first_of("=&"))))
      return true;
  }
  return false;
}

/// Whether the signature covers the parameter, beyond doubt.
bool is_signed(const http::RequestHead& request, const http::QueryParameter& parameter) {
  const std::string_view name = parameter.name;
  if (name == "AWSAccessKeyId" || name == "Signature" || name == "Expires")
    return true;
  if (has_control(parameter.value))
    return false;
  if (is_sub_resource(name))
    return !holds_sub_resource(parameter.value);
  const bool stands_for_field =
      (name.starts_with("x-amz-") && name.find(':') == std::string_view::npos) ||
      name == "content-md5" || name == "content-type";
  return stands_for_field && !request.headers.contains(name);
}

/// A parameter that somebody may have added to the URL, and that is not harmless; or nullptr.
const http::QueryParameter* unsigned_parameter(const http::RequestHead& request,
                                               const http::Query& query) {
  const auto found = std::find_if(query.begin(), query.end(), [&request](const auto& parameter) {
    return !is_signed(request, parameter) && !may_stay_unsigned(parameter.name);
  });
  return found == query.end() ? nullptr : &*found;
}

}  // namespace

std::string signature_v2(std::string_view secret_key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  HMAC(EVP_sha1(), secret_key.data(), static_cast<int>(secret_key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return to_base64(std::as_bytes(std::span{digest}.first(size)));
}

Outcome<Authorization> parse_presigned_v2(const http::RequestHead& request,
                                          const http::Query& query) {
  const auto value = [&query](std::string_view name) {
    const auto* const parameter = http::find(query, name);
    return parameter == nullptr ? std::string_view{} : std::string_view{parameter->value};
  };
  Authorization result;
  result.kind = Authorization::Kind::presigned_v2;
  result.access_key = value("AWSAccessKeyId");
  result.signature = value("Signature");
  if (result.access_key.empty() || result.signature.empty() || value("Expires").empty())
    return Failure{ErrorCode::access_denied,
                   "Query-string authentication requires the Signature, Expires and "
                   "AWSAccessKeyId parameters"};
  std::int64_t expires = 0;
  const auto text = value("Expires");
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), expires);
  // What fits no signed date expires never, as far as we live; it is still a date.
  constexpr std::int64_t kLatest = 253'402'300'799;
  if (ec != std::errc{} || end != text.data() + text.size() || expires < 0)
    return Failure{ErrorCode::access_denied,
                   "Invalid date (should be seconds since epoch): " + std::string{text}};
  result.timestamp = sys_seconds{std::chrono::seconds{std::min(expires, kLatest)}};
  result.payload_hash = kUnsignedPayload;
  result.session_token = field_or_parameter(request, query, "x-amz-security-token");
  for (const auto& field : request.headers) {
    const std::string name = http::to_lower(field.name);
    if (name.starts_with("x-amz-") || name == "content-type" || name == "content-md5")
      result.signed_headers.push_back(name);
  }
  return result;
}

std::optional<Failure> verify_v2(const http::RequestHead& request,
                                 const Authorization& authorization, std::string_view secret_key,
                                 std::string_view bucket, sys_seconds now) {
  if (now > authorization.timestamp)
    return Failure{ErrorCode::access_denied,
                   "Request has expired",
                   {{"Expires", format_iso_date(authorization.timestamp)},
                    {"ServerTime", format_iso_date(now)}}};
  const auto query = http::parse_query(http::split_target(request.target).query.value_or(""));
  if (!query)
    return Failure{ErrorCode::invalid_uri};
  const auto& parameters = query.value();
  if (const auto* const added = unsigned_parameter(request, parameters); added != nullptr)
    return Failure{ErrorCode::access_denied,
                   "The query holds a parameter that the signature does not cover.",
                   {{"ParameterNotSigned", http::percent_encode(added->name)}}};
  std::string text = request.method + '\n';
  text.append(field_or_parameter(request, parameters, "content-md5")).append("\n");
  text.append(field_or_parameter(request, parameters, "content-type")).append("\n");
  text.append(field_or_parameter({}, parameters, "Expires")).append("\n");
  text.append(canonical_amz_headers(request, parameters));
  text.append(canonical_resource(request, parameters, bucket));
  const std::string expected = signature_v2(secret_key, text);
  if (is_equal_in_constant_time(expected, authorization.signature))
    return std::nullopt;
  return Failure{ErrorCode::signature_does_not_match,
                 std::string{info(ErrorCode::signature_does_not_match).message},
                 {{"AWSAccessKeyId", authorization.access_key},
                  {"StringToSign", text},
                  {"SignatureProvided", authorization.signature}}};
}

}  // namespace forebay::s3
