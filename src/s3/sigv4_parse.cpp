// Reading SigV4 authorisations. The messages are those S3 answers with.
#include "s3/sigv4_canonical.hpp"

#include <forebay/http/date.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/sigv2.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace forebay::s3 {
namespace {

constexpr std::string_view kAsymmetricAlgorithm = "AWS4-ECDSA-P256-SHA256";
constexpr std::string_view kExpectedCredential =
    "expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

/// How errors of the two forms begin and which code they carry.
struct Dialect {
  ErrorCode code;
  std::string_view malformed;
  std::string_view prefix;
};
constexpr Dialect kHeaderDialect{
    ErrorCode::authorization_header_malformed,
    "The authorization header is malformed; the Credential is mal-formed; ",
    "The authorization header is malformed; "};
constexpr Dialect kQueryDialect{
    ErrorCode::authorization_query_parameters_error,
    "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; ",
    "Error parsing the X-Amz-Credential parameter; "};

std::string in_quotes(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

/// Access keys may hold slashes, so it is read from the right.
Outcome<CredentialScope> parse_credential(std::string_view text, const Dialect& dialect) {
  std::array<std::string_view, 4> scope;
  for (auto part = scope.rbegin(); part != scope.rend(); ++part) {
    const auto slash = text.rfind('/');
    if (slash == std::string_view::npos)
      return Failure{dialect.code, std::string{dialect.malformed}.append(kExpectedCredential)};
    *part = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const auto& [date, region, service, terminator] = scope;
  if (text.empty() || date.size() != 8 || !is_digits(date))
    return Failure{dialect.code, std::string{dialect.malformed}.append(kExpectedCredential)};
  if (service != kService)
    return Failure{dialect.code, std::string{dialect.prefix} + "incorrect service " +
                                     in_quotes(service) + ". This endpoint belongs to \"s3\"."};
  if (terminator != kTerminator)
    return Failure{dialect.code, std::string{dialect.prefix} + "incorrect terminal " +
                                     in_quotes(terminator) +
                                     ". This endpoint uses \"aws4_request\"."};
  return CredentialScope{std::string{text}, std::string{date}, std::string{region}};
}

void set_scope(Authorization& authorization, CredentialScope scope) {
  authorization.access_key = std::move(scope.access_key);
  authorization.date = std::move(scope.date);
  authorization.region = std::move(scope.region);
}

/// The scope must be of the day the request was signed on.
Outcome<void> check_date(const Authorization& authorization, const Dialect& dialect) {
  const auto day = format_amz_date(authorization.timestamp).substr(0, 8);
  if (day != authorization.date)
    return Failure{dialect.code,
                   std::string{dialect.prefix} + "Invalid credential date " +
                       in_quotes(authorization.date) +
                       ". This date is not the same as X-Amz-Date: " + in_quotes(day) + "."};
  return BOOST_OUTCOME_V2_NAMESPACE::success();
}

/// "host;x-amz-date" in lower case; empty where a name is empty or there twice, or where there are
/// more than kSignedHeadersMax: each costs a pass over the request.
std::vector<std::string> parse_signed_headers(std::string_view text) {
  constexpr std::size_t kSignedHeadersMax = 64;
  if (static_cast<std::size_t>(std::count(text.begin(), text.end(), ';')) >= kSignedHeadersMax)
    return {};
  std::vector<std::string> names;
  for (const auto name : split(text, ';')) {
    if (name.empty())
      return {};
    names.push_back(http::to_lower(name));
  }
  auto sorted = names;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return {};
  return names;
}

Outcome<void> check_payload(std::string_view value) {
  if (payload_mode(value) != PayloadMode::malformed)
    return BOOST_OUTCOME_V2_NAMESPACE::success();
  return Failure{ErrorCode::invalid_argument,
                 "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                 "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                 "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
                 "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
                 "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                 {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", std::string{value}}}};
}

/// The components of an Authorization value; each must be there once and nothing else beside them.
struct Components {
  std::string_view credential, signed_headers, signature;
};

Outcome<Components> parse_components(std::string_view text) {
  const auto& prefix = kHeaderDialect.prefix;
  Components components;
  for (auto part : split(text, ',')) {
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    part = part.substr(0, part.find_last_not_of(' ') + 1);
    const auto equals = part.find('=');
    const auto name = part.substr(0, equals);
    auto* const slot = name == "Credential"      ? &components.credential
                       : name == "SignedHeaders" ? &components.signed_headers
                       : name == "Signature"     ? &components.signature
                                                 : nullptr;
    if (slot == nullptr || equals == std::string_view::npos || !slot->empty())
      return Failure{kHeaderDialect.code, std::string{prefix} + "the authorization component " +
                                              in_quotes(part) + " is malformed."};
    *slot = part.substr(equals + 1);
  }
  if (components.credential.empty() || components.signed_headers.empty() ||
      components.signature.empty())
    return Failure{kHeaderDialect.code, std::string{prefix} +
                                            "the authorization header requires three components: "
                                            "Credential, SignedHeaders, and Signature."};
  return components;
}

/// x-amz-date, or a plain Date in either form where there is none.
std::optional<sys_seconds> request_time(const http::Headers& headers) {
  if (headers.contains("x-amz-date"))
    return parse_amz_date(headers.value_or_empty("x-amz-date"));
  const auto date = headers.value_or_empty("date");
  if (const auto time = parse_amz_date(date))
    return time;
  if (const auto time = http::parse_date(date))
    return time.value();
  return std::nullopt;
}

Outcome<Authorization> parse_header(const http::RequestHead& request) {
  const auto& headers = request.headers;
  auto value = headers.value_or_empty("authorization");
  value.remove_prefix(kAlgorithm.size());
  TRY(const auto components, parse_components(value));
  Authorization result;
  result.kind = Authorization::Kind::header;
  TRY(CredentialScope scope, parse_credential(components.credential, kHeaderDialect));
  set_scope(result, std::move(scope));
  result.signed_headers = parse_signed_headers(components.signed_headers);
  if (result.signed_headers.empty())
    return Failure{kHeaderDialect.code,
                   std::string{kHeaderDialect.prefix} + "the SignedHeaders are mal-formed."};
  result.signature = components.signature;
  const auto time = request_time(headers);
  if (!time || headers.count("x-amz-date") > 1)
    return Failure{ErrorCode::access_denied,
                   "AWS authentication requires a valid Date or x-amz-date header"};
  result.timestamp = *time;
  TRY(check_date(result, kHeaderDialect));
  if (headers.count("x-amz-content-sha256") != 1 ||
      headers.value_or_empty("x-amz-content-sha256").empty())
    return Failure{ErrorCode::invalid_request,
                   "Missing required header for this request: x-amz-content-sha256"};
  result.payload_hash = headers.value_or_empty("x-amz-content-sha256");
  TRY(check_payload(result.payload_hash));
  result.session_token = headers.value_or_empty("x-amz-security-token");
  return result;
}

Outcome<std::chrono::seconds> parse_expires(std::string_view text) {
  constexpr auto kCode = ErrorCode::authorization_query_parameters_error;
  const bool is_negative = text.starts_with('-');
  const auto digits = text.substr(is_negative ? 1 : 0);
  if (!is_digits(digits))
    return Failure{kCode, "X-Amz-Expires should be a number"};
  if (is_negative)
    return Failure{kCode, "X-Amz-Expires must be non-negative"};
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (ec != std::errc{} || value > kMaxExpires.count())
    return Failure{kCode,
                   "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                   "X-Amz-Expires must be less than 604800 seconds"};
  return std::chrono::seconds{value};
}

Outcome<Authorization> parse_presigned(const http::RequestHead& request, const http::Query& query) {
  const auto value = [&query](std::string_view name) {
    const auto* const parameter = http::find(query, name);
    return parameter == nullptr ? std::string_view{} : std::string_view{parameter->value};
  };
  constexpr std::array<std::string_view, 6> kRequired{"X-Amz-Algorithm",     "X-Amz-Credential",
                                                      "X-Amz-Signature",     "X-Amz-Date",
                                                      "X-Amz-SignedHeaders", "X-Amz-Expires"};
  for (const auto name : kRequired) {
    if (value(name).empty())
      return Failure{kQueryDialect.code,
                     "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                     "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                     "X-Amz-Expires parameters."};
  }
  Authorization result;
  result.kind = Authorization::Kind::presigned;
  TRY(CredentialScope scope, parse_credential(value("X-Amz-Credential"), kQueryDialect));
  set_scope(result, std::move(scope));
  const auto time = parse_amz_date(value("X-Amz-Date"));
  if (!time)
    return Failure{kQueryDialect.code,
                   "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""};
  result.timestamp = *time;
  TRY(check_date(result, kQueryDialect));
  TRY(result.expires, parse_expires(value("X-Amz-Expires")));
  result.signed_headers = parse_signed_headers(value("X-Amz-SignedHeaders"));
  if (result.signed_headers.empty())
    return Failure{kQueryDialect.code, "The X-Amz-SignedHeaders parameter is mal-formed."};
  result.signature = value("X-Amz-Signature");
  result.session_token = value("X-Amz-Security-Token");
  const auto& names = result.signed_headers;
  const bool is_hash_signed =
      std::find(names.begin(), names.end(), "x-amz-content-sha256") != names.end();
  // A hash that nobody signed says nothing about what was signed.
  const auto hash = is_hash_signed ? request.headers.value_or_empty("x-amz-content-sha256")
                                   : value("X-Amz-Content-Sha256");
  result.payload_hash = hash.empty() ? kUnsignedPayload : hash;
  TRY(check_payload(result.payload_hash));
  return result;
}

Outcome<Authorization> anonymous(const http::RequestHead& request) {
  Authorization result;
  result.kind = Authorization::Kind::anonymous;
  result.payload_hash = request.headers.value_or_empty("x-amz-content-sha256");
  TRY(check_payload(result.payload_hash));
  return result;
}

AuthScheme header_scheme(std::string_view value) {
  if (value.starts_with(kAlgorithm) && value.substr(kAlgorithm.size()).starts_with(' '))
    return AuthScheme::sigv4_header;
  if (value.starts_with(kAsymmetricAlgorithm))
    return AuthScheme::sigv4a;
  return value.starts_with("AWS ") ? AuthScheme::sigv2 : AuthScheme::unsupported;
}

AuthScheme query_scheme(const http::Query& query) {
  const bool has_v2 =
      http::find(query, "AWSAccessKeyId") != nullptr || http::find(query, "Signature") != nullptr;
  const bool has_v4 = http::find(query, "X-Amz-Algorithm") != nullptr ||
                      http::find(query, "X-Amz-Credential") != nullptr ||
                      http::find(query, "X-Amz-Signature") != nullptr;
  if (has_v2 && has_v4)
    return AuthScheme::ambiguous;
  const auto* const algorithm = http::find(query, "X-Amz-Algorithm");
  if (algorithm != nullptr && algorithm->value == kAsymmetricAlgorithm)
    return AuthScheme::sigv4a;
  if (algorithm != nullptr)
    return algorithm->value == kAlgorithm ? AuthScheme::sigv4_presigned : AuthScheme::unsupported;
  if (has_v4)
    return AuthScheme::sigv4_presigned;
  return has_v2 ? AuthScheme::sigv2 : AuthScheme::anonymous;
}

AuthScheme scheme_of(const http::RequestHead& request, const http::Query& query) {
  const auto in_query = query_scheme(query);
  const auto fields = request.headers.count("authorization");
  if (fields == 0)
    return in_query;
  if (fields > 1 || in_query != AuthScheme::anonymous)
    return AuthScheme::ambiguous;
  return header_scheme(request.headers.value_or_empty("authorization"));
}

/// A target that does not decode names no scheme; parse_authorization refuses it.
Result<http::Query> query_of(const http::RequestHead& request) {
  return http::parse_query(http::split_target(request.target).query.value_or(""));
}

}  // namespace

Outcome<CredentialScope> parse_credential_scope(std::string_view text) {
  return parse_credential(text, kQueryDialect);
}

AuthScheme auth_scheme(const http::RequestHead& request) {
  const auto query = query_of(request);
  return scheme_of(request, query ? query.value() : http::Query{});
}

Outcome<Authorization> parse_authorization(const http::RequestHead& request) {
  const auto query = query_of(request);
  if (!query)
    return Failure{ErrorCode::invalid_uri};
  switch (scheme_of(request, query.value())) {
    case AuthScheme::sigv4_header:
      return parse_header(request);
    case AuthScheme::sigv4_presigned:
      return parse_presigned(request, query.value());
    case AuthScheme::anonymous:
      return anonymous(request);
    case AuthScheme::ambiguous:
      return Failure{ErrorCode::invalid_argument,
                     "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                     "Signature query string parameter or the Authorization header should be "
                     "specified"};
    case AuthScheme::sigv2:
      if (!request.headers.contains("authorization"))
        return parse_presigned_v2(request, query.value());
      break;
    case AuthScheme::sigv4a:
      return Failure{ErrorCode::not_implemented,
                     "AWS4-ECDSA-P256-SHA256 is not implemented; sign with AWS4-HMAC-SHA256."};
    case AuthScheme::unsupported:
      return Failure{ErrorCode::invalid_argument,
                     "Unsupported Authorization Type",
                     {{"ArgumentName", "Authorization"}}};
  }
  return Failure{ErrorCode::invalid_request,
                 "The authorization mechanism you have provided is not supported. Please use "
                 "AWS4-HMAC-SHA256."};
}

PayloadMode payload_mode(std::string_view value) {
  if (value.empty())
    return PayloadMode::absent;
  if (value == kUnsignedPayload)
    return PayloadMode::unsigned_payload;
  if (value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    return PayloadMode::streaming_signed;
  if (value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
    return PayloadMode::streaming_signed_trailer;
  if (value == "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    return PayloadMode::streaming_unsigned_trailer;
  if (value.starts_with("STREAMING-"))
    return PayloadMode::streaming_other;
  const bool is_hash = value.size() == 64 &&
                       value.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  return is_hash ? PayloadMode::sha256 : PayloadMode::malformed;
}

std::optional<sys_seconds> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z' || !is_digits(text.substr(0, 8)) ||
      !is_digits(text.substr(9, 6)))
    return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t count) {
    unsigned value = 0;
    for (const char c : text.substr(at, count))
      value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year{static_cast<int>(number(0, 4))},
                                        std::chrono::month{number(4, 2)},
                                        std::chrono::day{number(6, 2)}};
  if (!day.ok() || number(9, 2) > 23 || number(11, 2) > 59 || number(13, 2) > 59)
    return std::nullopt;
  return std::chrono::sys_days{day} + std::chrono::hours{number(9, 2)} +
         std::chrono::minutes{number(11, 2)} + std::chrono::seconds{number(13, 2)};
}

}  // namespace forebay::s3
