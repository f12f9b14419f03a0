#include <forebay/s3/claimed_signature.hpp>
#include <forebay/s3/foreign_credentials.hpp>
#include <forebay/s3/query_rules.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <utility>

namespace forebay::s3 {
namespace {

/// Of "AWS key:signature" (SigV2), which signs no field that is ever added.
std::optional<ClaimedSignature> claimed_v2(std::string_view authorization) {
  constexpr std::string_view kScheme = "AWS ";
  const auto colon = authorization.find(':');
  if (!authorization.starts_with(kScheme) || colon == std::string_view::npos ||
      colon == kScheme.size())
    return std::nullopt;
  return ClaimedSignature{
      .access_key = std::string{authorization.substr(kScheme.size(), colon - kScheme.size())},
      .signed_headers = {}};
}

}  // namespace

bool ClaimedSignature::covers(std::string_view lower_name) const {
  return std::find(signed_headers.begin(), signed_headers.end(), lower_name) !=
         signed_headers.end();
}

std::optional<ClaimedSignature> claimed_signature(const http::RequestHead& request,
                                                  std::span<const http::QueryParameter> query) {
  const AuthScheme scheme = auth_scheme(request);
  if (foreign_credentials(request, query, scheme != AuthScheme::anonymous) ||
      has_repeated_parameter(query))
    return std::nullopt;
  if (scheme == AuthScheme::sigv2 && request.headers.contains("Authorization"))
    return claimed_v2(request.headers.value_or_empty("Authorization"));
  auto authorization = parse_authorization(request);
  if (!authorization)
    return std::nullopt;
  return ClaimedSignature{.access_key = std::move(authorization.value().access_key),
                          .signed_headers = std::move(authorization.value().signed_headers)};
}

}  // namespace forebay::s3
