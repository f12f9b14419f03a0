#include "s3/sigv4_canonical.hpp"

#include <forebay/http/uri.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <openssl/crypto.h>

namespace forebay::s3 {
namespace {

struct CivilTime {
  explicit CivilTime(sys_seconds time)
      : day(std::chrono::floor<std::chrono::days>(time)),
        clock(time - std::chrono::floor<std::chrono::days>(time)) {}

  int year() const { return static_cast<int>(day.year()); }
  unsigned month() const { return static_cast<unsigned>(day.month()); }
  unsigned day_of_month() const { return static_cast<unsigned>(day.day()); }
  auto hours() const { return clock.hours().count(); }
  auto minutes() const { return clock.minutes().count(); }
  auto seconds() const { return clock.seconds().count(); }

  std::chrono::year_month_day day;
  std::chrono::hh_mm_ss<std::chrono::seconds> clock;
};

/// `number`, not negative, in the `width` characters from `at` on.
void put_digits(std::string& text, std::size_t at, std::size_t width, std::int64_t number) {
  for (std::size_t i = width; i != 0; --i) {
    text[at + i - 1] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

std::optional<Failure> check_time(const Authorization& authorization, sys_seconds now,
                                  std::chrono::seconds max_skew) {
  const auto signed_at = authorization.timestamp;
  if (authorization.kind == Authorization::Kind::presigned) {
    if (signed_at > now + max_skew)
      return Failure{
          ErrorCode::access_denied,
          "Request is not yet valid",
          {{"X-Amz-Date", format_amz_date(signed_at)}, {"ServerTime", format_iso_date(now)}}};
    const auto end = signed_at + authorization.expires;
    if (now > end)
      return Failure{ErrorCode::access_denied,
                     "Request has expired",
                     {{"X-Amz-Expires", std::to_string(authorization.expires.count())},
                      {"Expires", format_iso_date(end)},
                      {"ServerTime", format_iso_date(now)}}};
    return std::nullopt;
  }
  if (signed_at > now + max_skew || signed_at < now - max_skew)
    return Failure{ErrorCode::request_time_too_skewed,
                   std::string{info(ErrorCode::request_time_too_skewed).message},
                   {{"RequestTime", format_amz_date(signed_at)},
                    {"ServerTime", format_iso_date(now)},
                    {"MaxAllowedSkewMilliseconds",
                     std::to_string(std::chrono::milliseconds{max_skew}.count())}}};
  return std::nullopt;
}

/// `names` must be sorted.
bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name);
}

/// Host and every x-amz-* must be signed: what is not could have been added on the way. A name that
/// is signed but was not sent is a field that was taken away.
std::optional<Failure> check_coverage(const FieldIndex& fields,
                                      const std::vector<std::string>& signed_headers) {
  auto names = signed_headers;
  std::sort(names.begin(), names.end());
  std::vector<std::string_view> unsigned_names;
  if (!contains(names, "host"))
    unsigned_names.emplace_back("host");
  for (const auto& field : fields) {
    const std::string_view name = field.name;
    if (name.starts_with("x-amz-") && name != "x-amz-content-sha256" && !contains(names, name) &&
        (unsigned_names.empty() || unsigned_names.back() != name))
      unsigned_names.push_back(name);
  }
  if (!unsigned_names.empty()) {
    std::string list;
    for (const auto name : unsigned_names)
      list.append(list.empty() ? "" : ", ").append(name);
    return Failure{ErrorCode::access_denied,
                   "There were headers present in the request which were not signed",
                   {{"HeadersNotSigned", std::move(list)}}};
  }
  const auto missing = std::find_if(names.begin(), names.end(), [&fields](const auto& name) {
    return fields.find(name).empty();
  });
  if (missing == names.end())
    return std::nullopt;
  return Failure{ErrorCode::signature_does_not_match,
                 "SignedHeaders names a header that is not in the request.",
                 {{"HeaderMissing", *missing}}};
}

/// The target in strict encoding, its parameters in their order, those of a presigned URL replaced
/// by `extra`. One that does not decode is left alone: it was refused long before.
void rewrite_target(http::RequestHead& request, std::span<const http::QueryParameter> extra) {
  const auto target = http::split_target(request.target);
  const auto path = http::percent_decode(target.path);
  auto query = http::parse_query(target.query.value_or(""));
  if (!path || !query || target.path == "*")
    return;
  auto& parameters = query.value();
  std::erase_if(parameters,
                [](const auto& parameter) { return is_auth_parameter(parameter.name); });
  parameters.insert(parameters.end(), extra.begin(), extra.end());
  std::string result = http::percent_encode(path.value(), http::Slash::keep);
  if (!parameters.empty())
    result.append("?").append(http::format_query(parameters));
  request.target = std::move(result);
}

/// What origins want covered by every signature.
bool must_be_signed(std::string_view lower_name) {
  return lower_name == "host" || lower_name == "content-type" || lower_name.starts_with("x-amz-");
}

bool is_signed_for_origin(std::string_view lower_name) {
  return must_be_signed(lower_name) || lower_name == "content-md5" || lower_name == "range" ||
         lower_name.starts_with("if-");
}

std::string make_signature(const http::RequestHead& request, const Credential& credential,
                           std::string_view region, const std::vector<std::string>& signed_headers,
                           std::string_view payload_hash, sys_seconds time) {
  auto canonical =
      canonical_request(request, FieldIndex{request.headers}, signed_headers, payload_hash);
  if (!canonical)
    return {};
  return signature(credential.secret_key, format_amz_date(time).substr(0, 8), region,
                   string_to_sign(canonical.value().finish(), time, region));
}

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

std::optional<Failure> verify(const http::RequestHead& request, const Authorization& authorization,
                              std::string_view secret_key, sys_seconds now,
                              std::chrono::seconds max_skew) {
  if (auto failure = check_time(authorization, now, max_skew))
    return failure;
  const FieldIndex fields{request.headers};
  if (auto failure = check_coverage(fields, authorization.signed_headers))
    return failure;
  auto canonical =
      canonical_request(request, fields, authorization.signed_headers, authorization.payload_hash);
  if (!canonical)
    return canonical.error();
  const auto text =
      string_to_sign(canonical.value().finish(), authorization.timestamp, authorization.region);
  const auto expected = signature(secret_key, authorization.date, authorization.region, text);
  if (is_equal_in_constant_time(expected, authorization.signature))
    return std::nullopt;
  return Failure{ErrorCode::signature_does_not_match,
                 std::string{info(ErrorCode::signature_does_not_match).message},
                 {{"AWSAccessKeyId", authorization.access_key},
                  {"StringToSign", text},
                  {"SignatureProvided", authorization.signature},
                  {"CanonicalRequest", canonical.value().beginning()}}};
}

std::string sign(http::RequestHead& request, const Credential& credential, std::string_view region,
                 std::string_view payload_hash, sys_seconds now) {
  rewrite_target(request, {});
  auto& headers = request.headers;
  for (const auto* const name : {"authorization", "date", "x-amz-security-token"})
    headers.remove(name);
  const auto date = format_amz_date(now);
  headers.set("x-amz-date", date);
  headers.set("x-amz-content-sha256", std::string{payload_hash});
  if (!credential.session_token.empty())
    headers.add("x-amz-security-token", credential.session_token.str());
  std::vector<std::string> names;
  for (const auto& field : headers) {
    auto name = http::to_lower(field.name);
    if (is_signed_for_origin(name))
      names.push_back(std::move(name));
  }
  sort_unique(names);
  std::string value{kAlgorithm};
  value.append(" Credential=").append(credential.access_key).append("/");
  value.append(credential_scope(std::string_view{date}.substr(0, 8), region));
  value.append(", SignedHeaders=").append(join_names(names)).append(", Signature=");
  std::string signature = make_signature(request, credential, region, names, payload_hash, now);
  headers.add("Authorization", value + signature);
  return signature;
}

void presign(http::RequestHead& request, const Credential& credential, std::string_view region,
             const PresignParams& params) {
  auto& headers = request.headers;
  headers.remove("authorization");
  auto names = params.signed_headers;
  sort_unique(names);
  // An unsigned hash beside a presigned URL is read by some servers and ignored by others.
  const bool is_hash_signed =
      contains(names, "x-amz-content-sha256") && headers.contains("x-amz-content-sha256");
  if (!is_hash_signed)
    headers.remove("x-amz-content-sha256");
  // What the request carries no more, such as the Range of a read that became a lookup.
  std::erase_if(names, [&headers](const std::string& name) { return !headers.contains(name); });
  for (const auto& field : headers) {
    auto name = http::to_lower(field.name);
    if (must_be_signed(name))
      names.push_back(std::move(name));
  }
  sort_unique(names);

  const auto date = format_amz_date(params.timestamp);
  const auto scope = credential_scope(std::string_view{date}.substr(0, 8), region);
  http::Query auth{
      {.name = "X-Amz-Algorithm", .value = std::string{kAlgorithm}},
      {.name = "X-Amz-Credential", .value = credential.access_key + "/" + scope},
      {.name = "X-Amz-Date", .value = date},
      {.name = "X-Amz-Expires", .value = std::to_string(params.expires.count())},
      {.name = "X-Amz-SignedHeaders", .value = join_names(names)},
  };
  if (!credential.session_token.empty())
    auth.push_back({.name = "X-Amz-Security-Token", .value = credential.session_token.str()});
  if (!is_hash_signed && params.payload_hash != kUnsignedPayload)
    auth.push_back({.name = "X-Amz-Content-Sha256", .value = params.payload_hash});
  rewrite_target(request, auth);
  request.target += "&X-Amz-Signature=";
  request.target +=
      make_signature(request, credential, region, names, params.payload_hash, params.timestamp);
}

bool is_auth_parameter(std::string_view name) {
  constexpr std::array<std::string_view, 11> kNames{
      "X-Amz-Algorithm",      "X-Amz-Credential",     "X-Amz-Date",     "X-Amz-Expires",
      "X-Amz-SignedHeaders",  "X-Amz-Signature",      "AWSAccessKeyId", "Signature",
      "X-Amz-Security-Token", "X-Amz-Content-Sha256", "Expires"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         name == "x-amz-security-token";
}

PresignParams presign_params(const Authorization& caller, sys_seconds now) {
  if (caller.kind == Authorization::Kind::presigned_v2)
    return {.timestamp = now,
            .expires = std::clamp(caller.timestamp - now, std::chrono::seconds{1}, kMaxExpires),
            .signed_headers = caller.signed_headers,
            .payload_hash = caller.payload_hash};
  return {.timestamp = caller.timestamp,
          .expires = caller.expires,
          .signed_headers = caller.signed_headers,
          .payload_hash = caller.payload_hash};
}

std::string format_amz_date(sys_seconds time) {
  const CivilTime t{time};
  std::string text = "YYYYMMDDThhmmssZ";
  put_digits(text, 0, 4, t.year());
  put_digits(text, 4, 2, t.month());
  put_digits(text, 6, 2, t.day_of_month());
  put_digits(text, 9, 2, t.hours());
  put_digits(text, 11, 2, t.minutes());
  put_digits(text, 13, 2, t.seconds());
  return text;
}

std::string format_iso_date(sys_seconds time) {
  const CivilTime t{time};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.year(), t.month(), t.day_of_month(),
                     t.hours(), t.minutes(), t.seconds());
}

bool is_equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace forebay::s3
